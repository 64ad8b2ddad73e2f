//! `primehub admin users`.

use imagewright_testkit::require_tool;
use secrecy::SecretString;
use serde_json::json;

use crate::each;
use crate::server::Server;
use crate::support::PASSWORD;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_are_made_changed_and_deleted() {
    require_tool!("uv");
    let server = Server::new().await;
    let sdk = server.client_of("root").await;
    let group = server.test.data.as_str();
    let user = json!({ "username": "user1", "email": "user1@example.org", "firstName": "U", "volumeCapacity": 2,
        "groups": { "connect": [{ "id": group }] } });
    let made = sdk.run_on(&["--json", "admin", "users", "create"], &user).json();
    assert_eq!(made["username"], "user1");
    let id = made["id"].as_str().unwrap();
    let again = sdk.run_on(&["--json", "admin", "users", "create"], &json!({ "username": "user1" }));
    assert!(!again.success && again.stderr.contains("CONFLICT"), "{again:?}");

    let got = sdk.run(&["--json", "admin", "users", "get", id]).json();
    assert_eq!(
        got,
        json!({ "id": id, "username": "user1", "email": "user1@example.org", "firstName": "U",
        "lastName": "", "enabled": true, "isAdmin": false, "volumeCapacity": 2,
        "groups": [{ "id": group, "name": "data", "displayName": "data", "quotaCpu": null, "quotaGpu": null }] })
    );
    assert!(!sdk.run(&["admin", "users", "get", "none"]).success);
    let changed =
        sdk.run_on(&["--json", "admin", "users", "update", id], &json!({ "lastName": "L", "isAdmin": true }));
    assert_eq!(changed.json(), json!({ "id": id, "username": "user1" }));
    let got = sdk.run(&["--json", "admin", "users", "get", id]).json();
    assert_eq!((&got["lastName"], &got["isAdmin"]), (&json!("L"), &json!(true)));

    let other = server.test.other.as_str();
    sdk.run(&["admin", "users", "add-group", id, other]).text();
    let groups = sdk.run(&["--json", "admin", "users", "list-groups", id]).json();
    assert_eq!(each(&groups, "name"), ["data", "other"]);
    sdk.run(&["admin", "users", "remove-group", id, other]).text();
    let groups = sdk.run(&["--json", "admin", "users", "list-groups", id]).json();
    assert_eq!(each(&groups, "name"), ["data"]);
    let no_group = sdk.run(&["admin", "users", "add-group", id, "none"]);
    assert!(!no_group.success && no_group.stderr.contains("Group not found"), "{no_group:?}");

    let reset = sdk.run(&["--json", "admin", "users", "reset-password", id, PASSWORD]).json();
    assert_eq!(reset, json!({ "id": id }));
    server.test.hub.sign_in("user1", &SecretString::from(PASSWORD.to_owned()), None).await.unwrap();
    sdk.run(&["admin", "users", "reset-password", id, PASSWORD, "--temporary"]).text();

    assert_eq!(sdk.run(&["--json", "admin", "users", "delete", id]).json()["id"], id);
    assert_eq!(each(&sdk.run(&["--json", "admin", "users", "list"]).json(), "username").len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_users_end() {
    require_tool!("uv");
    let server = Server::new().await;
    let sdk = server.client_of("root").await;
    for number in 0..6 {
        sdk.run_on(&["admin", "users", "create"], &json!({ "username": format!("zz{number}") })).text();
    }
    let all = sdk.run(&["--json", "admin", "users", "list"]).json();
    assert_eq!(each(&all, "username").len(), 12);
    assert_eq!((&all[0]["username"], &all[0]["enabled"]), (&json!("ann"), &json!(true)));
    let second = sdk.run(&["--json", "admin", "users", "list", "--page", "2"]).json();
    assert_eq!(each(&second, "username"), ["zz4", "zz5"]);
    assert_eq!(sdk.run(&["--json", "admin", "users", "list", "--page", "3"]).text(), "");
}
