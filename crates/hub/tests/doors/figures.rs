//! Health and figures.

use serde_json::json;

use crate::server::Server;
use crate::support::custom;

#[tokio::test]
async fn health_and_figures_need_no_token() {
    let server = Server::new().await;
    for (path, text) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let response = server.get("nobody", path).await;
        assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (200, text));
    }
    let root = server.test.actor("root").await;
    server.test.hub.create_image(&root, custom("c", None)).await.unwrap();
    server.data("root", "{ me { id } }", json!({})).await;
    server.get("nobody", "/some/where").await;
    let text = server.get("nobody", "/metrics").await.text().await.unwrap();
    for line in [
        "imagewright_database_up 1",
        "imagewright_queue_builds{status=\"queued\"} 1",
        "imagewright_http_requests_total{method=\"POST\",route=\"/api/graphql\",status=\"200\"} 1",
        "imagewright_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
}
