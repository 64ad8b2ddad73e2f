//! What a member gets and does not get.

use imagewright_testkit::require_tool;
use serde_json::json;

use crate::each;
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_sees_what_the_groups_give() {
    require_tool!("uv");
    let server = Server::new().await;
    server.test.add_image("own", Some(&server.test.data), false).await;
    server.test.add_image("shared", None, true).await;
    server.test.add_image("theirs", Some(&server.test.other), false).await;
    let sdk = server.client_in("max", "data").await;

    let me = sdk.run(&["--json", "me"]).json();
    let max = server.user("max").await;
    assert_eq!(
        me,
        json!({ "id": max.as_str(), "username": "max", "firstName": "", "lastName": "", "email": null,
        "isAdmin": false })
    );
    let groups = sdk.run(&["--json", "groups", "list"]).json();
    assert_eq!(each(&groups, "name"), ["data"]);
    let group = sdk.run(&["--json", "groups", "get", "data"]).json();
    assert_eq!((&group["id"], &group["quotaCpu"]), (&json!(server.test.data.as_str()), &json!(null)));
    let missing = sdk.run(&["groups", "get", "other"]);
    assert!(
        !missing.success && missing.stderr.contains("Cannot find resource type \"group\""),
        "{missing:?}"
    );
    let users = sdk.run(&["--json", "groups", "list-users", server.test.data.as_str()]).json();
    assert_eq!(each(&users, "username"), ["ann", "max"]);
    assert_eq!((&users[0]["group_admin"], &users[1]["group_admin"]), (&json!(true), &json!(false)));

    let images = sdk.run(&["--json", "images", "list"]).json();
    assert_eq!(each(&images, "name"), ["own", "shared"]);
    let table = sdk.run(&["images", "list"]);
    assert!(table.text().contains("displayName"), "{table:?}");
    let image = sdk.run(&["--json", "images", "get", "own"]).json();
    assert_eq!(image["spec"]["url"], "registry.example/own:1");
    assert_eq!((&image["id"], &image["useImagePullSecret"]), (&json!("own"), &json!("")));
    let missing = sdk.run(&["images", "get", "theirs"]);
    assert!(
        !missing.success && missing.stderr.contains("Cannot find resource type \"images\""),
        "{missing:?}"
    );
    let info = sdk.run(&["info"]);
    for words in ["Username: max", "Name: data", "own", "shared"] {
        assert!(info.text().contains(words), "{words} is missing in {info:?}");
    }
    assert_eq!(sdk.run(&["--json", "secrets", "list"]).text(), "");
    assert_eq!(each(&sdk.run(&["--json", "admin", "images", "list"]).json(), "id"), ["shared"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_changes_nothing() {
    require_tool!("uv");
    let server = Server::new().await;
    server.test.add_image("own", Some(&server.test.data), false).await;
    let sdk = server.client_in("max", "data").await;
    let nora = server.user("nora").await;
    let group = server.test.data.as_str();
    let image = json!({ "name": "mine", "url": "registry.example/mine:1" });
    let (user, new_group) = (json!({ "username": "xy" }), json!({ "name": "xy" }));
    for (arguments, input) in [
        (&["--json", "images", "create"][..], Some(&image)),
        (&["--json", "images", "delete", "own"], None),
        (&["--json", "groups", "add-user", group, nora.as_str()], None),
        (&["--json", "groups", "remove-user", group, nora.as_str()], None),
        (&["--json", "admin", "images", "create"], Some(&image)),
        (&["--json", "admin", "images", "delete", "own"], None),
        (&["--json", "admin", "groups", "list"], None),
        (&["--json", "admin", "groups", "create"], Some(&new_group)),
        (&["--json", "admin", "users", "list"], None),
        (&["--json", "admin", "users", "create"], Some(&user)),
        (&["--json", "admin", "secrets", "list"], None),
    ] {
        let refused = match input {
            Some(input) => sdk.run_on(arguments, input),
            None => sdk.run(arguments),
        };
        assert!(!refused.success && refused.stderr.contains("NOT_AUTH"), "{arguments:?}: {refused:?}");
    }
    assert_eq!(each(&sdk.run(&["--json", "images", "list"]).json(), "name"), ["own"]);
}
