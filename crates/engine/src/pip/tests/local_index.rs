//! Resolutions on small indexes of our own: private, odd and broken ones.

use imagewright_testkit::{Fault, PackageIndex, SdistBuilder, WheelBuilder};
use tokio_util::sync::CancellationToken;

use super::{request, resolve_in, shown, uv};
use crate::error::ErrorKind;
use crate::pip::fixtures::{installed, target};
use crate::pip::{PipError, PipInput, PipResolver, Resolution, ResolverSettings};
use crate::python::installed::Installed;
use crate::python::pip_settings::PipSettings;
use imagewright_spec::PipRequest;

/// A request to one index.
fn at(index: &str, requirements: &[&str]) -> PipRequest {
    PipRequest { index_url: Some(index.parse().unwrap()), ..request(requirements) }
}

/// Resolves with nothing installed; `None` where there is no uv.
async fn resolve(request: &PipRequest) -> Option<Result<Resolution, PipError>> {
    resolve_over(request, &Installed::default()).await
}

async fn resolve_over(request: &PipRequest, base: &Installed) -> Option<Result<Resolution, PipError>> {
    let uv = uv().await?;
    let cache = tempfile::tempdir().unwrap();
    Some(resolve_in(cache.path(), uv, request, base, &PipSettings::default()).await)
}

#[tokio::test]
async fn credentials_reach_their_index_and_no_message() {
    let index = PackageIndex::builder().basic_auth("me", "s3cret").start();
    index.add_wheel(&WheelBuilder::new("demo", "1.0").build());
    let Some(found) = resolve(&at(&index.url_with_credentials(), &["demo"])).await else { return };
    let found = found.unwrap();
    assert_eq!(shown(&found), ["demo 1.0: demo-1.0-py3-none-any.whl"]);
    assert!(!format!("{found:?}").contains("s3cret"));
    let error = resolve(&at(&index.url(), &["demo"])).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
}

#[tokio::test]
async fn old_indexes_without_json_and_metadata_are_understood() {
    let index = PackageIndex::builder().html_only().without_metadata().start();
    index.add_wheel(&WheelBuilder::new("demo", "1.0").requires("helper>=2").build());
    index.add_wheel(&WheelBuilder::new("helper", "2.0").build());
    let Some(found) = resolve(&at(&index.url(), &["demo"])).await else { return };
    let found = found.unwrap();
    assert_eq!(
        shown(&found),
        ["helper 2.0: helper-2.0-py3-none-any.whl", "demo 1.0: demo-1.0-py3-none-any.whl"]
    );
    assert_eq!(found.packages[1].dependencies.len(), 1);
}

#[tokio::test]
async fn nothing_of_a_source_distribution_is_run() {
    let witness = tempfile::tempdir().unwrap();
    let trace = witness.path().join("was-run");
    let setup = format!("open({trace:?}, 'w').close()\nfrom setuptools import setup\nsetup(name='evil')\n");
    let index = PackageIndex::with([&WheelBuilder::new("setuptools", "80.0").build()]);
    index.add_sdist(&SdistBuilder::new("evil", "2.0").file("setup.py", setup).build());
    index.add_wheel(&WheelBuilder::new("evil", "1.0").build());
    let Some(outcome) = resolve(&at(&index.url(), &["evil"])).await else { return };
    let error = outcome.unwrap_err();
    assert_eq!(
        error.to_string(),
        "evil 2.0 is published as source only and would have to be built; the newest version with a wheel for the \
         image is 1.0"
    );
    assert!(!trace.exists());
}

#[tokio::test]
async fn a_requirement_replaces_what_is_installed_only_when_it_must() {
    let index = PackageIndex::with([
        &WheelBuilder::new("demo", "1.0").requires("helper>=1").build(),
        &WheelBuilder::new("demo", "2.0").requires("helper>=2").build(),
        &WheelBuilder::new("helper", "1.5").build(),
        &WheelBuilder::new("helper", "2.5").build(),
    ]);
    let base = installed(&[("helper", "1.5", &[])]);
    let Some(found) = resolve_over(&at(&index.url(), &["demo<2"]), &base).await else { return };
    assert_eq!(shown(&found.unwrap()), ["helper 1.5: kept", "demo 1.0: demo-1.0-py3-none-any.whl"]);
    let forced = resolve_over(&at(&index.url(), &["demo>=2"]), &base).await.unwrap().unwrap();
    assert_eq!(forced.packages[0].replaces.as_ref().unwrap().version.to_string(), "1.5");
    let there = resolve_over(&at(&index.url(), &["helper"]), &base).await.unwrap().unwrap();
    assert_eq!(shown(&there), ["helper 1.5: kept"], "what is there satisfies the requirement");
}

#[tokio::test]
async fn hashes_of_the_requirement_are_demanded() {
    let wheel = WheelBuilder::new("demo", "1.0").build();
    let index = PackageIndex::with([&wheel]);
    let other = format!("demo --hash=sha256:{}", "0".repeat(64));
    let Some(outcome) = resolve(&at(&index.url(), &[&other])).await else { return };
    let error = outcome.unwrap_err();
    assert!(matches!(error, PipError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_wheel_by_address_has_a_digest_and_a_direct_url() {
    let wheel = WheelBuilder::new("demo", "1.0").build();
    let index = PackageIndex::with([&wheel]);
    let requirement = format!("demo @ {}", index.file_url(&wheel.file_name));
    let Some(found) = resolve(&at(&index.url(), &[&requirement])).await else { return };
    let found = found.unwrap();
    assert_eq!(shown(&found), ["demo 1.0: demo-1.0-py3-none-any.whl by address"]);
    let source = resolve(&at(&index.url(), &["demo @ https://example.com/demo-1.0.tar.gz"])).await.unwrap();
    assert!(matches!(source, Err(PipError::SourceOnly { .. })), "{source:?}");
}

#[tokio::test]
async fn an_index_that_does_not_work_is_named() {
    let index = PackageIndex::with([&WheelBuilder::new("demo", "1.0").build()]);
    index.inject(Fault::on("/simple/").status(404));
    let Some(outcome) = resolve(&at(&index.url(), &["demo"])).await else { return };
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::NotFound);
    let error = resolve(&at("http://127.0.0.1:9/simple", &["demo"])).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("127.0.0.1:9"), "{error}");
}

#[tokio::test]
async fn cancelling_ends_uv() {
    let Some(uv) = uv().await else { return };
    let index = PackageIndex::with([&WheelBuilder::new("demo", "1.0").build()]);
    index.inject(Fault::on("/simple/").hang());
    let cache = tempfile::tempdir().unwrap();
    let cancellation = CancellationToken::new();
    let (target, installed, settings) = (target(), Installed::default(), PipSettings::default());
    let request = at(&index.url(), &["demo"]);
    let input = PipInput { request: &request, target: &target, installed: &installed, settings: &settings };
    let resolver = PipResolver::new(uv, ResolverSettings::new(cache.path(), cache.path()));
    let asked = async {
        while index.requests().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        cancellation.cancel();
    };
    let (outcome, ()) = tokio::join!(resolver.resolve(input, &cancellation), asked);
    assert!(matches!(outcome, Err(PipError::Cancelled)), "{outcome:?}");
}
