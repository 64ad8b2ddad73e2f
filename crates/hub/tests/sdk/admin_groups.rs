//! `primehub admin groups`, and what of `primehub groups` needs an admin.

use imagewright_testkit::require_tool;
use serde_json::{Value, json};

use crate::each;
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_are_made_changed_and_deleted() {
    require_tool!("uv");
    let server = Server::new().await;
    let sdk = server.client_of("root").await;
    let (ann, max) = (server.user("ann").await, server.user("max").await);
    let group = json!({ "name": "New_1", "displayName": "New group", "quotaMemory": null, "enabledDeployment": true,
        "maxDeploy": 3, "enabledSharedVolume": true, "sharedVolumeCapacity": 5, "launchGroupOnly": true,
        "users": { "connect": [{ "id": ann.as_str() }, { "id": max.as_str() }] } });
    let made = sdk.run_on(&["--json", "admin", "groups", "create"], &group).json();
    assert_eq!(
        (&made["quotaCpu"], &made["quotaGpu"], &made["quotaMemory"]),
        (&json!(0.5), &json!(0), &Value::Null)
    );
    assert_eq!(made["sharedVolumeCapacity"], 5);
    let id = made["id"].as_str().unwrap();
    let taken = sdk.run_on(&["--json", "admin", "groups", "create"], &json!({ "name": "new-1" }));
    assert!(!taken.success && taken.stderr.contains("RESOURCE_CONFLICT"), "{taken:?}");

    let listed = sdk.run(&["--json", "admin", "groups", "list"]).json();
    assert_eq!(each(&listed, "name"), ["New_1", "data", "everyone", "other"]);
    let page = sdk.run(&["--json", "admin", "groups", "list", "--page", "1"]).json();
    assert_eq!(page, listed);
    assert_eq!(sdk.run(&["--json", "admin", "groups", "list", "--page", "2"]).text(), "");

    let change = json!({ "displayName": "Newer", "quotaGpu": 2, "admins": [ann.as_str()] });
    let changed = sdk.run_on(&["--json", "admin", "groups", "update", id], &change).json();
    assert_eq!((&changed["displayName"], &changed["quotaGpu"]), (&json!("Newer"), &json!(2)));
    assert_eq!(changed["admins"], json!([{ "id": ann.as_str(), "username": "ann" }]));
    let got = sdk.run(&["--json", "admin", "groups", "get", id]).json();
    assert_eq!(got["admins"], changed["admins"]);
    assert_eq!((&got["maxDeploy"], &got["enabledDeployment"]), (&json!(3), &json!(true)));
    assert_eq!(
        (&got["volumes"], &got["instanceTypes"], &got["images"]),
        (&json!([]), &json!([]), &json!([]))
    );
    assert_eq!(got["resourceStatus"], json!({ "cpuUsage": null, "memUsage": null, "gpuUsage": null }));
    assert!(!sdk.run(&["admin", "groups", "get", "none"]).success);

    let deleted = sdk.run(&["--json", "admin", "groups", "delete", id]).json();
    assert_eq!(deleted, json!({ "id": id }));
    assert_eq!(
        each(&sdk.run(&["--json", "admin", "groups", "list"]).json(), "name"),
        ["data", "everyone", "other"]
    );
    server.test.add_image("own", Some(&server.test.data), false).await;
    let used = sdk.run(&["--json", "admin", "groups", "delete", server.test.data.as_str()]);
    assert!(!used.success && used.stderr.contains("own"), "{used:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_come_into_groups_and_go() {
    require_tool!("uv");
    let server = Server::new().await;
    let sdk = server.client_of("root").await;
    let group = server.test.data.as_str();
    let nora = server.user("nora").await;
    let run = |arguments: &[&str]| {
        let command = [&["--json", "admin", "groups"], arguments].concat();
        sdk.run(&command).json()
    };
    let users = || -> Vec<(String, bool)> {
        let users = run(&["list-users", group]);
        let users = users.as_array().cloned().unwrap();
        let pair =
            |user: &Value| (user["username"].as_str().unwrap().to_owned(), user["group_admin"] == true);
        users.iter().map(pair).collect()
    };
    let row = |name: &str, is_admin: bool| (name.to_owned(), is_admin);
    assert_eq!(run(&["connect-user", group, nora.as_str()]), json!({ "id": group }));
    assert_eq!(users(), [row("ann", true), row("max", false), row("nora", false)]);
    run(&["connect-user", group, nora.as_str(), "--enable_group_admin"]);
    assert_eq!(users(), [row("ann", true), row("max", false), row("nora", true)]);
    run(&["disconnect-user", group, nora.as_str(), "--disable_group_admin"]);
    assert_eq!(users(), [row("ann", true), row("max", false), row("nora", false)]);
    run(&["disconnect-user", group, nora.as_str()]);
    assert_eq!(users(), [row("ann", true), row("max", false)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_come_into_groups_and_go() {
    require_tool!("uv");
    let server = Server::new().await;
    let sdk = server.client_of("root").await;
    let group = server.test.data.as_str();
    server.test.add_image("base", None, true).await;
    let connected = sdk.run(&["--json", "admin", "groups", "connect-image", group, "base"]).json();
    assert_eq!(connected["groups"], json!([{ "id": group, "name": "data", "displayName": "data" }]));
    assert_eq!((&connected["global"], &connected["groupName"]), (&json!(true), &Value::Null));
    let image = json!({ "name": "second", "url": "registry.example/second:1" });
    sdk.run_on(&["admin", "groups", "create-image", group], &image).text();
    let images = sdk.run(&["--json", "admin", "groups", "list-images", group]).json();
    assert_eq!(each(&images, "id"), ["base", "second"]);
    let gone = sdk.run(&["--json", "admin", "groups", "disconnect-image", group, "second"]).json();
    assert_eq!(gone["groups"], json!([]));
    let images = sdk.run(&["--json", "admin", "groups", "list-images", group]).json();
    assert_eq!(each(&images, "id"), ["base"]);
    assert_eq!(sdk.run(&["--json", "admin", "groups", "list-volumes", group]).text(), "");
    assert_eq!(sdk.run(&["--json", "admin", "groups", "list-instancetypes", group]).text(), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_mlflow_is_is_kept() {
    require_tool!("uv");
    let server = Server::new().await;
    let sdk = server.client_of("root").await;
    let group = server.test.data.as_str();
    let given = json!({ "tracking_uri": "http://mlflow:5000", "ui_uri": "https://mlflow.example",
        "tracking_envs": [{ "name": "a", "value": "b" }], "artifact_envs": [] });
    sdk.run_on(&["groups", "set-mlflow", group], &given).text();
    let kept = sdk.run(&["--json", "groups", "get-mlflow", group]).json();
    assert_eq!(
        kept,
        json!({ "trackingUri": "http://mlflow:5000", "uiUrl": "https://mlflow.example",
        "trackingEnvs": [{ "name": "a", "value": "b" }], "artifactEnvs": [] })
    );
    sdk.run(&["groups", "unset-mlflow", group]).text();
    assert_eq!(sdk.run(&["--json", "groups", "get-mlflow", group]).text(), "");
}
