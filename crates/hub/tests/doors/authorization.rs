//! Signing in from PrimeHub's client.

use imagewright_hub::access::Actor;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::redirect::Policy;
use secrecy::SecretString;
use serde_json::json;

use crate::server::{Server, client, read};
use crate::support::PASSWORD;

#[tokio::test]
async fn a_browser_shows_a_code_and_the_client_takes_it_once() {
    let server = Server::new().await;
    let ann = server.test.hub.user_by_name(&Actor::Machine, "ann").await.unwrap().id;
    let password = SecretString::from(PASSWORD.to_owned());
    server.test.hub.reset_password(&Actor::Machine, &ann, &password, false).await.unwrap();
    let client = client(Policy::none());
    let found = client.head(server.url("/oidc/auth-flow/request")).send().await.unwrap();
    assert_eq!(found.status().as_u16(), 302);
    assert_eq!(found.headers()["location"], "/oidc/auth-flow/code");

    let code_page = server.url("/oidc/auth-flow/code");
    let asked = client.get(&code_page).send().await.unwrap();
    assert_eq!(asked.status().as_u16(), 401);
    assert!(asked.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic realm="));
    let wrong = client.get(&code_page).basic_auth("ann", Some("<wrong>")).send().await.unwrap();
    assert_eq!(wrong.status().as_u16(), 401);
    let page = client.get(&code_page).basic_auth("ann", Some(PASSWORD)).send().await.unwrap();
    assert_eq!(page.status().as_u16(), 200);
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    assert_eq!(page.headers()["cache-control"], "no-store");
    let page = page.text().await.unwrap();
    let code = page.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();

    let exchange = async |code: &str| {
        let request = client.post(server.url("/oidc/auth-flow/exchange"));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(format!("code={code}")).send().await.unwrap()
    };
    let taken = read(exchange(&code).await).await;
    assert_eq!(taken["endpoint"], server.url("/api/graphql"));
    let me = client.post(taken["endpoint"].as_str().unwrap()).header(CONTENT_TYPE, "application/json");
    let me = me.header(AUTHORIZATION, format!("Bearer {}", taken["api-token"].as_str().unwrap()));
    let me = me.body(json!({ "query": "{ me { username } }" }).to_string()).send().await.unwrap();
    assert_eq!(read(me).await["data"]["me"]["username"], "ann");
    for code in [code.as_str(), "", "wrong"] {
        let refused = exchange(code).await;
        assert_eq!((refused.status().as_u16(), refused.text().await.unwrap().as_str()), (400, "Bad Request"));
    }
}
