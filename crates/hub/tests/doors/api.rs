//! People, groups, secrets, specs and the rest of the API.

use serde_json::{Value, json};

use crate::server::Server;
use crate::support::PASSWORD;

#[tokio::test]
async fn me_has_groups_with_everyone_and_effective_ones_without() {
    let server = Server::new().await;
    server.test.add_image("own", Some(&server.test.data), false).await;
    server.test.add_image("global", None, true).await;
    let query = "{ me { groups { name images { id } } effectiveGroups { name admins images { id } \
        resourceStatus { cpuUsage } instanceTypes { name } datasets { id } users { username } \
        quotaCpu enabledSharedVolume } } }";
    let me = server.data("max", query, json!({})).await["me"].take();
    assert_eq!(
        me["groups"],
        json!([
            { "name": "data", "images": [{ "id": "own" }] }, { "name": "everyone", "images": [{ "id": "global" }] },
        ])
    );
    assert_eq!(
        me["effectiveGroups"],
        json!([{
            "name": "data", "admins": "ann", "images": [{ "id": "global" }, { "id": "own" }],
            "resourceStatus": { "cpuUsage": null }, "instanceTypes": [], "datasets": [],
            "users": [{ "username": "ann" }, { "username": "max" }], "quotaCpu": null, "enabledSharedVolume": false,
        }])
    );
    let nora = server.data("nora", "{ me { effectiveGroups { id } } }", json!({})).await;
    assert_eq!(nora["me"]["effectiveGroups"], json!([]));
}

