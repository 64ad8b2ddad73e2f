//! `primehub admin secrets`.

use imagewright_hub::access::Actor;
use imagewright_store::SecretId;
use imagewright_testkit::require_tool;
use serde_json::json;

use crate::each;
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_made_changed_and_deleted_and_never_read() {
    require_tool!("uv");
    let server = Server::new().await;
    let sdk = server.client_of("root").await;
    let pull = json!({ "name": "reg", "type": "kubernetes", "displayName": "Registry", "registryHost": "https://registry.example",
        "username": "u", "password": "canary-pull" });
    assert_eq!(
        sdk.run_on(&["--json", "admin", "secrets", "create"], &pull).json(),
        json!({ "id": "image-reg" })
    );
    let opaque = json!({ "name": "git", "type": "opaque", "secret": "canary-opaque" });
    assert_eq!(
        sdk.run_on(&["--json", "admin", "secrets", "create"], &opaque).json(),
        json!({ "id": "gitsync-secret-git" })
    );
    let again = sdk.run_on(&["--json", "admin", "secrets", "create"], &opaque);
    assert!(!again.success && again.stderr.contains("RESOURCE_CONFLICT"), "{again:?}");

    let listed = sdk.run(&["--json", "admin", "secrets", "list"]).json();
    assert_eq!(each(&listed, "id"), ["gitsync-secret-git", "image-reg"]);
    let page = sdk.run(&["--json", "admin", "secrets", "list", "--page", "1"]).json();
    assert_eq!(page, listed);
    assert_eq!(sdk.run(&["--json", "admin", "secrets", "list", "--page", "2"]).text(), "");
    let got = sdk.run(&["--json", "admin", "secrets", "get", "image-reg"]).json();
    assert_eq!(
        got,
        json!({ "id": "image-reg", "name": "reg", "displayName": "Registry", "type": "kubernetes",
        "registryHost": "registry.example", "username": "u", "password": "******" })
    );
    let got = sdk.run(&["--json", "admin", "secrets", "get", "gitsync-secret-git"]).json();
    assert_eq!(
        got,
        json!({ "id": "gitsync-secret-git", "name": "git", "displayName": "git", "type": "opaque" })
    );

    let sealed = async || {
        let secret = server.test.hub.secret(&Actor::Machine, &SecretId::new("image-reg")).await.unwrap();
        (secret.username, secret.sealed)
    };
    let before = sealed().await;
    let change = json!({ "username": "v", "password": "******" });
    sdk.run_on(&["admin", "secrets", "update", "image-reg"], &change).text();
    let after = sealed().await;
    assert_eq!((after.0.as_deref(), &after.1), (Some("v"), &before.1), "the password stays");
    sdk.run_on(&["admin", "secrets", "update", "image-reg"], &json!({ "password": "canary-new" })).text();
    assert_ne!(sealed().await.1, before.1);
    let fixed =
        sdk.run_on(&["admin", "secrets", "update", "image-reg"], &json!({ "type": "opaque", "secret": "s" }));
    assert!(!fixed.success && fixed.stderr.contains("[type] can not be changed"), "{fixed:?}");
    assert!(!sdk.run(&["admin", "secrets", "get", "none"]).success);

    let image =
        json!({ "name": "private", "url": "registry.example/x:1", "useImagePullSecret": "image-reg" });
    sdk.run_on(&["admin", "images", "create"], &image).text();
    let delete = ["--json", "admin", "secrets", "delete", "image-reg", "--yes-i-really-mean-it"];
    let used = sdk.run(&delete);
    assert!(!used.success && used.stderr.contains("private"), "{used:?}");
    sdk.run(&["admin", "images", "delete", "private"]).text();
    assert!(!sdk.run(&delete[..5]).success, "the client wants it to be meant");
    assert_eq!(sdk.run(&delete).json(), json!({ "id": "image-reg" }));
    assert_eq!(each(&sdk.run(&["--json", "admin", "secrets", "list"]).json(), "id"), ["gitsync-secret-git"]);
}
