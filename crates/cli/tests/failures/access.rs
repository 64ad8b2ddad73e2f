//! Registries that want to know who comes: passwords, tokens, certificates, rights.

use imagewright_testkit::{Grant, Registry, TokenAuth, require_tool};

use crate::support::{Workshop, assert_failure, digest_of, index, push_base};

#[tokio::test]
async fn the_right_password_opens_and_a_wrong_one_is_told() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::builder().basic_auth("ada", "engine").start();
    let base = push_base(&registry).await.reference;
    let (workshop, index) = (Workshop::new(), index());
    let to = format!("{}/team/image:1", registry.host());
    let build = || workshop.build(&base, &index, &["gamma"], &to);

    let right = build().options([std::path::Path::new("--authfile"), &registry.auth_file()]).run();
    assert_eq!(digest_of(&registry, "team/image", "1").await, Some(right.digest()));

    let wrong = registry.auth_file_for("ada", "analytical");
    let wrong = build().options([std::path::Path::new("--authfile"), &wrong]).run();
    assert!(!format!("{wrong:?}").contains("analytical"), "the password is shown");
    assert_failure!(wrong, @r"
    exit 5, unauthorized
    message: could not read the manifest “1” in HOST/base: HOST does not accept user “ada” from REGISTRY/auth-ada.json; check them, or sign in again with “podman login HOST”
    next step: sign in with `docker login` or `podman login`, or pass --authfile
    ");

    assert_failure!(build().run(), @r"
    exit 5, unauthorized
    message: could not read the manifest “1” in HOST/base: HOST does not accept requests without credentials; sign in with “podman login HOST”, or give --authfile
    next step: sign in with `docker login` or `podman login`, or pass --authfile
    ");
}

#[tokio::test]
async fn a_token_names_every_repository_that_a_mount_touches() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::builder().token_auth(TokenAuth::single("ada", "engine")).start();
    let base = push_base(&registry).await;
    let (workshop, index) = (Workshop::new(), index());
    let to = format!("{}/team/image:1", registry.host());
    let layers = format!("{}/layers", registry.host());

    let build = workshop.build(&base.reference, &index, &["gamma"], &to).options(["--layer-repo", &layers]);
    let outcome = build.options([std::path::Path::new("--authfile"), &registry.auth_file()]).run();

    assert_eq!(digest_of(&registry, "team/image", "1").await, Some(outcome.digest()));
    // The base's layer was mounted: nothing of it was sent, and the token named both repositories.
    let transfer = &outcome.result()["transfer"];
    assert!(transfer["uploaded_bytes"].as_u64().unwrap() < base.layers[0].size, "{transfer}");
    let requests = registry.token_requests();
    let names_both = |scopes: &[String]| {
        scopes.contains(&"repository:base:pull".to_owned())
            && scopes
                .iter()
                .any(|scope| scope.starts_with("repository:team/image:") && scope.contains("push"))
    };
    assert!(requests.iter().any(|request| names_both(&request.granted)), "{requests:#?}");
    // Nobody asks for more than is needed.
    let pushes_to_base = |scope: &String| scope.starts_with("repository:base:") && scope.contains("push");
    assert!(!requests.iter().any(|request| request.scopes.iter().any(pushes_to_base)), "{requests:#?}");
}

#[tokio::test]
async fn a_layer_repository_that_refuses_is_done_without() {
    require_tool!("docker-registry", "uv");
    let grants = [Grant::all().on("team/"), Grant::pull_only()];
    let registry = Registry::builder().token_auth(TokenAuth::default().user("ada", "engine", grants)).start();
    let base = push_base(&registry).await.reference;
    let (workshop, index) = (Workshop::new(), index());
    let to = format!("{}/team/image:1", registry.host());
    let layers = format!("{}/layers", registry.host());

    let build = workshop.build(&base, &index, &["alpha", "gamma"], &to).options(["--layer-repo", &layers]);
    let credentials = registry.auth_file();
    let build = build.options([std::path::Path::new("--layer-authfile"), &credentials]);
    let outcome = build.options([std::path::Path::new("--authfile"), &credentials]).run();

    assert_eq!(digest_of(&registry, "team/image", "1").await, Some(outcome.digest()));
    let warnings = outcome.warnings();
    let about_layers: Vec<_> = warnings.iter().filter(|warning| warning.contains("/layers")).collect();
    assert_eq!(about_layers.len(), 1, "{warnings:?}");
    assert!(about_layers[0].starts_with("layers cannot be kept in "), "{warnings:?}");
}