#[tokio::test]
async fn groups_keep_what_clients_give_them_and_their_admins() {
    let server = Server::new().await;
    let create = "mutation($data: GroupCreateInput!) { createGroup(data: $data) { id name displayName admins quotaCpu \
        quotaGpu quotaMemory maxDeploy } }";
    let max = server.test.hub.user_by_name(&server.test.actor("root").await, "max").await.unwrap().id;
    let data = json!({ "name": "new", "quotaCpu": 0.5, "quotaGpu": 0, "quotaMemory": null, "admins": ",max",
        "users": { "connect": [{ "id": max.as_str() }] } });
    let made = server.data("root", create, json!({ "data": data })).await["createGroup"].take();
    assert_eq!(made["admins"], "max");
    assert_eq!(
        (&made["quotaCpu"], &made["quotaGpu"], &made["quotaMemory"]),
        (&json!(0.5), &json!(0), &Value::Null)
    );
    assert_eq!(made["displayName"], "new");
    assert_eq!(
        server.error("root", create, json!({ "data": { "name": "New" } })).await.1,
        "RESOURCE_CONFLICT"
    );

    let update = "mutation($data: GroupUpdateInput!, $where: GroupWhereUniqueInput!) { \
        updateGroup(data: $data, where: $where) { admins users { username } quotaGpu mlflow { trackingUri } } }";
    let ann = server.test.hub.user_by_name(&server.test.actor("root").await, "ann").await.unwrap().id;
    let data = json!({ "users": { "connect": [{ "id": ann.as_str() }] }, "admins": ",max,ann,max" });
    let variables = json!({ "data": data, "where": { "id": made["id"] } });
    let changed = server.data("max", update, variables).await["updateGroup"].take();
    assert_eq!((&changed["admins"], changed["users"].as_array().map(Vec::len)), (&json!("ann,max"), Some(2)));
    let quota =
        json!({ "data": { "quotaGpu": 4, "trackingUri": "http://m" }, "where": { "id": made["id"] } });
    assert_eq!(server.error("max", update, quota.clone()).await.1, "NOT_AUTH");
    let changed = server.data("root", update, quota).await["updateGroup"].take();
    assert_eq!((&changed["quotaGpu"], &changed["mlflow"]["trackingUri"]), (&json!(4), &json!("http://m")));
    let renamed = json!({ "data": { "name": "other" }, "where": { "id": made["id"] } });
    assert_eq!(server.error("root", update, renamed).await.1, "BAD_USER_INPUT");

    let list = "query($orderBy: GroupOrderByInput, $where: GroupWhereInput) { \
        group: groupsConnection(page: 1, orderBy: $orderBy, where: $where) { edges { node { name admins } } } }";
    let names = async |variables: Value| -> Vec<String> {
        let found = server.data("root", list, variables).await;
        let edges = found["group"]["edges"].as_array().cloned().unwrap();
        edges.iter().map(|edge| edge["node"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(json!({ "orderBy": {}, "where": {} })).await, ["data", "everyone", "new", "other"]);
    assert_eq!(names(json!({ "orderBy": { "quotaGpu": "desc" } })).await[0], "new");
    assert_eq!(names(json!({ "orderBy": { "name": "desc" } })).await[0], "other");
    assert_eq!(names(json!({ "where": { "search": "NE" } })).await, ["everyone", "new"]);
    assert_eq!(server.error("ann", list, json!({})).await.1, "NOT_AUTH");

    let delete = "mutation($where: GroupWhereUniqueInput!) { deleteGroup(where: $where) { id } }";
    server.test.add_image("own", Some(&server.test.data), false).await;
    let (_, code, message) =
        server.error("root", delete, json!({ "where": { "id": server.test.data.as_str() } })).await;
    assert_eq!(code, "RESOURCE_IN_USE");
    assert!(message.contains("own"), "{message}");
    server.data("root", delete, json!({ "where": { "id": made["id"] } })).await;
    let gone = "query($where: GroupWhereUniqueInput!) { group(where: $where) { id } }";
    let gone = server.data("root", gone, json!({ "where": { "id": made["id"] } })).await;
    assert_eq!(gone["group"], Value::Null);
}

#[tokio::test]
async fn users_are_paged_by_number_and_sign_in() {
    let server = Server::new().await;
    let list = "query($userAfter: String, $userBefore: String, $userLast: Int, $userFirst: Int, $where: UserWhereInput, \
        $userOrderBy: UsersOrderBy) { users: usersConnection(after: $userAfter, before: $userBefore, last: $userLast, \
        first: $userFirst, where: $where, userOrderBy: $userOrderBy) { edges { node { username } } \
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let page = async |after: &str| {
        server.data("root", list, json!({ "userAfter": after, "userFirst": 4 })).await["users"].take()
    };
    let names = |page: &Value| -> Vec<String> {
        let edges = page["edges"].as_array().cloned().unwrap();
        edges.iter().map(|edge| edge["node"]["username"].as_str().unwrap().to_owned()).collect()
    };
    let first = page("0").await;
    assert_eq!(names(&first), ["ann", "max", "nora", "olga"]);
    assert_eq!(first["pageInfo"]["endCursor"], "1");
    assert_eq!(names(&page("1").await), ["otto", "root"]);
    assert_eq!(names(&page("2").await), [""; 0]);
    let ordered = json!({ "userOrderBy": { "username": "desc" } });
    assert_eq!(names(&server.data("root", list, ordered).await["users"])[0], "root");

    let create = "mutation($payload: UserCreateInput!) { createUser(data: $payload) { id username enabled volumeCapacity \
        groups { name } } }";
    let payload = json!({ "username": "new", "volumeCapacity": 3, "groups": { "connect": [{ "id": server.test.data.as_str() }] } });
    let made = server.data("root", create, json!({ "payload": payload })).await["createUser"].take();
    assert_eq!(made["groups"], json!([{ "name": "data" }, { "name": "everyone" }]));
    assert_eq!((&made["enabled"], &made["volumeCapacity"]), (&json!(true), &json!(3)));
    let reset = "mutation($id: String, $password: String, $temporary: Boolean) { \
        resetPassword(id: $id, password: $password, temporary: $temporary) { id } }";
    let variables = json!({ "id": made["id"], "password": PASSWORD, "temporary": false });
    assert_eq!(server.error("ann", reset, variables.clone()).await.1, "NOT_AUTH");
    server.data("root", reset, variables).await;
    let sign_in = "mutation($password: String!) { signIn(username: \"new\", password: $password) { secret user { \
        username } token { expiresAt } } }";
    let signed_in = server.data("nobody", sign_in, json!({ "password": PASSWORD })).await["signIn"].take();
    assert!(signed_in["secret"].as_str().unwrap().starts_with("iw_"));
    assert!(signed_in["token"]["expiresAt"].is_string());
    let (status, code, _) = server.error("nobody", sign_in, json!({ "password": "wrong" })).await;
    assert_eq!((status, &*code), (401, "UNAUTHENTICATED"));
    let update = "mutation($payload: UserUpdateInput!, $where: UserWhereUniqueInput!) { \
        updateUser(data: $payload, where: $where) { email enabled } }";
    let variables = json!({ "payload": { "email": "n@example.org" }, "where": { "id": made["id"] } });
    let changed = server.data("root", update, variables).await["updateUser"].take();
    assert_eq!(changed, json!({ "email": "n@example.org", "enabled": true }));
}

#[tokio::test]
async fn secrets_are_never_read_again() {
    let server = Server::new().await;
    let create = "mutation($payload: SecretCreateInput!) { createSecret(data: $payload) { id } }";
    let payload = json!({ "name": "r", "type": "kubernetes", "registryHost": "registry.example", "username": "u",
        "password": "canary-1" });
    let made = server.data("root", create, json!({ "payload": payload })).await;
    assert_eq!(made["createSecret"]["id"], "image-r");
    let opaque = json!({ "name": "g", "type": "opaque", "secret": "canary-2" });
    server.data("root", create, json!({ "payload": opaque })).await;
    let query = "{ secret(where: { id: \"image-r\" }) { type registryHost username password secret offeredTo } \
        secretsConnection { edges { node { id } } } audit { edges { node { detail } } } }";
    let (_, seen) = server.ask("root", query, json!({})).await;
    assert_eq!(
        seen["data"]["secret"],
        json!({ "type": "kubernetes", "registryHost": "registry.example",
        "username": "u", "password": "******", "secret": null, "offeredTo": null })
    );
    assert_eq!(seen["data"]["secretsConnection"]["edges"].as_array().map(Vec::len), Some(2));
    assert!(!seen.to_string().contains("canary"), "{seen}");

    let usable = "{ secrets(where: { ifDockerConfigJson: true }) { id name type } }";
    let offered = json!([{ "id": "image-r", "name": "r", "type": "kubernetes" }]);
    assert_eq!(server.data("ann", usable, json!({})).await["secrets"], offered);
    assert_eq!(server.data("max", usable, json!({})).await["secrets"], json!([]));
    let update = "mutation($payload: SecretUpdateInput!) { updateSecret(data: $payload, where: { id: \"image-r\" }) { \
        username offeredTo } }";
    let payload = json!({ "username": "v", "password": "******", "offeredTo": [server.test.other.as_str()] });
    let changed = server.data("root", update, json!({ "payload": payload })).await["updateSecret"].take();
    assert_eq!(changed, json!({ "username": "v", "offeredTo": [server.test.other.as_str()] }));
    assert_eq!(server.data("ann", usable, json!({})).await["secrets"], json!([]));
    assert_eq!(
        server.error("root", update, json!({ "payload": { "type": "opaque" } })).await.1,
        "BAD_USER_INPUT"
    );
    let missing = "{ secret(where: { id: \"none\" }) { id } }";
    assert_eq!(server.error("root", missing, json!({})).await.1, "RESOURCE_NOT_FOUND");
    assert_eq!(server.error("ann", missing, json!({})).await.1, "NOT_AUTH");
}

#[tokio::test]
async fn the_image_builder_is_for_admins() {
    let server = Server::new().await;
    let create =
        "mutation($data: BuildImageCreateInput!) { createBuildImage(data: $data) { id status image } }";
    let data = json!({ "name": "spec", "baseImage": "registry.example/base:1", "packages": { "pip": "pandas\nnumpy" } });
    assert_eq!(server.error("ann", create, json!({ "data": data })).await.1, "NOT_AUTH");
    let made = server.data("root", create, json!({ "data": data })).await["createBuildImage"].take();
    assert_eq!(made, json!({ "id": "spec", "status": "Pending", "image": null }));
    let build = server.test.build_next().await;
    let query = "{ buildImage(where: { id: \"spec\" }) { status image packages { apt pip } buildImageJobs { id status \
        targetImage imageRevision logEndpoint } } buildImageJob(where: { id: \"spec-spec-1\" }) { name } \
        buildImageJobsConnection(where: { id: \"spec\" }, page: 1) { edges { cursor } } \
        buildImages(where: { name_contains: \"spe\" }) { name } images { id } }";
    let seen = server.data("root", query, json!({})).await;
    assert_eq!(seen["buildImage"]["status"], "Succeeded");
    assert_eq!(seen["buildImage"]["packages"], json!({ "apt": "", "pip": "pandas\nnumpy" }));
    let job = &seen["buildImage"]["buildImageJobs"][0];
    assert_eq!(job["imageRevision"], format!("spec:{}", build.tag));
    assert_eq!(job["logEndpoint"], "/api/logs/namespaces/hub/jobs/spec-spec-1");
    assert_eq!((&seen["buildImageJob"]["name"], &seen["images"]), (&json!("spec"), &json!([])));

    let update = "mutation($data: BuildImageUpdateInput!) { updateBuildImage(data: $data, where: { id: \"spec\" }) { \
        packages { apt pip } buildImageJobs { id } } }";
    let changed = json!({ "data": { "packages": { "apt": "curl" } } });
    let changed = server.data("root", update, changed).await["updateBuildImage"].take();
    assert_eq!(changed["packages"], json!({ "apt": "curl", "pip": "pandas\nnumpy" }));
    assert_eq!(changed["buildImageJobs"].as_array().map(Vec::len), Some(2));
    let cancel = "mutation { cancelBuildImageJob(where: { id: \"spec-spec-2\" }) { status } }";
    assert_eq!(server.data("root", cancel, json!({})).await["cancelBuildImageJob"]["status"], "Cancelled");
    let rest = "mutation { rebuildBuildImage(where: { id: \"spec\" }) { status } }";
    server.data("root", rest, json!({})).await;
    let queue = server
        .data("root", "{ queue { waiting { id subject } running { id } } cleanUp { build } }", json!({}))
        .await;
    assert_eq!(queue["queue"]["waiting"], json!([{ "id": "spec-spec-3", "subject": "spec" }]));
    server.data("root", "mutation { deleteBuildImage(where: { id: \"spec\" }) { id } }", json!({})).await;
}

#[tokio::test]
async fn tokens_are_shown_once_and_the_audit_is_for_admins() {
    let server = Server::new().await;
    let create = "mutation { createToken(name: \"ci\", expiresAt: \"2999-01-01T00:00:00Z\") { secret token { id name expiresAt } } }";
    let made = server.data("ann", create, json!({})).await["createToken"].take();
    assert_eq!(made["token"]["expiresAt"], "2999-01-01T00:00:00Z");
    let listed = server.data("ann", "{ tokens { name } }", json!({})).await;
    assert!(listed["tokens"].as_array().unwrap().contains(&json!({ "name": "ci" })), "{listed}");
    let revoke = "mutation($id: ID!) { revokeToken(id: $id) { name } }";
    assert_eq!(
        server.error("max", revoke, json!({ "id": made["token"]["id"] })).await.1,
        "RESOURCE_NOT_FOUND"
    );
    server.data("ann", revoke, json!({ "id": made["token"]["id"] })).await;
    let audit = "{ audit(where: { action: \"token.revoke\" }) { edges { node { actor action objectKind address } } } }";
    let entries = server.data("root", audit, json!({})).await;
    assert_eq!(
        entries["audit"]["edges"],
        json!([{ "node":
        { "actor": "ann", "action": "token.revoke", "objectKind": "token", "address": "127.0.0.1" } }])
    );
    assert_eq!(server.error("ann", audit, json!({})).await.1, "NOT_AUTH");
    let system = server.data("ann", "{ system { version builder } }", json!({})).await;
    assert_eq!(system["system"]["builder"], true);
}
