//! `primehub config`.

use imagewright_testkit::require_tool;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endpoint_token_and_group_are_set_and_a_group_of_others_is_not() {
    require_tool!("uv");
    let server = Server::new().await;
    let sdk = server.client_of("ann").await;
    let (endpoint, token) = (server.url("/api/graphql"), server.token("ann").await);
    sdk.configure(&json!({}));
    sdk.run(&["config", "set-endpoint", &endpoint]).text();
    sdk.run(&["config", "set-token", &token]).text();
    sdk.run(&["config", "set-group", "data"]).text();
    let group = json!({ "id": server.test.data.as_str(), "name": "data", "displayName": "data" });
    let expected = json!({ "endpoint": endpoint, "api-token": token, "group": group });
    assert_eq!(sdk.configuration(), expected);
    let refused = sdk.run(&["config", "set-group", "other"]);
    assert!(!refused.success && refused.stderr.contains("No group information for [other]"), "{refused:?}");
    assert_eq!(sdk.configuration(), expected);
    sdk.configure(&json!({ "endpoint": endpoint, "api-token": "wrong" }));
    let refused = sdk.run(&["--json", "groups", "list"]);
    assert!(!refused.success && refused.stderr.contains("UNAUTHENTICATED"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_comes_for_a_code() {
    require_tool!("uv");
    let server = Server::new().await;
    let sdk = server.client_of("max").await;
    sdk.configure(&json!({}));
    let max = server.test.actor("max").await;
    let code = server.test.hub.create_authorization_code(&max).await.unwrap();
    let arguments = ["config", "generate-token", &server.url("")];
    let done = sdk.run_with(&[], &arguments, Some(&format!("{}\n", code.expose_secret())));
    assert!(done.text().contains(&server.url("/oidc/auth-flow/request")), "{done:?}");
    let configuration = sdk.configuration();
    assert_eq!(configuration["endpoint"], server.url("/api/graphql"));
    assert_eq!(configuration["group"]["name"], "data");
    assert_eq!(sdk.run(&["--json", "me"]).json()["username"], "max");
    // The code was good once.
    let again = sdk.run_with(&[], &arguments, Some(&format!("{}\n", code.expose_secret())));
    assert!(again.stderr.contains("Failed to fetch API Token"), "{again:?}");
}