#[tokio::test]
async fn a_target_that_refuses_keeps_its_tag() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::builder()
        .token_auth(TokenAuth::default().user("ada", "engine", [Grant::pull_only()]))
        .start();
    let base = push_base(&registry).await.reference;
    let (workshop, index) = (Workshop::new(), index());
    // What has the tag now: the base itself.
    let to = format!("{}/base:1", registry.host());
    let before = digest_of(&registry, "base", "1").await;

    let build = workshop.build(&base, &index, &["gamma"], &to);
    let outcome = build.options([std::path::Path::new("--authfile"), &registry.auth_file()]).run();

    assert_failure!(outcome, @r"
    exit 5, unauthorized
    message: could not write the blob sha256:HEX in HOST/base: HOST does not accept user “ada” from REGISTRY/auth-ada.json; check them, or sign in again with “podman login HOST”
    next step: sign in with `docker login` or `podman login`, or pass --authfile
    ");
    assert_eq!(digest_of(&registry, "base", "1").await, before);
}

#[tokio::test]
async fn a_private_certificate_needs_its_authority() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::builder().tls().start();
    let base = push_base(&registry).await.reference;
    let (workshop, index) = (Workshop::new(), index());
    let to = format!("{}/team/image:1", registry.host());

    let trusting = workshop.build(&base, &index, &["gamma"], &to);
    let authority = registry.ca_file().unwrap();
    let outcome = trusting.options([std::path::Path::new("--ca-bundle"), &authority]).run();
    assert_eq!(digest_of(&registry, "team/image", "1").await, Some(outcome.digest()));

    assert_failure!(workshop.build(&base, &index, &["gamma"], &to).run(), @r"
    exit 6, unreachable
    message: could not read the manifest “1” in HOST/base: its TLS certificate is not trusted (UnknownIssuer); give the registry's CA with --ca-bundle
    next step: check the address, the network and the proxy, and whether the registry works; for one without TLS pass --insecure-registry, for a private certificate --ca-bundle
    ");
}

#[tokio::test]
async fn certificates_and_credentials_that_cannot_be_read_are_told() {
    require_tool!("docker-registry");
    let registry = Registry::builder().basic_auth("ada", "engine").start();
    let base = push_base(&registry).await.reference;
    let (workshop, index) = (Workshop::new(), index());
    let to = format!("{}/team/image:1", registry.host());
    let build = || workshop.build(&base, &index, &["gamma"], &to);

    assert_failure!(build().options(["--ca-bundle", "missing.pem"]).run(), @r"
    exit 2, spec_invalid
    message: the CA bundle missing.pem cannot be used: No such file or directory (os error 2); give a PEM file with certificates
    next step: run the command again with IMAGEWRIGHT_LOG=debug, and report what it says
    ");
    assert_failure!(build().options(["--authfile", "missing.json"]).run(), @r"
    exit 2, spec_invalid
    message: the credentials file missing.json cannot be read: No such file or directory (os error 2)
    next step: pass a file that `podman login --authfile FILE` has written
    ");
    std::fs::write(workshop.root().join("work/broken.json"), "{\"auths\": [").unwrap();
    assert_failure!(build().options(["--authfile", "broken.json"]).run(), @r"
    exit 2, spec_invalid
    message: could not read the manifest “1” in HOST/base: the credentials file broken.json is malformed at line 1, column 10: sign in again with “podman login” or “docker login”
    next step: run the command again with IMAGEWRIGHT_LOG=debug, and report what it says
    ");
}
