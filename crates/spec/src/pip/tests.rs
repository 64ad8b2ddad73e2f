use proptest::prelude::*;

use super::*;

fn canonical(text: &str) -> String {
    text.parse::<PipRequirement>().unwrap_or_else(|problem| panic!("{text}: {problem}")).to_string()
}

#[test]
fn requirements_have_one_canonical_line() {
    for (written, shown) in [
        ("NumPy", "numpy"),
        ("Scikit_Learn>=1.0", "scikit-learn>=1.0"),
        ("requests [tests,security] < 3 , >= 2", "requests[security,tests]>=2,<3"),
        ("x (>=1,<2)", "x>=1,<2"),
        ("torch==2.3.0+cu121", "torch==2.3.0+cu121"),
        ("numpy==1.17.*", "numpy==1.17.*"),
        ("x~=1.4 ; python_version<'3.12'", "x~=1.4 ; python_full_version < '3.12'"),
        ("x@https://example.com/x.whl", "x @ https://example.com/x.whl"),
        (
            "x @ git+https://github.com/a/b@v1#subdirectory=c",
            "x @ git+https://github.com/a/b@v1#subdirectory=c",
        ),
        ("2to3", "2to3"),
    ] {
        assert_eq!(canonical(written), shown, "{written}");
    }
    let requirement: PipRequirement = "A.b @ git+https://example.com/b".parse().unwrap();
    assert_eq!((requirement.name(), requirement.is_direct_url(), requirement.is_git()), ("a-b", true, true));
}

#[test]
fn hashes_are_kept_and_checked() {
    let hash = format!("sha256:{}", "a".repeat(64));
    let requirement: PipRequirement = format!("x==1 --hash={hash}").parse().unwrap();
    assert_eq!(requirement.hashes(), std::slice::from_ref(&hash));
    assert_eq!(requirement.to_string(), "x==1");
    let json = serde_json::to_string(&requirement).unwrap();
    assert_eq!(json, format!("\"x==1 --hash={hash}\""));
    assert_eq!(serde_json::from_str::<PipRequirement>(&json).unwrap(), requirement);
    assert_eq!("x==1 --hash=md5:abc".parse::<PipRequirement>().unwrap_err().column, 13);
}

#[test]
fn refusals_say_where_and_what_instead() {
    for (refused, column, suggestion) in [
        ("numpy=1.17", 6, "write `numpy==1.17`"),
        ("numpy=>1.17", 6, "write `numpy>=1.17`"),
        ("numpy==1.17*", 12, "write `numpy==1.17.*`"),
        ("1.17", 1, "write it behind its package, as in `name==1.17`"),
        ("./x", 1, "publish it on an index, or write `name @ https://…` with its address"),
        ("x-1.0-py3-none-any.whl", 1, "publish it on an index, or write `name @ https://…` with its address"),
        ("https://example.com/x.whl", 1, "write `name @ https://example.com/x.whl`"),
        ("git+https://example.com/x#egg=y", 1, "write `y @ git+https://example.com/x`"),
        ("x @ file:///etc/passwd", 5, "write an address that starts with `https://` or `git+https://`"),
        (
            "x @ git+ssh://git@example.com/x",
            5,
            "write an address that starts with `https://` or `git+https://`",
        ),
        ("x @ https://u:p@example.com/x", 5, "use an index with credentials, or an address that needs none"),
        ("x @ https://${TOKEN}/x", 13, "write the value itself; keep credentials in a secret"),
        ("x[a-]", 4, "a name has letters, digits, `-`, `_` and `.`, as in `scikit-learn`"),
        ("x[a", 2, "write extras as in `name[extra]`"),
        ("x-", 2, "a name has letters, digits, `-`, `_` and `.`, as in `scikit-learn`"),
        ("--pre", 1, "write package names only"),
        ("x>=", 2, "write it as in `numpy`, `numpy==1.26.4` or `numpy>=1.24,<2`"),
    ] {
        let problem = refused.parse::<PipRequirement>().unwrap_err();
        assert_eq!(
            (problem.column, problem.suggestion.as_str()),
            (column, suggestion),
            "{refused}: {problem}"
        );
    }
}

