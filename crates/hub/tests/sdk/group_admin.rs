//! What a group admin does with the group and its images.

use imagewright_hub::access::Actor;
use imagewright_testkit::require_tool;
use serde_json::{Value, json};

use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_admin_makes_and_deletes_images_of_the_group() {
    require_tool!("uv");
    let server = Server::new().await;
    let sdk = server.client_in("ann", "data").await;
    let image = json!({ "name": "base", "displayName": "Base image", "description": "notebooks", "type": "both",
        "url": "registry.example/base:1", "urlForGpu": "registry.example/base:1-gpu" });
    sdk.run_on(&["images", "create"], &image).text();
    let made = server.test.hub.image(&Actor::Machine, "base").await.unwrap();
    assert_eq!(made.group.unwrap().id, server.test.data);
    assert_eq!(made.image.url_for_gpu.unwrap().to_string(), "registry.example/base:1-gpu");
    let got = sdk.run(&["--json", "images", "get", "base"]).json();
    assert_eq!((&got["displayName"], &got["description"]), (&json!("Base image"), &json!("notebooks")));
    let again = sdk.run_on(&["--json", "images", "create"], &image);
    assert!(!again.success && again.stderr.contains("RESOURCE_CONFLICT"), "{again:?}");

    // The client sends the name of one group and the id of the other.
    let confused = json!({ "name": "confused", "url": "registry.example/x:1" }).to_string();
    for group in ["other", "none"] {
        let variables = [("PRIMEHUB_GROUP", group)];
        let refused = sdk.run_with(&variables, &["--json", "images", "create"], Some(&confused));
        assert!(!refused.success && refused.stderr.contains("NOT_AUTH"), "{refused:?}");
    }

    let deleted = sdk.run(&["--json", "images", "delete", "base"]).json();
    assert_eq!(deleted, json!({ "id": "base" }));
    assert_eq!(sdk.run(&["--json", "images", "list"]).text(), "");
    let missing = sdk.run(&["images", "delete", "base"]);
    assert!(!missing.success, "{missing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_admin_puts_people_into_the_group() {
    require_tool!("uv");
    let server = Server::new().await;
    let sdk = server.client_in("ann", "data").await;
    let group = server.test.data.as_str();
    let (nora, max) = (server.user("nora").await, server.user("max").await);
    let users = || -> Vec<(String, bool)> {
        let users = sdk.run(&["--json", "groups", "list-users", group]).json();
        let users = users.as_array().cloned().unwrap();
        let pair =
            |user: &Value| (user["username"].as_str().unwrap().to_owned(), user["group_admin"] == true);
        users.iter().map(pair).collect()
    };
    let row = |name: &str, is_admin: bool| (name.to_owned(), is_admin);
    sdk.run(&["groups", "add-user", group, nora.as_str()]).text();
    assert_eq!(users(), [row("ann", true), row("max", false), row("nora", false)]);
    sdk.run(&["groups", "add-user", group, max.as_str(), "--is_admin"]).text();
    assert_eq!(users(), [row("ann", true), row("max", true), row("nora", false)]);
    sdk.run(&["groups", "remove-user", group, nora.as_str()]).text();
    sdk.run(&["groups", "remove-user", group, max.as_str()]).text();
    assert_eq!(users(), [row("ann", true)]);
    let other = server.test.other.as_str();
    let missing = sdk.run(&["groups", "add-user", other, nora.as_str()]);
    assert!(!missing.success && missing.stderr.contains("Cannot find resource type"), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_admin_sees_the_secrets_that_may_be_used() {
    require_tool!("uv");
    let server = Server::new().await;
    let root = server.client_of("root").await;
    let pull = json!({ "name": "r", "type": "kubernetes", "registryHost": "registry.example", "username": "u",
        "password": "p" });
    root.run_on(&["admin", "secrets", "create"], &pull).text();
    root.run_on(&["admin", "secrets", "create"], &json!({ "name": "g", "type": "opaque", "secret": "s" }))
        .text();
    let sdk = server.client_in("ann", "data").await;
    let offered = json!({ "id": "image-r", "name": "r", "type": "kubernetes" });
    assert_eq!(sdk.run(&["--json", "secrets", "list"]).json(), json!([offered]));
    assert_eq!(sdk.run(&["--json", "secrets", "get", "image-r"]).json(), offered);
    assert!(!sdk.run(&["secrets", "get", "gitsync-secret-g"]).success);
}
