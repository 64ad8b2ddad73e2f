//! Images through the API.

use serde_json::{Value, json};

use crate::server::Server;

const CREATE: &str = "mutation($data: ImageCreateInput!) { createImage(data: $data) { ...F } } \
    fragment F on Image { id displayName type url urlForGpu groupName global useImagePullSecret isReady groups { name } }";
const UPDATE: &str = "mutation($data: ImageUpdateInput!, $where: ImageWhereUniqueInput!) { \
    updateImage(data: $data, where: $where) { ...F } } \
    fragment F on Image { id displayName type url urlForGpu groupName global useImagePullSecret groups { name } }";

async fn update(server: &Server, who: &str, id: &str, data: Value) -> Value {
    server.data(who, UPDATE, json!({ "data": data, "where": { "id": id } })).await["updateImage"].take()
}

#[tokio::test]
async fn an_image_of_a_group_is_made_as_primehubs_client_does() {
    let server = Server::new().await;
    let data = json!({
        "name": "base", "displayName": "Base image", "url": "registry.example/base:1",
        "groups": { "connect": [{ "id": server.test.data.as_str() }] }, "groupName": "data",
    });
    let made = server.data("ann", CREATE, json!({ "data": data })).await;
    assert_eq!(
        made["createImage"],
        json!({
            "id": "base", "displayName": "Base image", "type": "both", "url": "registry.example/base:1",
            "urlForGpu": "registry.example/base:1", "groupName": "data", "global": false, "useImagePullSecret": "",
            "isReady": true, "groups": [{ "name": "data" }],
        })
    );

    // The client keeps the id of the group that it had before.
    let confused = json!({ "name": "b", "url": "x/y", "groupName": "other",
        "groups": { "connect": [{ "id": server.test.data.as_str() }] } });
    let (status, code, _) = server.error("root", CREATE, json!({ "data": confused })).await;
    assert_eq!((status, &*code), (400, "BAD_USER_INPUT"));
    let (status, code, _) = server.error("ann", CREATE, json!({ "data": confused })).await;
    assert_eq!((status, &*code), (403, "NOT_AUTH"));
    let system = json!({ "name": "b", "url": "x/y" });
    assert_eq!(server.error("ann", CREATE, json!({ "data": system })).await.0, 403);
}

#[tokio::test]
async fn everyone_stands_for_global_and_what_is_left_out_stays() {
    let server = Server::new().await;
    let everyone = json!([{ "id": server.test.everyone.as_str() }]);
    let data = json!({ "name": "s", "url": "registry.example/s:1", "groups": { "connect": everyone } });
    let made = server.data("root", CREATE, json!({ "data": data })).await;
    assert_eq!((&made["createImage"]["global"], &made["createImage"]["groups"]), (&json!(true), &json!([])));

    let shared = json!({ "connect": [{ "id": server.test.data.as_str() }], "disconnect": everyone });
    let changed = update(&server, "root", "s", json!({ "groups": shared })).await;
    assert_eq!((&changed["global"], &changed["groups"]), (&json!(false), &json!([{ "name": "data" }])));
    let changed = update(&server, "root", "s", json!({ "groups": { "connect": everyone } })).await;
    assert_eq!((&changed["global"], &changed["groups"]), (&json!(true), &json!([{ "name": "data" }])));

    let group = json!({ "name": "g", "url": "registry.example/g:1", "groupName": "data" });
    server.data("ann", CREATE, json!({ "data": group })).await;
    let changed = update(&server, "ann", "g", json!({ "description": "new" })).await;
    assert_eq!(changed["groupName"], "data");
    let again = json!({ "groups": { "connect": [{ "id": server.test.data.as_str() }], "disconnect": [] } });
    assert_eq!(update(&server, "root", "g", again).await["groupName"], "data");
    let (status, code, _) =
        server.error("ann", UPDATE, json!({ "data": { "groupName": null }, "where": { "id": "g" } })).await;
    assert_eq!((status, &*code), (403, "NOT_AUTH"));
    let moved = update(&server, "root", "g", json!({ "groupName": null })).await;
    assert_eq!(moved["groupName"], Value::Null);
}

