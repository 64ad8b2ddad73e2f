//! Whatever is pasted, the readers answer: no panic, and nothing accepted that a tool could take for an option.

use imagewright_spec::{
    CondaPolicy, IncludeError, PipPolicy, RelativePath, SpecErrors, parse_apt, parse_conda,
    parse_environment_yml, parse_image_toml, parse_pip, parse_requirements,
};
use proptest::prelude::*;

/// Text that looks like what people paste.
fn pasted() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "numpy",
        "pandas",
        "g++",
        "x",
        "1.17",
        ">=",
        "==",
        "=",
        "<2",
        "*",
        ",",
        ";",
        "#",
        "\\",
        "\n",
        "\r\n",
        "\t",
        " ",
        "  ",
        "\u{a0}",
        "\u{3000}",
        "\u{200b}",
        "\u{feff}",
        "\0",
        "\u{1b}[31m",
        "\u{201c}",
        "\u{201d}",
        "'",
        "\"",
        "pip install ",
        "conda install ",
        "sudo apt-get install ",
        "python3 -m pip install ",
        "!",
        "%",
        "$ ",
        "RUN ",
        "&&",
        "-y",
        "-c ",
        "-c",
        "--channel=",
        "conda-forge",
        "::",
        "-r ",
        "-e ",
        "--hash=",
        "--hash",
        "sha256:",
        "-i ",
        "--index-url",
        "https://me:hunter2@h/s",
        "git+https://h/x",
        "@",
        "[",
        "]",
        "[a,b]",
        "(",
        ")",
        "python_version",
        "'3.8'",
        "and ",
        "--pre",
        "--no-binary ",
        ":all:",
        "-",
        "--",
        "é",
        "映",
        "packages",
        "pip",
        "conda",
        "apt",
        "dependencies:",
        "- ",
        "  - ",
        "|",
        ": ",
        "{",
        "}",
        "\"\"\"",
        "channels",
        "index-url",
        "$(id)",
        "`id`",
        "${HOME}",
        "../",
        "/etc/passwd",
    ]);
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

fn check_errors(errors: &SpecErrors) {
    assert!(!errors.is_empty());
    for error in &errors.0 {
        assert!(error.line >= 1 && error.column >= 1);
        assert!(!error.message.is_empty() && !error.suggestion.is_empty());
    }
    let shown = errors.to_string();
    assert!(!shown.chars().any(|character| character.is_control() && character != '\n'), "{shown:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

fn check_argument(argument: &str) {
    assert!(!argument.starts_with('-') && !argument.chars().any(char::is_control), "{argument:?}");
    assert!(
        !argument.contains("hunter2") && !argument.contains("$(") && !argument.contains('`'),
        "{argument:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn every_text_gets_an_answer(text in prop_oneof![4 => pasted().boxed(), 1 => ".*".boxed()]) {
        match parse_apt("apt", &text) {
            Ok(packages) => packages.iter().for_each(|package| check_argument(&package.to_string())),
            Err(errors) => check_errors(&errors),
        }
        match parse_conda("conda", &text, CondaPolicy::OPEN) {
            Ok(request) => {
                request.specs.iter().for_each(|spec| check_argument(&spec.to_string()));
                request.channels.iter().for_each(|channel| check_argument(channel.as_str()));
            }
            Err(errors) => check_errors(&errors),
        }
        match parse_pip("pip", &text, PipPolicy::OPEN) {
            Ok(request) => {
                request.requirements.iter().for_each(|requirement| check_argument(&requirement.to_line()));
                let debug = format!("{request:?}");
                prop_assert!(!debug.contains("hunter2"));
            }
            Err(errors) => check_errors(&errors),
        }
        let file: RelativePath = "requirements.txt".parse().unwrap();
        let mut includes = |_: &RelativePath| Err(IncludeError::new("there is no such file"));
        if let Err(errors) = parse_requirements(&file, &text, PipPolicy::OPEN, &mut includes) {
            check_errors(&errors);
        }
        if let Err(errors) = parse_environment_yml(&file, &text, PipPolicy::OPEN, CondaPolicy::OPEN, &mut includes) {
            check_errors(&errors);
        }
        if let Err(errors) = parse_image_toml("image.toml", &text, PipPolicy::OPEN, CondaPolicy::OPEN) {
            check_errors(&errors);
        }
    }
}
