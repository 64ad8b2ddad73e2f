//! Registries on a bad day.

mod registry_support;

use std::time::Duration;

use imagewright_oci::credential::CredentialSource;
use imagewright_oci::registry::{
    Progress, Registry as _, RegistryClient, RegistryClientConfig, RegistryErrorKind, TagOrDigest, Timeouts,
};
use imagewright_testkit::{Fault, FaultyProxy, Registry, require_tool};
use registry_support::*;

#[tokio::test]
async fn a_registry_that_is_down_is_unreachable() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let repository = repository(&registry.host(), "team/image");
    registry.stop();
    let error = client().get_manifest(&repository, &TagOrDigest::tag("1.0")).await.unwrap_err();
    assert_eq!(error.kind(), RegistryErrorKind::Unreachable, "{error}");
    assert!(error.to_string().contains("team/image"), "{error}");
}

#[tokio::test]
async fn passing_errors_are_waited_out() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let proxy = FaultyProxy::in_front_of(&registry);
    let (client, repository) = (client(), repository(&proxy.host(), "team/image"));
    let bytes = content(100_000);
    proxy.inject(Fault::on("/uploads/").method("POST").times(2).status(503));
    proxy.inject(Fault::on("/uploads/").method("PUT").times(1).drop_connection());
    let pushed = push_blob(&client, &repository, &bytes).await.unwrap();
    proxy.inject(Fault::on("/blobs/").method("GET").times(2).status(502));
    assert_eq!(pull_blob(&client, &repository, &pushed).await.unwrap(), bytes);
    proxy.inject(Fault::on("/manifests/").times(2).status(429));
    push_image(&client, &repository, "1.0", "amd64").await.unwrap();
    proxy.inject(Fault::on("/manifests/").times(1).drop_connection());
    client.resolve(&repository, &TagOrDigest::tag("1.0"), &amd64()).await.unwrap();
}

#[tokio::test]
async fn lasting_errors_are_reported_after_some_attempts() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let proxy = FaultyProxy::in_front_of(&registry);
    let (client, repository) = (client(), repository(&proxy.host(), "team/image"));
    let tag = TagOrDigest::tag("1.0");
    for (status, kind, attempts) in [
        (503, RegistryErrorKind::Unreachable, 4),
        (429, RegistryErrorKind::RateLimited, 4),
        (403, RegistryErrorKind::Forbidden, 1),
        (400, RegistryErrorKind::Protocol, 1),
    ] {
        proxy.clear_faults();
        proxy.forget_requests();
        proxy.inject(Fault::on("/manifests/").status(status));
        let error = client.get_manifest(&repository, &tag).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let asked = proxy.requests().iter().filter(|request| request.path.contains("/manifests/")).count();
        assert_eq!(asked, attempts, "{status}");
    }
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_stopped() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let proxy = FaultyProxy::in_front_of(&registry);
    let (client, repository) = (client(), repository(&proxy.host(), "team/image"));
    let bytes = content(3_000_000);
    let pushed = push_blob(&client, &repository, &bytes).await.unwrap();
    proxy.forget_requests();
    proxy.inject(Fault::on("/blobs/").method("GET").times(2).truncate_after(1_000_000));
    assert_eq!(pull_blob(&client, &repository, &pushed).await.unwrap(), bytes);
    assert!(proxy.downloaded_bytes() < 4_000_000, "{:?}", proxy.requests());
}

#[tokio::test]
async fn a_copy_survives_faults_on_both_sides() {
    require_tool!("docker-registry");
    let (here, there) = (Registry::new(), Registry::new());
    let (source_proxy, target_proxy) = (FaultyProxy::in_front_of(&here), FaultyProxy::in_front_of(&there));
    let (source, target) =
        (repository(&source_proxy.host(), "team/base"), repository(&target_proxy.host(), "team/image"));
    let (client, bytes) = (client(), content(2_000_000));
    let pushed = push_blob(&client, &source, &bytes).await.unwrap();
    source_proxy.inject(Fault::on("/blobs/").method("GET").times(2).truncate_after(500_000));
    target_proxy.inject(Fault::on("/uploads/").method("PUT").times(1).status(500));
    client.copy_blob(&source, &target, &pushed, Progress::none()).await.unwrap();
    assert_eq!(pull_blob(&client, &target, &pushed).await.unwrap(), bytes);
}

