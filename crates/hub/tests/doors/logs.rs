//! Logs over HTTP.

use futures_util::StreamExt as _;
use imagewright_hub::logs::Scrubber;
use imagewright_store::BuildId;
use serde_json::{Value, json};

use crate::server::{Server, read};
use crate::support::custom;

async fn with_log() -> Server {
    let server = Server::new().await;
    let ann = server.test.actor("ann").await;
    server.test.hub.create_image(&ann, custom("c", Some(&server.test.data))).await.unwrap();
    let mut writer = server.logs.writer(&BuildId::new("image-c-1"), Scrubber::default()).unwrap();
    for line in ["one", "zwei ü", "three"] {
        writer.line(line).unwrap();
    }
    server
}

#[tokio::test]
async fn a_log_is_a_file_its_last_lines_or_what_comes() {
    let server = with_log().await;
    let file = server.get("ann", "/api/logs/images/c/job?follow=false").await;
    assert_eq!(file.headers()["content-disposition"], "attachment; filename=\"c-1.log\"");
    assert_eq!(file.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(file.headers()["content-length"], "18");
    assert_eq!(file.text().await.unwrap(), "one\nzwei ü\nthree\n");
    let tail = server.get("ann", "/api/logs/builds/image-c-1?follow=false&tailLines=2").await;
    assert_eq!(tail.text().await.unwrap(), "zwei ü\nthree\n");

    let followed = server.get("ann", "/api/logs/images/c/job?follow=true&tailLines=1").await;
    assert_eq!(followed.status().as_u16(), 200);
    let mut pieces = followed.bytes_stream();
    assert_eq!(pieces.next().await.unwrap().unwrap(), "three\n");
    let id = BuildId::new("image-c-1");
    server.logs.writer(&id, Scrubber::default()).unwrap().line("four").unwrap();
    assert_eq!(pieces.next().await.unwrap().unwrap(), "four\n");
    server.logs.close(&id);
    assert!(pieces.next().await.is_none(), "the log has ended");
}

#[tokio::test]
async fn logs_are_for_those_who_manage_the_image() {
    let server = with_log().await;
    let refused = async |who: &str, path: &str| -> (u16, Value) {
        let response = server.get(who, path).await;
        (response.status().as_u16(), read(response).await["code"].take())
    };
    let path = "/api/logs/images/c/job?follow=true";
    assert_eq!(refused("nobody", path).await, (401, json!("UNAUTHENTICATED")));
    assert_eq!(refused("max", path).await, (403, json!("NOT_AUTH")));
    assert_eq!(refused("otto", path).await, (404, json!("RESOURCE_NOT_FOUND")));
    assert_eq!(refused("otto", "/api/logs/builds/image-c-1").await, (404, json!("RESOURCE_NOT_FOUND")));
    assert_eq!(refused("ann", "/api/logs/namespaces/hub/jobs/image-c-1").await.0, 404);
    assert_eq!(refused("ann", "/api/logs/builds/..%2fkey").await, (404, json!("RESOURCE_NOT_FOUND")));
    assert_eq!(refused("ann", "/api/logs/images/c/job?tailLines=x").await, (400, json!("BAD_USER_INPUT")));
}
