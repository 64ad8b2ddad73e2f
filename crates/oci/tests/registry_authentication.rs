//! Signing in to real registries.

mod registry_support;

use imagewright_oci::credential::CredentialSource;
use imagewright_oci::registry::{
    Mounted, Registry as _, RegistryClient, RegistryClientConfig, RegistryErrorKind, TagOrDigest,
};
use imagewright_testkit::{FaultyProxy, Grant, Registry, TokenAuth, require_tool};
use registry_support::*;

fn signed_in(path: std::path::PathBuf) -> RegistryClient {
    RegistryClient::new(config(CredentialSource::AuthFile(path))).expect("a client")
}

#[tokio::test]
async fn user_and_password_open_a_registry() {
    require_tool!("docker-registry");
    let registry = Registry::builder().basic_auth("ada", "correct horse").start();
    let repository = repository(&registry.host(), "team/image");
    let allowed = signed_in(registry.auth_file());
    let pushed = push_image(&allowed, &repository, "1.0", "amd64").await.unwrap();
    let image = allowed.resolve(&repository, &TagOrDigest::tag("1.0"), &amd64()).await.unwrap();
    assert_eq!(image.digest(), pushed.digest);
}

#[tokio::test]
async fn wrong_and_missing_passwords_are_told_apart_and_never_shown() {
    require_tool!("docker-registry");
    for registry in [
        Registry::builder().basic_auth("ada", "correct horse").start(),
        Registry::builder().token_auth(TokenAuth::single("ada", "correct horse")).start(),
    ] {
        let proxy = FaultyProxy::in_front_of(&registry);
        let repository = repository(&proxy.host(), "team/image");
        let wrong = signed_in(registry.auth_file_for("ada", "hunter2"));
        let tag = TagOrDigest::tag("1.0");
        for error in [
            wrong.get_manifest(&repository, &tag).await.unwrap_err(),
            push_blob(&wrong, &repository, &content(10)).await.unwrap_err(),
            client().get_manifest(&repository, &tag).await.unwrap_err(),
            push_blob(&client(), &repository, &content(10)).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), RegistryErrorKind::Unauthorized, "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
        proxy.forget_requests();
        let error = wrong.get_manifest(&repository, &tag).await.unwrap_err().to_string();
        assert!(error.contains("ada") && error.contains("podman login"), "{error}");
        // Accounts are locked for less than a wrong password that is tried again and again.
        let shown = proxy.requests().iter().filter(|request| request.authorized).count();
        assert!(shown <= 1, "{:?}", proxy.requests());
    }
}

#[tokio::test]
async fn a_mount_asks_for_both_repositories() {
    require_tool!("docker-registry");
    let registry = Registry::builder().token_auth(TokenAuth::single("ada", "secret")).start();
    let (source, target) =
        (repository(&registry.host(), "team/base"), repository(&registry.host(), "other/image"));
    let client = signed_in(registry.auth_file());
    let pushed = push_blob(&client, &source, &content(1000)).await.unwrap();
    assert_eq!(client.mount_blob(&target, &source, &pushed.digest).await.unwrap(), Mounted::Yes);
    let requests = registry.token_requests();
    let scopes = ["repository:other/image:pull,push".to_owned(), "repository:team/base:pull".to_owned()];
    assert_eq!(requests.last().unwrap().scopes, scopes);
    // Many requests with one scope take one token.
    let before = registry.token_requests().len();
    for _ in 0..5 {
        client.head_blob(&target, &pushed.digest).await.unwrap();
    }
    assert_eq!(registry.token_requests().len(), before + 1);
}

#[tokio::test]
async fn a_mount_from_a_repository_that_may_not_be_read_is_declined() {
    require_tool!("docker-registry");
    let auth = TokenAuth::single("admin", "secret").user("ada", "secret", [Grant::all().on("ada/")]);
    let registry = Registry::builder().token_auth(auth).start();
    let (source, target) =
        (repository(&registry.host(), "team/base"), repository(&registry.host(), "ada/image"));
    let pushed = push_blob(&signed_in(registry.auth_file()), &source, &content(1000)).await.unwrap();
    let ada = signed_in(registry.auth_file_for("ada", "secret"));
    assert_eq!(ada.mount_blob(&target, &source, &pushed.digest).await.unwrap(), Mounted::No);
}

#[tokio::test]
async fn everyone_may_pull_with_an_anonymous_token_and_not_push() {
    require_tool!("docker-registry");
    let auth = TokenAuth::single("ada", "secret").anonymous([Grant::pull_only()]);
    let registry = Registry::builder().token_auth(auth).start();
    let repository = repository(&registry.host(), "team/image");
    push_image(&signed_in(registry.auth_file()), &repository, "1.0", "amd64").await.unwrap();
    client().resolve(&repository, &TagOrDigest::tag("1.0"), &amd64()).await.unwrap();
    let error = push_image(&client(), &repository, "1.1", "amd64").await.unwrap_err();
    let refused = [RegistryErrorKind::Unauthorized, RegistryErrorKind::Forbidden];
    assert!(refused.contains(&error.kind()), "{error}");
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_given() {
    require_tool!("docker-registry");
    let registry = Registry::builder().tls().start();
    let repository = repository(&registry.host(), "team/image");
    let trusting = RegistryClientConfig {
        ca_bundles: vec![registry.ca_file().unwrap()],
        ..config(CredentialSource::Anonymous)
    };
    push_image(&RegistryClient::new(trusting).unwrap(), &repository, "1.0", "amd64").await.unwrap();

    let error = client().get_manifest(&repository, &TagOrDigest::tag("1.0")).await.unwrap_err();
    assert_eq!(error.kind(), RegistryErrorKind::Unreachable);
    assert!(error.to_string().contains("--ca-bundle"), "{error}");
}
