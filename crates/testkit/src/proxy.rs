//! A proxy in front of a registry: it counts, and it misbehaves on demand.

use bytes::Bytes;
use futures_util::TryStreamExt;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body as _, Frame};
use hyper::header::{CONNECTION, HeaderName, TRANSFER_ENCODING};
use hyper::{Request, Response};

use crate::client;
use crate::registry::Registry;
use crate::server::{Body, BoxError, Fault, RecordedRequest, Server};

/// Forwards every request to a registry, streaming both ways, and records it.
///
/// The `Host` header is passed on, so that the upload locations which the registry hands out lead through the
/// proxy as well. [`Registry::auth_file`] knows the proxies in front of a registry.
pub struct FaultyProxy {
    server: Server,
}

impl FaultyProxy {
    /// A proxy in front of a registry; it speaks plain HTTP, even if the registry itself does not.
    pub fn in_front_of(registry: &Registry) -> Self {
        let upstream = registry.origin();
        let client = client::http(registry.authority());
        let server = Server::start(move |request| forward(client.clone(), upstream.clone(), request));
        registry.also_known_as(server.host());
        Self { server }
    }

    /// `127.0.0.1:PORT`, the host to use in image references.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// Misbehaves so from now on.
    pub fn inject(&self, fault: Fault) {
        self.server.inject(fault);
    }

    /// Behaves again.
    pub fn clear_faults(&self) {
        self.server.clear_faults();
    }

    /// What was asked so far, in order.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.server.requests()
    }

    /// Starts recording anew.
    pub fn forget_requests(&self) {
        self.server.forget_requests();
    }

    /// Bytes of request bodies that went to blob uploads: what a push really cost. Manifests are not in it.
    pub fn uploaded_bytes(&self) -> u64 {
        let requests = self.requests();
        requests
            .iter()
            .filter(|request| request.path.contains("/blobs/uploads/"))
            .map(|request| request.request_bytes)
            .sum()
    }

    /// Bytes of blobs that were read.
    pub fn downloaded_bytes(&self) -> u64 {
        let requests = self.requests();
        requests
            .iter()
            .filter(|request| request.path.contains("/blobs/sha256:"))
            .map(|request| request.response_bytes)
            .sum()
    }
}

/// Headers about one connection, which say nothing about the next.
fn is_about_the_connection(name: &HeaderName) -> bool {
    name == CONNECTION || name == TRANSFER_ENCODING || name == "keep-alive"
}

async fn forward(
    client: reqwest::Client,
    upstream: String,
    request: Request<Body>,
) -> Result<Response<Body>, BoxError> {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut forwarded = client.request(head.method, format!("{upstream}{path}"));
    for (name, value) in head.headers.iter().filter(|(name, _)| !is_about_the_connection(name)) {
        forwarded = forwarded.header(name, value);
    }
    if !body.is_end_stream() {
        forwarded = forwarded.body(reqwest::Body::wrap_stream(body.into_data_stream()));
    }

    let answer = forwarded.send().await?;
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers().iter().filter(|(name, _)| !is_about_the_connection(name)) {
        response = response.header(name, value);
    }
    let frames = answer.bytes_stream().map_ok(Frame::<Bytes>::data).map_err(BoxError::from);
    Ok(response.body(StreamBody::new(frames).boxed_unsync())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entry, ImageBuilder, LayerBuilder, require_tool, sha256};

    /// A registry with one image whose layer does not compress, and its layer's path.
    async fn registry_with_layer() -> (Registry, String) {
        let registry = Registry::new();
        let layer = LayerBuilder::new().plain().add(Entry::file("data", vec![7; 300_000])).build();
        let image = ImageBuilder::new().layer(layer).push(&registry, "faults:1").await;
        (registry, format!("/v2/faults/blobs/{}", image.layers[0].digest))
    }

    async fn get(proxy: &FaultyProxy, path: &str) -> Result<(u16, Bytes), reqwest::Error> {
        let url = format!("http://{}{path}", proxy.host());
        client::on_runtime(async move {
            let answer = client::http(None).get(url).send().await?;
            Ok((answer.status().as_u16(), answer.bytes().await?))
        })
        .await
    }

    #[tokio::test]
    async fn forwards_and_counts() {
        require_tool!("docker-registry");
        let (registry, path) = registry_with_layer().await;
        let proxy = FaultyProxy::in_front_of(&registry);

        let (status, bytes) = get(&proxy, &path).await.expect("the layer");

        assert_eq!(status, 200);
        assert!(path.ends_with(&sha256(&bytes)));
        assert_eq!(proxy.downloaded_bytes(), bytes.len() as u64);
        assert_eq!(proxy.requests()[0].status, Some(200));
    }

    #[tokio::test]
    async fn counts_what_is_uploaded() {
        require_tool!("docker-registry");
        let registry = Registry::new();
        let proxy = FaultyProxy::in_front_of(&registry);
        let layer = LayerBuilder::new().file("a", "a").build();
        let size = layer.size();

        let image =
            ImageBuilder::new().layer(layer).push_to_host(&registry, &proxy.host(), "counted:1").await;

        let config = image.manifest["config"]["size"].as_u64().expect("the size of the config");
        assert_eq!(proxy.uploaded_bytes(), size + config);
    }

    #[tokio::test]
    async fn cuts_corrupts_and_refuses() {
        require_tool!("docker-registry");
        let (registry, path) = registry_with_layer().await;
        let proxy = FaultyProxy::in_front_of(&registry);

        proxy.inject(Fault::on("/blobs/").truncate_after(1000));
        get(&proxy, &path).await.expect_err("a body that is cut");
        assert_eq!(proxy.downloaded_bytes(), 1000);

        proxy.clear_faults();
        proxy.inject(Fault::on("/blobs/").corrupt(100_000));
        let (_, bytes) = get(&proxy, &path).await.expect("a whole body");
        assert_eq!(bytes.len() as u64 + 1000, proxy.downloaded_bytes());
        assert!(!path.ends_with(&sha256(&bytes)));

        proxy.clear_faults();
        proxy.inject(Fault::on("/blobs/").times(1).status(503));
        assert_eq!(get(&proxy, &path).await.expect("an answer").0, 503);
        assert_eq!(get(&proxy, &path).await.expect("an answer").0, 200);

        proxy.inject(Fault::on("/blobs/").drop_connection());
        get(&proxy, &path).await.expect_err("a closed connection");
    }

    #[tokio::test]
    async fn stalls_in_the_middle_and_hangs_before_the_start() {
        require_tool!("docker-registry");
        let (registry, path) = registry_with_layer().await;
        let proxy = FaultyProxy::in_front_of(&registry);
        let patience = std::time::Duration::from_millis(100);

        proxy.inject(Fault::on("/blobs/").stall_after(1000));
        tokio::time::timeout(patience, get(&proxy, &path)).await.expect_err("a body that never ends");
        assert_eq!(proxy.downloaded_bytes(), 1000);

        proxy.clear_faults();
        proxy.inject(Fault::on("/blobs/").hang());
        tokio::time::timeout(patience, get(&proxy, &path)).await.expect_err("an answer that never comes");
        assert_eq!(proxy.requests()[1].status, None);
    }

    #[tokio::test]
    async fn a_stopped_registry_closes_the_connection() {
        require_tool!("docker-registry");
        let (registry, path) = registry_with_layer().await;
        let proxy = FaultyProxy::in_front_of(&registry);

        registry.stop();
        get(&proxy, &path).await.expect_err("a registry that is down");
        registry.start_again();

        assert_eq!(get(&proxy, &path).await.expect("the layer").0, 200);
    }
}
