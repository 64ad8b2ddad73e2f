//! `primehub admin images`.

use imagewright_hub::access::Actor;
use imagewright_store::BuildId;
use imagewright_testkit::require_tool;
use serde_json::{Value, json};

use crate::each;
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn system_images_are_made_changed_and_deleted() {
    require_tool!("uv");
    let server = Server::new().await;
    let sdk = server.client_of("root").await;
    let image = json!({ "name": "base", "displayName": "Base image", "type": "both", "global": true,
        "url": "registry.example/base:1", "urlForGpu": "registry.example/base:1-gpu" });
    assert_eq!(sdk.run_on(&["--json", "admin", "images", "create"], &image).json(), json!({ "id": "base" }));
    let got = sdk.run(&["--json", "admin", "images", "get", "base"]).json();
    assert_eq!(
        got,
        json!({
            "id": "base", "name": "base", "displayName": "Base image", "description": "", "type": "both",
            "url": "registry.example/base:1", "urlForGpu": "registry.example/base:1-gpu", "useImagePullSecret": "",
            "global": true, "groups": [], "isReady": true, "imageSpec": null, "jobStatus": null,
            "logEndpoint": "/api/logs/images/base/job",
        })
    );
    assert_eq!(sdk.run(&["--json", "admin", "images", "list-groups", "base"]).text(), "");

    let change =
        json!({ "name": "base", "global": false, "description": "new", "url": "registry.example/base:2" });
    let changed = sdk.run_on(&["--json", "admin", "images", "update", "base"], &change).json();
    assert_eq!((&changed["url"], &changed["urlForGpu"]), (&change["url"], &image["urlForGpu"]));
    assert_eq!((&changed["global"], &changed["description"]), (&json!(false), &json!("new")));

    let group = server.test.data.as_str();
    sdk.run(&["admin", "images", "add-group", "base", group]).text();
    let groups = sdk.run(&["--json", "admin", "images", "list-groups", "base"]).json();
    assert_eq!(groups, json!([{ "id": group, "name": "data", "displayName": "data" }]));
    sdk.run(&["admin", "images", "remove-group", "base", group]).text();
    assert_eq!(sdk.run(&["--json", "admin", "images", "list-groups", "base"]).text(), "");
    let no_group = sdk.run(&["admin", "images", "add-group", "base", "none"]);
    assert!(!no_group.success && no_group.stderr.contains("Group not found"), "{no_group:?}");

    for arguments in
        [&["admin", "images", "update", "none"][..], &["admin", "images", "add-group", "none", group]]
    {
        let missing = sdk.run_on(arguments, &json!({ "description": "x" }));
        let words = "Cannot find resource type \"images\" with [id: none]";
        assert!(!missing.success && missing.stderr.contains(words), "{missing:?}");
    }
    assert!(!sdk.run(&["admin", "images", "get", "none"]).success);
    assert_eq!(sdk.run(&["--json", "admin", "images", "delete", "base"]).json(), json!({ "id": "base" }));
    let gone = sdk.run(&["--json", "admin", "images", "delete", "base"]);
    assert!(!gone.success && gone.stderr.contains("RESOURCE_NOT_FOUND"), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_url_moves_the_url_for_gpus_that_followed_it() {
    require_tool!("uv");
    let server = Server::new().await;
    let sdk = server.client_of("root").await;
    let image = json!({ "name": "base", "url": "registry.example/base:1" });
    sdk.run_on(&["admin", "images", "create"], &image).text();
    // The client adds the old url for GPUs to this.
    let change = json!({ "url": "registry.example/base:2" });
    let changed = sdk.run_on(&["--json", "admin", "images", "update", "base"], &change).json();
    assert_eq!((&changed["url"], &changed["urlForGpu"]), (&change["url"], &change["url"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_image_stays_one_when_a_group_is_added() {
    require_tool!("uv");
    let server = Server::new().await;
    server.test.add_image("own", Some(&server.test.data), false).await;
    let sdk = server.client_of("root").await;
    sdk.run(&["admin", "images", "add-group", "own", server.test.data.as_str()]).text();
    let image = server.test.hub.image(&Actor::Machine, "own").await.unwrap().image;
    assert_eq!(image.group, Some(server.test.data.clone()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn custom_images_are_built() {
    require_tool!("uv");
    let server = Server::new().await;
    let sdk = server.client_of("root").await;
    let spec =
        json!({ "baseImage": "registry.example/base:1", "packages": { "pip": ["pandas", "numpy==1.17.*"] } });
    let image = json!({ "name": "custom", "type": "cpu", "imageSpec": spec });
    sdk.run_on(&["admin", "images", "create"], &image).text();
    let got = sdk.run(&["--json", "admin", "images", "get", "custom"]).json();
    assert_eq!(
        (&got["isReady"], &got["url"], &got["jobStatus"]),
        (&json!(false), &Value::Null, &json!({ "phase": "Pending" }))
    );
    let packages = json!({ "apt": [], "conda": [], "pip": ["pandas", "numpy==1.17.*"] });
    assert_eq!(
        got["imageSpec"],
        json!({ "baseImage": "registry.example/base:1", "pullSecret": null, "packages": packages })
    );
    let built = server.test.build_next().await;
    assert_eq!(built.id, BuildId::new("image-custom-1"));
    let got = sdk.run(&["--json", "admin", "images", "get", "custom"]).json();
    assert_eq!((&got["isReady"], &got["jobStatus"]["phase"]), (&json!(true), &json!("Succeeded")));
    assert_eq!(got["url"], built.product.unwrap().url.to_string());

    let wrong = json!({ "name": "wrong", "imageSpec": { "baseImage": "registry.example/base:1",
        "packages": { "pip": ["numpy ==="] } } });
    let refused = sdk.run_on(&["--json", "admin", "images", "create"], &wrong);
    assert!(!refused.success && refused.stderr.contains("imageSpec.packages.pip"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_end() {
    require_tool!("uv");
    let server = Server::new().await;
    for number in 0..11 {
        server.test.add_image(&format!("s{number:02}"), None, true).await;
    }
    server.test.add_image("own", Some(&server.test.data), false).await;
    let sdk = server.client_of("root").await;
    let all = sdk.run(&["--json", "admin", "images", "list"]).json();
    assert_eq!(each(&all, "id").len(), 11);
    assert_eq!(all[0]["isReady"], true);
    let second = sdk.run(&["--json", "admin", "images", "list", "--page", "2"]).json();
    assert_eq!(each(&second, "id"), ["s10"]);
    assert_eq!(sdk.run(&["--json", "admin", "images", "list", "--page", "3"]).text(), "");
}
