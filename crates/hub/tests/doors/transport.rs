//! How requests come and answers go: whatever is wrong, the answer has GraphQL's form.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::server::{Server, read};

const ME: &str = "# as the client sends it\n{ me { username isAdmin } }";

#[tokio::test]
async fn forms_and_json_are_answered_alike_and_success_has_no_errors() {
    let server = Server::new().await;
    let token = format!("Bearer {}", server.token("ann").await);
    let send = async |content_type: &str, body: String| {
        let request = server.client.post(server.url("/api/graphql")).header(AUTHORIZATION, &token);
        let response = request.header(CONTENT_TYPE, content_type).body(body).send().await.unwrap();
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.headers()["x-request-id"].len(), 36);
        read(response).await
    };
    let expected = json!({ "data": { "me": { "username": "ann", "isAdmin": false } } });
    let form = |pairs: &[(&str, &str)]| {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    };
    let form_type = "application/x-www-form-urlencoded";
    assert_eq!(send(form_type, form(&[("variables", "{}"), ("query", ME)])).await, expected);
    assert_eq!(send("application/json; charset=utf-8", json!({ "query": ME }).to_string()).await, expected);

    let query = "query A($id: ID!) { image(where: { id: $id }) { id } } query B { me { username } }";
    let named = json!({ "query": query, "operationName": "B", "variables": null });
    assert_eq!(send("application/json", named.to_string()).await["data"]["me"]["username"], "ann");
    let pairs = [("query", query), ("operationName", "A"), ("variables", "{\"id\":\"x\"}")];
    assert_eq!(send(form_type, form(&pairs)).await, json!({ "data": { "image": null } }));
}

#[tokio::test]
async fn whatever_is_wrong_has_a_code_a_hint_and_an_id() {
    let server = Server::configured(&[("IMAGEWRIGHT_API__BODY_BYTES", "2KiB")]).await;
    let token = format!("Bearer {}", server.token("ann").await);
    let send = async |content_type: &str, body: &str| {
        let request = server.client.post(server.url("/api/graphql")).header(AUTHORIZATION, &token);
        let response = request.header(CONTENT_TYPE, content_type).body(body.to_owned()).send().await.unwrap();
        let (status, id) = (response.status().as_u16(), response.headers()["x-request-id"].clone());
        let answer = read(response).await;
        let extensions = &answer["errors"][0]["extensions"];
        assert_eq!(extensions["requestId"], id.to_str().unwrap());
        assert!(answer["errors"][0]["message"].is_string(), "{answer}");
        (status, extensions["code"].as_str().unwrap_or_default().to_owned())
    };
    let json = "application/json";
    let deep = format!("{{ me {} }}", "{ effectiveGroups { users ".repeat(8) + "{ id }" + &"} }".repeat(8));
    let wide =
        format!("{{ {} }}", (0..110).map(|n| format!("a{n}: images {{ id }}")).collect::<Vec<_>>().join(" "));
    let ask = |query: &str| json!({ "query": query }).to_string();
    let bad = (400, "BAD_USER_INPUT".to_owned());
    for (content_type, body) in [
        (json, "{"),
        (json, "[]"),
        (json, "{}"),
        (json, "\"query\""),
        (json, &*ask("{ me { username ")),
        (json, &*ask("{ nothing }")),
        (json, "{\"query\":\"{ me { id } }\",\"variables\":7}"),
        ("application/x-www-form-urlencoded", "query=%7Bme%7Bid%7D%7D&variables=%5B1%5D"),
        ("application/x-www-form-urlencoded", ""),
        ("text/plain", "{ me { id } }"),
        (json, &*ask(&deep)),
        (json, &*ask("{ __schema { types { name } } }")),
    ] {
        assert_eq!(send(content_type, body).await, bad, "{content_type} {body}");
    }
    assert_eq!(send(json, &ask(&wide)).await, (413, "PAYLOAD_TOO_LARGE".to_owned()));
    assert_eq!(send(json, &"x".repeat(300_000)).await, (413, "PAYLOAD_TOO_LARGE".to_owned()));

    let roomy = Server::configured(&[("IMAGEWRIGHT_INTROSPECTION", "true")]).await;
    let (status, code, message) = roomy.error("ann", &wide, json!({})).await;
    assert_eq!((status, &*code, &*message), (400, "BAD_USER_INPUT", "Query is too complex."));
    roomy.data("ann", "{ __schema { queryType { name } } }", json!({})).await;
}

