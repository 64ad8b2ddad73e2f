use reqwest::StatusCode;

use super::{Grant, Registry, TokenAuth};
use crate::client::{http, on_runtime};
use crate::{ImageBuilder, LayerBuilder, PushedImage, require_tool};

fn image(content: &str) -> ImageBuilder {
    ImageBuilder::new().layer(LayerBuilder::new().file("content", content).build())
}

/// The status of a plain GET, without or with a user and password.
async fn status(url: String, credentials: Option<(&'static str, &'static str)>) -> StatusCode {
    on_runtime(async move {
        let request = http(None).get(url);
        let request = match credentials {
            Some((user, password)) => request.basic_auth(user, Some(password)),
            None => request,
        };
        request.send().await.expect("an answer").status()
    })
    .await
}

#[tokio::test]
async fn starts_and_answers_until_it_is_dropped() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let url = format!("http://{}/v2/", registry.host());
    assert_eq!(status(url.clone(), None).await, StatusCode::OK);

    drop(registry);

    let error = on_runtime(async move { http(None).get(url).send().await }).await;
    assert!(error.expect_err("a registry that is gone").is_connect());
}

#[tokio::test]
async fn asks_for_a_password() {
    require_tool!("docker-registry");
    let registry = Registry::builder().basic_auth("alice", "secret").start();
    let url = format!("http://{}/v2/", registry.host());

    assert_eq!(status(url.clone(), None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(url.clone(), Some(("alice", "wrong"))).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(url, Some(("alice", "secret"))).await, StatusCode::OK);
    image("a").push(&registry, "team/a:1").await;
    let auth = std::fs::read_to_string(registry.auth_file()).expect("the file with credentials");
    assert!(auth.contains(&registry.host()), "{auth}");
}

/// Asks the token server for a scope and the registry for a manifest with the token that came.
async fn read_with_token(registry: &Registry, user: (&'static str, &'static str), scope: &str) -> StatusCode {
    let manifest = format!("http://{}/v2/private/a/manifests/1", registry.host());
    let scope = scope.to_owned();
    on_runtime(async move {
        let refused = http(None).get(&manifest).send().await.expect("an answer");
        let challenge = refused.headers()["www-authenticate"].to_str().expect("a challenge").to_owned();
        let realm = challenge.split('"').nth(1).expect("the address of the token server");
        let request = http(None).get(format!("{realm}?service=test-registry&scope={scope}"));
        let answer = request.basic_auth(user.0, Some(user.1)).send().await.expect("an answer");
        if answer.status() != StatusCode::OK {
            return answer.status();
        }
        let answer: serde_json::Value = answer.json().await.expect("a token in JSON");
        let request = http(None).get(manifest).bearer_auth(answer["token"].as_str().expect("a token"));
        request
            .header("accept", "application/vnd.oci.image.manifest.v1+json")
            .send()
            .await
            .expect("an answer")
            .status()
    })
    .await
}

#[tokio::test]
async fn a_token_opens_what_its_scope_names() {
    require_tool!("docker-registry");
    let auth = TokenAuth::single("owner", "o").user("reader", "r", [Grant::pull_only().on("private/")]).user(
        "stranger",
        "s",
        [Grant::all().on("elsewhere/")],
    );
    let registry = Registry::builder().token_auth(auth).start();
    image("a").push(&registry, "private/a:1").await;
    let scope = "repository:private/a:pull";

    assert_eq!(read_with_token(&registry, ("reader", "r"), scope).await, StatusCode::OK);
    assert_eq!(read_with_token(&registry, ("stranger", "s"), scope).await, StatusCode::UNAUTHORIZED);
    assert_eq!(read_with_token(&registry, ("reader", "wrong"), scope).await, StatusCode::UNAUTHORIZED);
    let wrong = "repository:private/b:pull";
    assert_eq!(read_with_token(&registry, ("owner", "o"), wrong).await, StatusCode::UNAUTHORIZED);

    read_with_token(&registry, ("reader", "r"), "repository:private/a:pull,push").await;
    let last = registry.token_requests().pop().expect("a recorded request");
    assert_eq!(last.user.as_deref(), Some("reader"));
    assert_eq!(last.scopes, ["repository:private/a:pull,push"]);
    assert_eq!(last.granted, ["repository:private/a:pull"]);
}

#[tokio::test]
async fn speaks_tls_with_a_certificate_of_its_own_authority() {
    require_tool!("docker-registry");
    let registry = Registry::builder().tls().start();
    image("a").push(&registry, "team/a:1").await;

    assert!(registry.manifest("team/a", "1").await.is_some());
    assert!(registry.ca_file().is_some_and(|file| file.is_file()));
    let url = format!("https://{}/v2/", registry.host());
    let error = on_runtime(async move { http(None).get(url).send().await }).await;
    error.expect_err("an authority that nobody trusts");
}

#[tokio::test]
async fn collected_garbage_is_gone_while_tagged_images_stay() {
    require_tool!("docker-registry");
    let registry = Registry::builder().without_descriptor_cache().start();
    let [old, new]: [PushedImage; 2] =
        [image("old").push(&registry, "team/a:1").await, image("new").push(&registry, "team/a:1").await];

    registry.garbage_collect_untagged();

    assert!(!registry.stores_blob(&old.layers[0].digest));
    assert!(registry.stores_blob(&new.layers[0].digest));
    assert_eq!(registry.manifest("team/a", &old.digest).await, None);
    assert!(registry.blob("team/a", &new.layers[0].digest).await.is_some());
}
