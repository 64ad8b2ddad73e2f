use std::collections::HashMap;

use super::*;

fn pip(text: &str) -> Vec<String> {
    let request =
        parse_pip("pip packages", text, PipPolicy::OPEN).unwrap_or_else(|errors| panic!("{errors}"));
    request.requirements.iter().map(ToString::to_string).collect()
}

fn files(contents: &[(&str, &str)]) -> impl FnMut(&RelativePath) -> Result<String, IncludeError> {
    let contents: HashMap<String, String> =
        contents.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    move |path| contents.get(path.as_str()).cloned().ok_or_else(|| IncludeError::new("there is no such file"))
}

fn read(text: &str, contents: &[(&str, &str)]) -> Result<PipRequest, SpecErrors> {
    let file = "requirements.txt".parse().unwrap();
    parse_requirements(&file, text, PipPolicy::OPEN, &mut files(contents))
}

#[test]
fn pasted_commands_and_lists_are_understood() {
    assert_eq!(pip("pip install \"x>=1\" 'y'"), ["x>=1", "y"]);
    assert_eq!(pip("!pip install -U --no-cache-dir numpy \\\n   pandas # both"), ["numpy", "pandas"]);
    assert_eq!(pip("python -m pip install --timeout 100 numpy"), ["numpy"]);
    assert_eq!(
        pip("numpy pandas\r\nscipy,\n\u{201c}x>=1\u{201d}\tz"),
        ["numpy", "pandas", "scipy", "x>=1", "z"]
    );
    assert_eq!(
        pip("requests >= 2, < 3 ; python_version < \"3.12\""),
        ["requests>=2,<3 ; python_full_version < '3.12'"]
    );
    assert_eq!(pip("\"requests>=2; python_version<'3.12'\" numpy").len(), 2);
}

#[test]
fn a_requirements_file_is_read_with_its_includes() {
    let hash = "a".repeat(64);
    let text = format!(
        "# all\n-r base.txt\n--requirement=sub/more.txt\n-c limits.txt\n--pre\n-ihttps://me:hunter2@a/simple\n\
         --extra-index-url https://b/simple\n--no-binary :all:\n--only-binary numpy,PyYAML\nx==1 \\\n    --hash=sha256:{hash} \\\n    --hash sha256:{hash}\n"
    );
    let request = read(
        &text,
        &[
            ("base.txt", "numpy"),
            ("sub/more.txt", "-r ../base.txt\n-r deep.txt"),
            ("sub/deep.txt", "pandas"),
            ("limits.txt", "numpy<2"),
        ],
    )
    .unwrap();
    let shown: Vec<_> = request.requirements.iter().map(PipRequirement::to_line).collect();
    assert_eq!(shown, ["numpy".to_owned(), "pandas".to_owned(), format!("x==1 --hash=sha256:{hash}")]);
    assert_eq!(request.constraints[0].to_string(), "numpy<2");
    assert_eq!(
        (request.pre, request.no_binary, request.only_binary),
        (true, vec![":all:".to_owned()], vec!["numpy".to_owned(), "pyyaml".to_owned()])
    );
    assert_eq!(request.index_url.unwrap().to_string(), "https://a/simple");
    assert_eq!(request.extra_index_urls[0].to_string(), "https://b/simple");
}

#[test]
fn includes_stay_inside_and_end() {
    let message =
        |text: &str, contents: &[(&str, &str)]| read(text, contents).unwrap_err().0[0].message.clone();
    assert_eq!(message("-r ../x.txt", &[]), "`../x.txt` leads out of the given folder");
    assert_eq!(message("-r /etc/passwd", &[]), "`/etc/passwd` is not inside the given folder");
    assert_eq!(message("-r x.txt", &[]), "`x.txt` cannot be included: there is no such file");
    assert_eq!(
        message("-r a.txt", &[("a.txt", "-r b.txt"), ("b.txt", "-r requirements.txt")]),
        "the files include each other in a circle: requirements.txt → a.txt → b.txt → requirements.txt"
    );
    let chain: Vec<(String, String)> =
        (0..40).map(|i| (format!("{i}.txt"), format!("-r {}.txt", i + 1))).collect();
    let chain: Vec<(&str, &str)> = chain.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert!(message("-r 0.txt", &chain).starts_with("at most 64 files"));
    let error = &read("\n-r a.txt", &[("a.txt", "ok\nnot=ok")]).unwrap_err().0[0];
    assert_eq!((error.source.as_str(), error.line, error.column), ("a.txt", 2, 4));
    assert!(parse_pip("pip packages", "-r x.txt", PipPolicy::OPEN).is_err());
}

#[test]
fn what_policy_forbids_is_refused() {
    for refused in
        ["x @ https://h/x.whl", "x @ git+https://h/x", "-i https://h/s", "--extra-index-url=https://h/s"]
    {
        parse_pip("pip packages", refused, PipPolicy::INDEX_ONLY).unwrap_err();
        parse_pip("pip packages", refused, PipPolicy::OPEN).unwrap();
    }
}

#[test]
fn errors_read_well() {
    let text = "numpy=1.17\nok\n-e .\n  pandas scikit learn==1.0*\n--find-links https://x/y\n--extra-index-url https://me:hunter2@h/?x\n./local\nx; os_name ~= 'a'\n-y";
    let errors = parse_pip("requirements.txt", text, PipPolicy::OPEN).unwrap_err();
    insta::assert_snapshot!(errors);
}
