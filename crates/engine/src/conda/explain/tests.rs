use super::*;
use rattler_conda_types::ParseMatchSpecOptions;

fn record(name: &str, version: &str) -> RepoDataRecord {
    serde_json::from_str(&format!(
        r#"{{"name": "{name}", "version": "{version}", "build": "0", "build_number": 0, "subdir": "linux-64",
            "depends": [], "fn": "{name}-{version}-0.conda", "url": "https://x.example/{name}-{version}-0.conda"}}"#
    ))
    .unwrap()
}

fn spec(text: &str) -> MatchSpec {
    MatchSpec::from_str(text, ParseMatchSpecOptions::lenient()).unwrap()
}

fn told(requested: &[&str], available: &[(&str, &str)], text: &str) -> String {
    let records: Vec<RepoDataRecord> =
        available.iter().map(|(name, version)| record(name, version)).collect();
    let requested: Vec<MatchSpec> = requested.iter().map(|text| spec(text)).collect();
    let glibc = serde_json::from_str(r#""__glibc=2.36=0""#).unwrap();
    let installed = InstalledPrefix::default();
    let situation = Situation {
        installed: &installed,
        requested: &requested,
        constraints: &[],
        available: records.iter().collect(),
        virtual_packages: &[glibc],
        channels: &["conda-forge".to_owned()],
    };
    let error = situation.conflict(text);
    format!(
        "{error}\n{}\n→ {}",
        error.explanation().unwrap_or_default(),
        error.next_step().unwrap_or_default()
    )
}

const CONTRADICTION: &str = "\
The following packages are incompatible
├─ app * cannot be installed because there are no viable options:
│  └─ app 1.0 | 1.1 | 1.2 would require
│     └─ mid >=1, which cannot be installed because there are no viable options:
│        └─ mid 1.0 | 1.1 would require
│           └─ shared <2, which cannot be installed because there are no viable options:
│              ├─ shared 1.9, which conflicts with the versions reported above.
│              └─ shared 1.1, which conflicts with the versions reported above.
└─ right * cannot be installed because there are no viable options:
   └─ right 1.0 would require
      └─ shared >=2, which cannot be installed because there are no viable options:
         └─ shared 2.0, which conflicts with the versions reported above.
";

#[test]
fn a_contradiction_is_two_chains_and_their_end() {
    insta::assert_snapshot!(told(&["app", "right"], &[("shared", "1.1"), ("shared", "2.0")], CONTRADICTION), @"
    app and right cannot be installed together
    right needs shared >=2.
    app needs mid >=1, which needs shared <2.
    No version of shared fits all of them.
    → loosen one of these, or search another channel with -c
    ");
}

#[test]
fn a_need_that_another_request_forbids_names_that_request() {
    let text = "right * cannot be installed because there are no viable options:\n\
                └─ right 1.0 would require\n   └─ shared >=2, for which no candidates were found.\n";
    let available = [("shared", "1.1"), ("shared", "2.0")];
    insta::assert_snapshot!(told(&["right", "shared=1.1"], &available, text), @r#"
    right cannot be installed with conda
    right needs shared >=2: shared 1.1.* was asked for.
    → loosen one of these, or search another channel with -c
    "#);
}

#[test]
fn what_the_image_lacks_is_named() {
    let of = |need: &str| {
        format!(
            "thing * cannot be installed because there are no viable options:\n\
             └─ thing 1.0 would require\n   └─ {need}, for which no candidates were found.\n"
        )
    };
    let said = |need: &str| told(&["thing"], &[("thing", "1.0")], &of(need));
    insta::assert_snapshot!([said("__cuda >=12"), said("__glibc >=2.40"), said("nosuch >=1")].join("\n\n"), @"
    thing cannot be installed with conda
    thing needs __cuda >=12: this image is for machines without a GPU.
    → build for machines with a GPU with --type gpu, or choose builds without CUDA

    thing cannot be installed with conda
    thing needs __glibc >=2.40: the C library (glibc) of the image is 2.36.
    → choose a base image with a newer system, or older versions of the packages

    thing cannot be installed with conda
    thing needs nosuch >=1: there is no nosuch in conda-forge.
    → loosen one of these, or search another channel with -c
    ");
}

#[test]
fn a_version_that_is_not_there_tells_of_those_that_are() {
    let text = "No candidates were found for left 9.*.";
    insta::assert_snapshot!(told(&["left=9"], &[("left", "1.0"), ("left", "2.0")], text), @"
    there is no left 9.* in conda-forge
    The newest versions of left there are 2.0, 1.0.
    → choose one of these, or add the channel that has it
    ");
}

#[test]
fn what_is_not_understood_is_repeated_shortened() {
    let text = "something else\n".repeat(100);
    let said = told(&["left"], &[], &text);
    assert!(said.contains("something else\n…"), "{said}");
    assert!(said.lines().count() < 50, "{said}");
}