#[tokio::test]
async fn addresses_change_as_primehub_changes_them_without_going_stale() {
    let server = Server::new().await;
    let url = |name: &str| format!("registry.example/{name}:1");
    let data = json!({ "name": "u", "type": "both", "url": url("a") });
    server.data("root", CREATE, json!({ "data": data })).await;
    let addresses = |image: Value| (image["url"].clone(), image["urlForGpu"].clone());
    let both = |one: &str, other: &str| (json!(url(one)), json!(url(other)));
    // The client sends back the address for GPUs that it has read.
    let changed = update(&server, "root", "u", json!({ "url": url("b"), "urlForGpu": url("a") })).await;
    assert_eq!(addresses(changed), both("b", "b"));
    let changed = update(&server, "root", "u", json!({ "urlForGpu": url("c") })).await;
    assert_eq!(addresses(changed), both("b", "c"));
    let changed = update(&server, "root", "u", json!({ "url": "", "displayName": "D" })).await;
    assert_eq!(addresses(changed), both("b", "c"));
    let changed = update(&server, "root", "u", json!({ "url": url("d") })).await;
    assert_eq!(addresses(changed), both("d", "d"));
    let changed = update(&server, "root", "u", json!({ "type": "gpu", "urlForGpu": url("e") })).await;
    assert_eq!(addresses(changed), both("d", "d"));
}

#[tokio::test]
async fn lists_are_searched_sorted_and_paged() {
    let server = Server::new().await;
    for number in 0..12 {
        server.test.add_image(&format!("s{number:02}"), None, number == 0).await;
    }
    server.test.add_image("own", Some(&server.test.data), false).await;
    let list = "query($page: Int, $where: ImageWhereInput, $orderBy: ImageOrderByInput, $mode: QueryImageMode) { \
        list: imagesConnection(page: $page, where: $where, orderBy: $orderBy, mode: $mode) { \
        edges { cursor node { id } } pageInfo { currentPage totalPage } } }";
    let ids = async |who: &str, variables: Value| -> Vec<String> {
        let found = server.data(who, list, variables).await;
        let edges = found["list"]["edges"].as_array().cloned().unwrap();
        edges.iter().map(|edge| edge["node"]["id"].as_str().unwrap().to_owned()).collect()
    };
    let page = |page: u64| json!({ "page": page, "mode": "SYSTEM_ONLY" });
    assert_eq!(ids("root", page(1)).await.len(), 10);
    assert_eq!(ids("root", page(2)).await, ["s10", "s11"]);
    assert_eq!(ids("root", page(3)).await, [""; 0], "past the end, or the client asks on for ever");
    let empty = server.data("root", list, json!({ "page": 1, "where": { "search": "none such" } })).await;
    assert_eq!(empty["list"]["pageInfo"], json!({ "currentPage": 1, "totalPage": 1 }));

    let found = ids("root", json!({ "where": { "groupName_contains": "dat" } })).await;
    assert_eq!(found, ["own"]);
    let either =
        json!({ "where": { "_or": [{ "name_contains": "07" }, { "displayName_contains": "own" }] } });
    assert_eq!(ids("root", either).await, ["own", "s07"]);
    let sorted = json!({ "orderBy": { "type": "asc", "name": "desc" }, "where": { "search": "UNIVERSAL" } });
    assert_eq!(ids("root", sorted).await.len(), 13);
    let backwards = json!({ "orderBy": { "name": "desc" }, "page": 1 });
    assert_eq!(ids("root", backwards).await[0], "s11");
    assert_eq!(ids("root", json!({ "orderBy": {}, "page": 1 })).await[0], "own");
    assert_eq!(server.error("root", list, json!({ "orderBy": { "name": "up" } })).await.0, 400);

    assert_eq!(ids("max", json!({})).await, ["own", "s00"]);
    assert_eq!(ids("olga", json!({ "where": { "groupName_contains": "data" } })).await, [""; 0]);
    let group =
        "{ groupImagesConnection(where: { groupName_contains: \"data\" }) { edges { node { id } } } }";
    let owned = server.data("ann", group, json!({})).await;
    assert_eq!(owned["groupImagesConnection"]["edges"], json!([{ "node": { "id": "own" } }]));
    assert_eq!(server.error("max", group, json!({})).await.1, "NOT_AUTH");
    assert_eq!(server.error("otto", group, json!({})).await.1, "NOT_AUTH");

    let cursors =
        "{ imagesConnection(first: 2, after: \"s03\") { edges { cursor } pageInfo { hasNextPage } } }";
    let found = server.data("root", cursors, json!({})).await;
    assert_eq!(found["imagesConnection"]["edges"], json!([{ "cursor": "s04" }, { "cursor": "s05" }]));
}