#[tokio::test]
async fn who_is_not_known_and_what_is_not_there_are_told_in_the_same_form() {
    let server = Server::new().await;
    let (status, code, _) = server.error("nobody", ME, json!({})).await;
    assert_eq!((status, &*code), (401, "UNAUTHENTICATED"));

    for token in ["Bearer wrong", "Bearer None", "Basic eDp5", "Bearer"] {
        let request = server.client.post(server.url("/api/graphql")).header(AUTHORIZATION, token);
        let body = json!({ "query": ME }).to_string();
        let response = request.header(CONTENT_TYPE, "application/json").body(body).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["www-authenticate"]),
            (401, &"Bearer".parse().unwrap())
        );
        assert_eq!(read(response).await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }

    let (status, code, _) = server.error("max", "{ usersConnection { edges { cursor } } }", json!({})).await;
    assert_eq!((status, &*code), (403, "NOT_AUTH"));
    let nowhere = server.get("ann", "/api/nothing").await;
    assert_eq!(nowhere.status().as_u16(), 404);
    assert_eq!(read(nowhere).await["errors"][0]["extensions"]["code"], "RESOURCE_NOT_FOUND");
    let wrong_method = server.get("ann", "/api/graphql").await;
    assert_eq!(wrong_method.status().as_u16(), 405);
    assert!(read(wrong_method).await["errors"].is_array());
    let plain = server.get("ann", "/api/logs/nothing").await;
    assert_eq!(
        (plain.status().as_u16(), read(plain).await["code"].clone()),
        (404, json!("RESOURCE_NOT_FOUND"))
    );
}

#[tokio::test]
async fn part_of_an_answer_is_an_answer() {
    let server = Server::new().await;
    server.test.add_image("shared", None, true).await;
    let query = "{ image(where: { id: \"shared\" }) { id } user(where: { id: \"x\" }) { id } }";
    let (status, answer) = server.ask("max", query, json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(answer["data"], json!({ "image": { "id": "shared" } }));
    assert_eq!(answer["errors"][0]["path"], json!(["user"]));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_AUTH");
}

#[tokio::test]
async fn a_good_id_of_the_client_is_kept() {
    let server = Server::new().await;
    for (given, is_kept) in [("trace-1.a_b", true), ("two words", false), (&*"x".repeat(65), false)] {
        let request = server.client.get(server.url("/healthz")).header("x-request-id", given);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["x-request-id"] == given, is_kept, "{given}");
    }
}

#[tokio::test]
async fn problems_name_field_line_and_column() {
    let server = Server::new().await;
    let create = "mutation($data: ImageCreateInput!) { createImage(data: $data) { id } }";
    let packages = json!({ "pip": ["pandas", "numpy ==="], "apt": ["-o"] });
    let data =
        json!({ "name": "x", "imageSpec": { "baseImage": "registry.example/b:1", "packages": packages } });
    let (status, answer) = server.ask("root", create, json!({ "data": data })).await;
    assert_eq!(status, 400);
    let problems = answer["errors"][0]["extensions"]["problems"].as_array().cloned().unwrap_or_default();
    assert!(problems.len() >= 2, "{answer:#}");
    let pip = problems.iter().find(|problem| problem["field"] == "imageSpec.packages.pip").unwrap();
    assert_eq!(pip["line"], 2);
    assert!(pip["column"].is_u64() && pip["message"].is_string() && pip["suggestion"].is_string());

    let check =
        "query($data: ImageSpecCheckInput!) { checkImageSpec(data: $data) { ok problems { field line } } }";
    let data = json!({ "imageSpec": data["imageSpec"], "groupName": "data" });
    let checked = server.data("ann", check, json!({ "data": data })).await;
    assert_eq!(checked["checkImageSpec"]["ok"], false);
    assert_eq!(checked["checkImageSpec"]["problems"].as_array().map(Vec::len), Some(problems.len()));
    let missing: Value = server.data("root", "{ images { id } }", json!({})).await;
    assert_eq!(missing["images"], json!([]), "nothing was made");
}
