//! The image selection over HTTP.

use serde_json::{Value, json};

use crate::server::{Server, read};

#[tokio::test]
async fn the_selection_is_plain_json_and_profiles_of_kubespawner() {
    let server = Server::new().await;
    server.test.add_image("own", Some(&server.test.data), false).await;
    server.test.add_image("global", None, true).await;
    let response = server.get("max", "/api/groups/data/selection?gpu=true").await;
    assert_eq!(response.status().as_u16(), 200);
    let images = read(response).await["images"].take();
    assert_eq!(
        images[1],
        json!({
            "name": "own", "label": "own", "hint": "Group / Universal", "type": "Universal", "description": "",
            "url": "registry.example/own:1", "pullSecret": null, "enabled": true, "reason": null,
        })
    );
    let response = server.get("max", "/api/groups/data/selection?format=kubespawner").await;
    let profiles = read(response).await;
    assert_eq!((&profiles[0]["slug"], &profiles[0]["default"]), (&json!("global"), &json!(true)));
    let listed = "{ selection(group: \"data\", gpu: true) { name hint enabled url } }";
    let listed = server.data("max", listed, json!({})).await;
    assert_eq!(listed["selection"][0]["hint"], "System / Universal");

    let refused = async |who: &str, path: &str| -> (u16, Value) {
        let response = server.get(who, path).await;
        (response.status().as_u16(), read(response).await["code"].take())
    };
    assert_eq!(refused("olga", "/api/groups/data/selection").await, (404, json!("RESOURCE_NOT_FOUND")));
    assert_eq!(refused("nobody", "/api/groups/data/selection").await, (401, json!("UNAUTHENTICATED")));
    assert_eq!(refused("max", "/api/groups/data/selection?gpu=maybe").await, (400, json!("BAD_USER_INPUT")));
}
