use proptest::prelude::*;

use super::*;

#[test]
fn every_part_of_the_grammar_is_read() {
    for (written, canonical) in [
        ("numpy", "numpy"),
        ("NumPy", "numpy"),
        ("numpy=1.17", "numpy[version=\"1.17.*\"]"),
        ("numpy==1.17", "numpy[version=\"==1.17\"]"),
        ("numpy>=1.17,<2", "numpy[version=\">=1.17,<2\"]"),
        ("numpy=1.17=py37_0", "numpy[version=\"==1.17\",build=\"py37_0\"]"),
        ("conda-forge::numpy", "numpy[channel=\"conda-forge\"]"),
        ("conda-forge/linux-64::numpy", "numpy[channel=\"conda-forge\",subdir=\"linux-64\"]"),
        ("conda-forge:ns:numpy", "numpy[channel=\"conda-forge\",namespace=\"ns\"]"),
        ("numpy[build_number='>=3', license=MIT]", "numpy[build_number=\">=3\",license=\"MIT\"]"),
    ] {
        let spec: CondaSpec = written.parse().unwrap_or_else(|problem| panic!("{written}: {problem}"));
        assert_eq!(spec.to_string(), canonical, "{written}");
        assert_eq!(canonical.parse::<CondaSpec>().unwrap(), spec);
    }
    let spec: CondaSpec = "https://conda.example.com/a/b::x".parse().unwrap();
    assert_eq!(
        (spec.name(), spec.channel().unwrap().as_str(), spec.names_url()),
        ("x", "https://conda.example.com/a/b", true)
    );
    assert_eq!("conda-forge::x".parse::<CondaSpec>().unwrap().channel().unwrap().as_str(), "conda-forge");
}

#[test]
fn what_is_no_package_is_refused() {
    for refused in [
        "",
        " ",
        "-y",
        "numpy;x",
        "$(id)",
        "`id`",
        "./x",
        "/etc/passwd",
        "file:///x::y",
        "C:\\x",
        "../x::y",
        "numpy\n",
        "num\0py",
        "https://u:p@h/x::y",
        "https://conda.anaconda.org/t/tk/x::y",
        "ftp://h/x::y",
        "a b c d",
        "numpy[",
        "numpy[bogus=1]",
        "*",
        "^num.*$",
        "__glibc",
        "1.2",
        "x::-y",
        "-x::y",
        "numpy[channel='../x']",
        "numpy[url='file:///etc/passwd']",
    ] {
        assert!(refused.parse::<CondaSpec>().is_err(), "{refused}");
    }
    for refused in
        ["", "-c", "a b", "../x", "/x", "x//y", "https://u:p@h/x", "file:///x", "x?y", "https://h/x?token=1"]
    {
        assert!(refused.parse::<CondaChannel>().is_err(), "{refused}");
    }
}

/// Text that comes close to match specs.
fn nearly() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "numpy",
        "x",
        "_y",
        "__cuda",
        "conda-forge",
        "::",
        ":",
        "/",
        "linux-64",
        "[",
        "]",
        "=",
        "==",
        ">=",
        "<",
        "~=",
        "!=",
        "|",
        ",",
        " ",
        "*",
        "1.17",
        "1.*",
        "1!2",
        "1.0+l",
        "rc1",
        "py37_0",
        "^",
        "$",
        "version=",
        "build=",
        "channel=",
        "subdir=",
        "namespace=",
        "fn=",
        "url=",
        "md5=",
        "license=",
        "track_features=",
        "build_number=",
        "'",
        "\"",
        "\\",
        "https://",
        "h/x",
        "file://",
        "#",
        ";",
        " if ",
        "@",
        "-",
        ".",
        "(",
        ")",
        "é",
        "\0",
        "-1.0-0.conda",
        "[linux-64]",
        "https://h/c/linux-64/",
    ]);
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn what_is_shown_parses_to_the_same(text in prop_oneof![nearly().boxed(), ".*".boxed()]) {
        if let Ok(spec) = text.parse::<CondaSpec>() {
            let shown = spec.to_string();
            prop_assert!(!shown.starts_with('-') && !shown.chars().any(char::is_control), "{}", shown);
            prop_assert_eq!(shown.parse::<CondaSpec>().map(|spec| spec.to_string()), Ok(shown.clone()), "{}", text);
            if let Some(channel) = spec.channel() {
                prop_assert_eq!(channel.as_str().parse::<CondaChannel>(), Ok(channel.clone()), "{}", text);
            }
        }
    }
}

#[test]
fn a_digest_behind_an_address_is_no_comment() {
    let address = "https://conda.example/forge/noarch/six-1.16.0-py_0.conda";
    let md5 = "0123456789abcdef0123456789abcdef";
    let spec = |text: String| text.parse::<CondaSpec>();
    let in_brackets = spec(format!("six[url=\"{address}\",md5={md5}]")).unwrap();
    assert_eq!(spec(format!("{address}#{md5}")).unwrap(), in_brackets);
    assert!(in_brackets.to_string().contains(md5), "{in_brackets}");
    let sha256 = md5.repeat(2);
    let in_brackets = spec(format!("six[url=\"{address}\",sha256={sha256}]")).unwrap();
    assert_eq!(spec(format!("{address}#sha256:{sha256}")).unwrap(), in_brackets);
    assert!(spec(format!("{address}#nodigest")).is_err());
}
