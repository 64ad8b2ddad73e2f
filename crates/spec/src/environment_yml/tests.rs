use super::*;
use crate::requirements::IncludeError;

fn read(text: &str) -> Result<PackageRequest, SpecErrors> {
    let file = "env/environment.yml".parse().unwrap();
    let mut includes = |path: &RelativePath| match path.as_str() {
        "env/requirements.txt" => Ok("pandas\n".to_owned()),
        _ => Err(IncludeError::new("there is no such file")),
    };
    parse_environment_yml(&file, text, PipPolicy::OPEN, CondaPolicy::OPEN, &mut includes)
}

#[test]
fn an_exported_environment_is_understood() {
    let text = "name: lab\nchannels:\n  - conda-forge\n  - nodefaults\n  - https://conda.example.com/x\ndependencies:\n\
        \x20 - python=3.10\n  - \"numpy>=1.17,<2\"  # both\n  - conda-forge::scipy\n  - openssl=3.0.2=h166bdaf_1\n  - pip\n\
        \x20 - pip:\n    - requests >= 2 ; python_version < '3.12'\n    - -r requirements.txt\n    - --extra-index-url https://h/s\n\
        prefix: /home/me/lab\n";
    let request = read(text).unwrap();
    let channels: Vec<_> = request.conda.channels.iter().map(ToString::to_string).collect();
    assert_eq!(channels, ["conda-forge", "https://conda.example.com/x"]);
    let names: Vec<_> = request.conda.specs.iter().map(crate::CondaSpec::name).collect();
    assert_eq!(names, ["python", "numpy", "scipy", "openssl", "pip"]);
    assert_eq!(request.conda.specs[0].to_string(), "python[version=\"3.10.*\"]");
    let requirements: Vec<_> = request.pip.requirements.iter().map(crate::PipRequirement::name).collect();
    assert_eq!(requirements, ["requests", "pandas"]);
    assert_eq!(request.pip.extra_index_urls.len(), 1);
}

#[test]
fn empty_environments_are_environments() {
    for text in ["", "# nothing\n", "name: x\n", "dependencies:\n", "channels: []\ndependencies: ~\n"] {
        assert_eq!(read(text).unwrap(), PackageRequest::default(), "{text}");
    }
}

#[test]
fn errors_read_well() {
    let text = "nam: x\nchannels: conda-forge\ndependencies:\n  - numpy\n  - 'x;y'\n  - ../local\n  - pip:\n      - a=1\n      - -e .\n      - -r ../../x.txt\n  - npm:\n      - left-pad\n  - [a]\nvariables:\n  A: b\n";
    insta::assert_snapshot!(read(text).unwrap_err());
}

#[test]
fn hostile_yaml_ends_in_an_error() {
    for text in [
        "a: [",
        "a: *b",
        "x: &a [1]\ny: *a",
        "\tx",
        "- a",
        "just text",
        "--- a\n--- b",
        "a: !!binary |\n  x",
        &"[".repeat(100_000),
        &"- ".repeat(5000),
        "a: \"\0\"",
    ] {
        read(text).unwrap_err();
    }
}
