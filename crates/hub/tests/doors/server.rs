//! A hub that listens.

use std::net::SocketAddr;

use imagewright_hub::doors::http::{Doors, router};
use imagewright_hub::logs::Logs;
use imagewright_hub::queue::Progress;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::redirect::Policy;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::TestHub;

/// A hub with people in it ([`TestHub`]) that listens on a free port until this is dropped.
pub(crate) struct Server {
    pub(crate) test: TestHub,
    pub(crate) logs: Logs,
    pub(crate) client: reqwest::Client,
    address: SocketAddr,
    task: JoinHandle<()>,
    _folder: TempDir,
}

impl Server {
    pub(crate) async fn new() -> Self {
        Self::configured(&[]).await
    }

    /// One whose configuration has these variables.
    pub(crate) async fn configured(variables: &[(&str, &str)]) -> Self {
        let test = TestHub::configured(variables).await;
        let folder = tempfile::Builder::new().prefix("doors-").tempdir().unwrap();
        let logs = Logs::open(folder.path(), 1 << 20).unwrap();
        let doors = Doors::new(test.hub.clone(), logs.clone(), Progress::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router(doors).into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { test, logs, client: client(Policy::limited(3)), address, task, _folder: folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A new token of somebody.
    pub(crate) async fn token(&self, name: &str) -> String {
        let actor = self.test.actor(name).await;
        let (_, secret) = self.test.hub.create_token(&actor, None, "test", None).await.unwrap();
        secret.expose_secret().to_owned()
    }

    /// Asks the API as somebody (`nobody` sends no token): the status and the answer.
    pub(crate) async fn ask(&self, who: &str, query: &str, variables: Value) -> (u16, Value) {
        let mut request = self.client.post(self.url("/api/graphql"));
        if who != "nobody" {
            request = request.header(AUTHORIZATION, format!("Bearer {}", self.token(who).await));
        }
        let body = json!({ "query": query, "variables": variables }).to_string();
        let response = request.header(CONTENT_TYPE, "application/json").body(body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, read(response).await)
    }

    /// The data of an answer without errors.
    pub(crate) async fn data(&self, who: &str, query: &str, variables: Value) -> Value {
        let (status, mut answer) = self.ask(who, query, variables).await;
        assert!(status == 200 && answer.get("errors").is_none(), "{status} {answer:#}");
        answer["data"].take()
    }

    /// Status, code and message of the first error of an answer.
    pub(crate) async fn error(&self, who: &str, query: &str, variables: Value) -> (u16, String, String) {
        let (status, answer) = self.ask(who, query, variables).await;
        let error = &answer["errors"][0];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        assert!(!text(&error["extensions"]["requestId"]).is_empty(), "{answer:#}");
        (status, text(&error["extensions"]["code"]), text(&error["message"]))
    }

    /// Fetches a path as somebody.
    pub(crate) async fn get(&self, who: &str, path: &str) -> reqwest::Response {
        let mut request = self.client.get(self.url(path));
        if who != "nobody" {
            request = request.header(AUTHORIZATION, format!("Bearer {}", self.token(who).await));
        }
        request.send().await.unwrap()
    }
}

/// An HTTP client, which speaks no TLS here and wants to know how nevertheless.
pub(crate) fn client(redirects: Policy) -> reqwest::Client {
    // Another test of this process may have done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(redirects).build().unwrap()
}

/// The JSON of a response.
pub(crate) async fn read(response: reqwest::Response) -> Value {
    let text = response.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