#[tokio::test]
async fn content_that_is_not_what_its_digest_says_is_refused() {
    require_tool!("docker-registry");
    let (registry, elsewhere) = (Registry::new(), Registry::new());
    let proxy = FaultyProxy::in_front_of(&registry);
    let (client, repository) = (client(), repository(&proxy.host(), "team/image"));
    let pushed = push_blob(&client, &repository, &content(100_000)).await.unwrap();
    let image = push_image(&client, &repository, "1.0", "amd64").await.unwrap();

    proxy.inject(Fault::on("/blobs/").method("GET").corrupt(99_999));
    let error = pull_blob(&client, &repository, &pushed).await.unwrap_err();
    assert_eq!(error.kind(), RegistryErrorKind::DigestMismatch, "{error}");
    let target = registry_support::repository(&elsewhere.host(), "team/image");
    let error = client.copy_blob(&repository, &target, &pushed, Progress::none()).await.unwrap_err();
    assert_eq!(error.kind(), RegistryErrorKind::DigestMismatch, "{error}");
    assert_eq!(client.head_blob(&target, &pushed.digest).await.unwrap(), None);

    proxy.inject(Fault::on("/manifests/").method("GET").corrupt(10));
    let error = client.get_manifest(&repository, &image.digest.into()).await.unwrap_err();
    assert_eq!(error.kind(), RegistryErrorKind::DigestMismatch, "{error}");
}

#[tokio::test]
async fn more_bytes_than_announced_are_not_read() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let proxy = FaultyProxy::in_front_of(&registry);
    let (client, repository) = (client(), repository(&proxy.host(), "team/image"));
    let pushed = push_blob(&client, &repository, &content(1000)).await.unwrap();
    proxy.inject(Fault::on("/blobs/").method("GET").replace_body(content(5_000_000)));
    let error = pull_blob(&client, &repository, &pushed).await.unwrap_err();
    assert_eq!(error.kind(), RegistryErrorKind::TooLarge, "{error}");

    proxy.inject(Fault::on("/manifests/").method("GET").replace_body(content(5_000_000)));
    push_image(&client, &repository, "1.0", "amd64").await.unwrap();
    let error = client.get_manifest(&repository, &TagOrDigest::tag("1.0")).await.unwrap_err();
    assert_eq!(error.kind(), RegistryErrorKind::TooLarge, "{error}");
}

#[tokio::test]
async fn silence_is_a_timeout() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let proxy = FaultyProxy::in_front_of(&registry);
    let repository = repository(&proxy.host(), "team/image");
    let pushed = push_blob(&client(), &repository, &content(100_000)).await.unwrap();
    let brief = Duration::from_millis(200);
    let impatient = RegistryClient::new(RegistryClientConfig {
        timeouts: Timeouts { connect: brief, read: brief, commit: brief },
        ..config(CredentialSource::Anonymous)
    })
    .unwrap();

    proxy.inject(Fault::on("/manifests/").hang());
    let error = impatient.get_manifest(&repository, &TagOrDigest::tag("1.0")).await.unwrap_err();
    assert_eq!(error.kind(), RegistryErrorKind::Timeout, "{error}");
    proxy.inject(Fault::on("/uploads/").hang());
    let error = push_blob(&impatient, &repository, &content(10)).await.unwrap_err();
    assert_eq!(error.kind(), RegistryErrorKind::Timeout, "{error}");
    // A download that stalls is taken up again.
    proxy.inject(Fault::on("/blobs/").method("GET").times(1).stall_after(50_000));
    assert_eq!(pull_blob(&impatient, &repository, &pushed).await.unwrap(), content(100_000));
}