#[tokio::test]
async fn what_is_not_there_is_null_to_look_at_and_the_clients_sentence_to_change() {
    let server = Server::new().await;
    server.test.add_image("theirs", Some(&server.test.other), false).await;
    for name in ["none", "theirs", "No Name!"] {
        let query = "query($where: ImageWhereUniqueInput!) { image(where: $where) { id } }";
        let variables = json!({ "where": { "id": name } });
        assert_eq!(server.data("ann", query, variables).await["image"], Value::Null);
        let variables = json!({ "data": {}, "where": { "id": name } });
        let (status, code, message) = server.error("ann", UPDATE, variables).await;
        assert_eq!((status, &*code), (404, "RESOURCE_NOT_FOUND"));
        assert_eq!(message, format!("images.primehub.io \"{name}\" not found"));
    }
}

#[tokio::test]
async fn a_custom_image_shows_its_builds_to_those_who_manage_it() {
    let server = Server::new().await;
    let packages = json!({ "pip": ["pandas\nnumpy==1.17.*"], "conda": ["conda-forge::gxx"] });
    let spec = json!({ "baseImage": "registry.example/base:1", "packages": packages });
    let data = json!({ "name": "c", "groupName": "data", "imageSpec": spec });
    server.data("ann", CREATE, json!({ "data": data })).await;
    let query = "{ image(where: { id: \"c\" }) { isReady url spec revision logEndpoint jobStatus { phase image } \
        imageSpec { baseImage pullSecret cancel packages { apt pip conda } } \
        latestBuild { number status queuePlace { position } progress { done } } } }";
    let seen = server.data("ann", query, json!({})).await["image"].take();
    assert_eq!(seen["jobStatus"], json!({ "phase": "Pending", "image": null }));
    assert_eq!(seen["imageSpec"]["packages"]["pip"], json!(["pandas", "numpy==1.17.*"]));
    assert_eq!(seen["imageSpec"]["packages"]["apt"], json!([]));
    assert_eq!(seen["latestBuild"]["queuePlace"]["position"], 1);
    assert_eq!((&seen["isReady"], &seen["url"]), (&json!(false), &Value::Null));
    assert_eq!(seen["logEndpoint"], "/api/logs/images/c/job");
    let hidden = server.data("max", query, json!({})).await["image"].take();
    assert_eq!((&hidden["imageSpec"], &hidden["jobStatus"]), (&Value::Null, &Value::Null));
    assert_eq!(hidden["spec"].get("imageSpec"), None);

    let build = server.test.build_next().await;
    let rebuild = "mutation($data: ImageSpecUpdateInput!) { rebuildImage(data: $data, where: { id: \"c\" }) { \
        isReady imageSpec { packages { pip conda } } jobStatus { phase } } }";
    let without_conda = json!({ "data": { "packages": { "pip": ["pandas"] } } });
    let after = server.data("ann", rebuild, without_conda).await["rebuildImage"].take();
    assert_eq!(after["imageSpec"]["packages"], json!({ "pip": ["pandas"], "conda": [] }));
    assert_eq!((&after["isReady"], &after["jobStatus"]["phase"]), (&json!(true), &json!("Pending")));
    let cancel = "mutation { cancelImageBuild(where: { id: \"c\" }) { url jobStatus { phase } } }";
    let cancelled = server.data("ann", cancel, json!({})).await["cancelImageBuild"].take();
    assert_eq!(cancelled["jobStatus"]["phase"], "Cancelled");
    assert_eq!(cancelled["url"], build.product.as_ref().unwrap().url.to_string());
    assert_eq!(server.error("ann", cancel, json!({})).await.1, "RESOURCE_CONFLICT");

    let revisions = "{ imageRevisions(where: { id: \"c\" }) { edges { node { number status phase tag isKept \
        requestedBy recipe { packages { pip } } packages { pip { name } } } } } \
        imageRevision(where: { id: \"c\" }, number: 1) { id digest } \
        imageDiff(where: { id: \"c\" }, before: 1, after: 2) { packages { name } } }";
    let found = server.data("ann", revisions, json!({})).await;
    let edges = found["imageRevisions"]["edges"].as_array().cloned().unwrap();
    assert_eq!((edges.len(), &edges[0]["node"]["status"]), (2, &json!("cancelled")));
    assert_eq!(
        (&edges[1]["node"]["requestedBy"], &edges[1]["node"]["isKept"]),
        (&json!("ann"), &json!(true))
    );
    assert_eq!(found["imageRevision"]["id"], "image-c-1");
    assert_eq!(server.error("max", revisions, json!({})).await.1, "NOT_AUTH");
    let rollback = "mutation { rollbackImage(where: { id: \"c\" }, number: 1) { revision } }";
    assert_eq!(server.data("ann", rollback, json!({})).await["rollbackImage"]["revision"], 1);
    assert_eq!(server.error("otto", rollback, json!({})).await.1, "RESOURCE_NOT_FOUND");
}
