//! Real resolutions on the public index.

use super::{request, resolve_in, shown, uv};
use crate::pip::fixtures::installed;
use crate::pip::{PipError, Source};
use crate::python::installed::Installed;
use crate::python::pip_settings::PipSettings;

#[tokio::test]
async fn a_package_comes_after_what_it_needs() {
    let Some(uv) = uv().await else { return };
    let cache = tempfile::tempdir().unwrap();
    let request = request(&["requests[socks]", "six==1.16.0"]);
    let found =
        resolve_in(cache.path(), uv, &request, &Installed::default(), &PipSettings::default()).await.unwrap();
    let names: Vec<&str> = found.packages.iter().map(|package| package.name.as_ref()).collect();
    assert_eq!(names, ["urllib3", "six", "pysocks", "idna", "charset-normalizer", "certifi", "requests"]);
    let requests = found.packages.last().unwrap();
    assert!(requests.requested);
    assert_eq!(requests.extras.iter().map(ToString::to_string).collect::<Vec<_>>(), ["socks"]);
    assert!(requests.dependencies.iter().any(|name| name.to_string() == "pysocks"));
    let Source::Wheel(normalizer) = &found.packages[4].source else { panic!("{:?}", found.packages[4]) };
    assert!(normalizer.file_name.contains("cp311-cp311-manylinux"), "{}", normalizer.file_name);
    assert_eq!(normalizer.sha256.len(), 64);
    assert!(normalizer.index.as_deref().is_some_and(|index| index.starts_with("https://pypi.org")));
    assert!(!found.packages[0].requested);
}

#[tokio::test]
async fn a_version_of_the_base_that_no_index_has_is_kept() {
    let Some(uv) = uv().await else { return };
    let cache = tempfile::tempdir().unwrap();
    let base = installed(&[
        ("torch", "2.3.0a0+ngc24.05", &["filelock", "typing-extensions>=4.8.0", "evil @ file:///etc/passwd"]),
        ("numpy", "1.24.4", &[]),
        ("evil", "1.0", &[]),
    ]);
    let settings = PipSettings::default();
    let found =
        resolve_in(cache.path(), uv, &request(&["torchmetrics==1.4.0"]), &base, &settings).await.unwrap();
    let shown = shown(&found);
    assert!(shown.contains(&"torch 2.3.0a0+ngc24.5: kept".to_owned()), "{shown:#?}");
    assert!(shown.contains(&"numpy 1.24.4: kept".to_owned()), "{shown:#?}");
    assert!(!shown.iter().any(|line| line.contains("nvidia")), "{shown:#?}");
}

#[tokio::test]
async fn a_release_without_a_wheel_is_an_error_that_names_both_versions() {
    let Some(uv) = uv().await else { return };
    let cache = tempfile::tempdir().unwrap();
    let resolve = |request, settings: PipSettings| {
        let (uv, cache) = (uv.clone(), cache.path().to_owned());
        async move { resolve_in(&cache, uv, &request, &Installed::default(), &settings).await }
    };
    for (requirement, best, wheel) in [("seqeval", "1.2.2", "0.0.10"), ("pyhive", "0.7.0", "0.7.0.dev0")] {
        let error = resolve(request(&[requirement]), PipSettings::default()).await.unwrap_err();
        let PipError::SourceOnly { name, best_version, newest_with_wheel, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!(name, requirement);
        assert_eq!((best_version.as_deref(), newest_with_wheel.as_deref()), (Some(best), Some(wheel)));
    }
    let mut constrained = request(&["seqeval"]);
    constrained.constraints.push("seqeval<1".parse().unwrap());
    let error = resolve(constrained, PipSettings::default()).await.unwrap_err();
    assert!(
        matches!(error, PipError::SourceOnly { .. }),
        "0.0.19 is newer than 0.0.10, and a source: {error}"
    );
    let mut constrained = request(&["seqeval"]);
    constrained.constraints.push("seqeval<=0.0.10".parse().unwrap());
    let found = resolve(constrained, PipSettings::default()).await.unwrap();
    assert!(shown(&found).contains(&"seqeval 0.0.10: seqeval-0.0.10-py3-none-any.whl".to_owned()));
    let preferring = PipSettings { prefer_binary: true, ..PipSettings::default() };
    let found = resolve(request(&["seqeval"]), preferring).await.unwrap();
    assert_eq!(found.notices.len(), 1, "{:?}", found.notices);
}

#[tokio::test]
async fn a_package_of_the_base_is_upgraded_along() {
    let Some(uv) = uv().await else { return };
    let cache = tempfile::tempdir().unwrap();
    let base = installed(&[
        ("requests", "2.20.0", &["urllib3>=1.21.1,<1.25", "idna>=2.5,<2.8", "chardet<3.1.0", "certifi"]),
        ("urllib3", "1.24.3", &[]),
        ("idna", "2.7", &[]),
        ("chardet", "3.0.4", &[]),
        ("certifi", "2020.4.5", &[]),
    ]);
    let settings = PipSettings::default();
    let found = resolve_in(cache.path(), uv, &request(&["urllib3>=2"]), &base, &settings).await.unwrap();
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    assert!(
        found.notices.iter().any(|notice| notice.starts_with("requests is changed to 2.")),
        "{:?}",
        found.notices
    );
    let requests = found.packages.iter().find(|package| package.name.to_string() == "requests").unwrap();
    assert_eq!(requests.replaces.as_ref().unwrap().version.to_string(), "2.20.0");
    assert!(!requests.requested);
}

#[tokio::test]
async fn a_package_that_cannot_be_upgraded_along_is_warned_of() {
    let Some(uv) = uv().await else { return };
    let cache = tempfile::tempdir().unwrap();
    let base = installed(&[("in-house-tool-of-nobody", "1.0", &["six<1.16"]), ("six", "1.15.0", &[])]);
    let settings = PipSettings::default();
    let found = resolve_in(cache.path(), uv, &request(&["six==1.17.0"]), &base, &settings).await.unwrap();
    assert_eq!(
        found.warnings,
        ["in-house-tool-of-nobody 1.0 of the base needs six<1.16, but the image will have six 1.17.0."]
    );
    assert_eq!(shown(&found), ["six 1.17.0: six-1.17.0-py2.py3-none-any.whl"]);
}

#[tokio::test]
async fn constraints_of_the_image_hold() {
    let Some(uv) = uv().await else { return };
    let cache = tempfile::tempdir().unwrap();
    let settings = PipSettings { constraints: vec!["urllib3<2".to_owned()], ..PipSettings::default() };
    let error =
        resolve_in(cache.path(), uv, &request(&["urllib3>=2"]), &Installed::default(), &settings).await;
    assert!(matches!(error, Err(PipError::Conflict { .. })), "{error:?}");
}