#[test]
fn conditions_that_mean_nothing_are_refused_instead_of_ignored() {
    for refused in
        ["x; python_version >= '3.9.'", "x; 'a' == 'b'", "x; sys_platform ~= 'linux'", "x; os_name"]
    {
        refused.parse::<PipRequirement>().unwrap_err();
    }
}

#[test]
fn hostile_conditions_are_bounded() {
    let nested = format!("x; {}os_name == 'a'{}", "(".repeat(400), ")".repeat(400));
    assert!(nested.parse::<PipRequirement>().unwrap_err().message.contains("nested"));
    let long = format!("x; {}", vec!["'a' in os_name"; 40].join(" or "));
    assert!(long.parse::<PipRequirement>().unwrap_err().message.contains("comparisons"));
}

/// Text that comes close to requirements.
fn nearly() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "B_c",
        "x-",
        "-",
        ".",
        "_",
        "1",
        "1.0",
        "[",
        "]",
        "[a]",
        "[a,b-]",
        ",",
        " ",
        ">=",
        "==",
        "<",
        "~=",
        "!=",
        "===",
        "*",
        ".*",
        "+local",
        "!",
        "a0",
        ".dev1",
        "(",
        ")",
        "@",
        " @ ",
        "https://h/x",
        "git+https://h/x",
        "file:",
        "#",
        ";",
        " ; ",
        "python_version",
        "python_full_version",
        "sys_platform",
        "platform_version",
        "extra",
        "implementation_version",
        "os.name",
        " in ",
        " not in ",
        " and ",
        " or ",
        "'3.8'",
        "\"3.8 3.9\"",
        "'a-'",
        "'3.*'",
        "'3'",
        "'linux'",
        "''",
        "'",
        "\"",
        " --hash=",
        "sha256:",
        "é",
        "\0",
        "\n",
        "${PROJECT_ROOT}",
    ]);
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

/// Well-formed requirements with markers of every kind.
fn with_marker() -> impl Strategy<Value = String> {
    let variable = prop::sample::select(vec![
        "python_version",
        "python_full_version",
        "sys_platform",
        "platform_version",
        "platform_machine",
        "os_name",
        "implementation_version",
        "implementation_name",
        "extra",
        "platform_release",
    ]);
    let operator =
        prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!=", "~=", "===", " in ", " not in "]);
    let value = prop::sample::select(vec![
        "3",
        "3.8",
        "3.8.1",
        "3.*",
        "3.8.*",
        "2.7 3.8",
        "linux",
        "",
        "a-",
        "3.8rc1",
        "3.8+l",
        "1!3",
        "3.8.post1",
    ]);
    let term = (variable, operator, value, any::<bool>()).prop_map(|(variable, operator, value, swapped)| {
        if swapped {
            format!("'{value}'{operator}{variable}")
        } else {
            format!("{variable}{operator}'{value}'")
        }
    });
    let joined = prop::collection::vec((term, any::<bool>()), 1..5).prop_map(|terms| {
        let mut marker = String::new();
        for (index, (term, and)) in terms.iter().enumerate() {
            if index > 0 {
                marker.push_str(if *and { " and " } else { " or " });
            }
            marker.push_str(term);
        }
        marker
    });
    joined.prop_map(|marker| format!("x>=1; {marker}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_shown_parses_to_the_same(text in prop_oneof![nearly(), with_marker(), ".*".boxed()]) {
        if let Ok(requirement) = text.parse::<PipRequirement>() {
            let shown = requirement.to_line();
            prop_assert!(!shown.starts_with('-') && !shown.chars().any(char::is_control), "{}", shown);
            let again = shown.parse::<PipRequirement>();
            prop_assert!(again.is_ok(), "{} -> {}: {:?}", text, shown, again);
            prop_assert_eq!(again.unwrap().to_line(), shown);
        }
    }
}
