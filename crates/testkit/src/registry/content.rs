//! What is in a registry: read, written and spoiled by the test kit itself, past the client under test.

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use super::Registry;
use super::configuration::Access;
use crate::Layer;
use crate::client::{self, on_runtime};

/// Every media type a manifest may have; without it the registry converts to its oldest format.
const MANIFEST_TYPES: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";

impl Registry {
    /// The manifest or index that a tag or digest names, as bytes; `None` where there is none.
    pub async fn manifest_bytes(&self, repository: &str, reference: &str) -> Option<Bytes> {
        self.read(repository, format!("manifests/{reference}")).await
    }

    /// The same, parsed.
    pub async fn manifest(&self, repository: &str, reference: &str) -> Option<Value> {
        let bytes = self.manifest_bytes(repository, reference).await?;
        Some(serde_json::from_slice(&bytes).expect("a manifest in JSON"))
    }

    /// A blob of a repository; `None` where there is none, which includes the blobs of other repositories.
    pub async fn blob(&self, repository: &str, digest: &str) -> Option<Bytes> {
        self.read(repository, format!("blobs/{digest}")).await
    }

    /// The tags of a repository, sorted.
    pub async fn tags(&self, repository: &str) -> Vec<String> {
        let Some(bytes) = self.read(repository, "tags/list".to_owned()).await else { return Vec::new() };
        let list: Value = serde_json::from_slice(&bytes).expect("a list of tags in JSON");
        let tags = list["tags"].as_array().cloned().unwrap_or_default();
        let mut tags: Vec<String> = tags.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        tags.sort();
        tags
    }

    /// Deletes a manifest by digest, as somebody would who tidies up.
    pub async fn delete_manifest(&self, repository: &str, digest: &str) {
        let session = self.session(&self.host(), &[repository]);
        let path = format!("/v2/{repository}/manifests/{digest}");
        on_runtime(async move {
            session.expect(session.request(Method::DELETE, &path), &[StatusCode::ACCEPTED]).await;
        })
        .await;
    }

    /// Replaces the stored bytes of a blob (or manifest) behind the registry's back: it goes on to serve them under
    /// the old digest. Bytes of another length need a registry
    /// [without descriptor cache](super::RegistryBuilder::without_descriptor_cache), which remembers lengths.
    pub fn replace_blob(&self, digest: &str, bytes: &[u8]) {
        let file = self.blob_file(digest);
        assert!(file.is_file(), "the registry has no blob {digest} that could be replaced");
        // Not written in place: the file may be a link to one that other tests use.
        fs::remove_file(&file).expect("a blob to be removed");
        fs::write(&file, bytes).expect("a blob to be written");
    }

    /// Puts a layer that is kept in a file into the registry's own folder, as a hard link: no byte is copied. Where
    /// that cannot be done, the layer will simply be uploaded.
    pub(crate) fn lay_in(&self, repository: &str, layer: &Layer) {
        let (Some(file), Some(hexadecimal)) = (layer.file(), layer.digest().strip_prefix("sha256:")) else {
            return;
        };
        let blob = self.blob_file(layer.digest());
        let repositories = self.storage_folder().join("docker/registry/v2/repositories");
        let link = repositories.join(repository).join("_layers/sha256").join(hexadecimal).join("link");
        let lay_in = || {
            fs::create_dir_all(blob.parent()?).ok()?;
            fs::create_dir_all(link.parent()?).ok()?;
            if !blob.is_file() {
                fs::hard_link(file, &blob).ok()?;
            }
            fs::write(&link, layer.digest()).ok()
        };
        // `None`: another file system, most likely.
        let _: Option<()> = lay_in();
    }

    /// Whether the bytes of a blob are stored, whatever the registry believes.
    pub fn stores_blob(&self, digest: &str) -> bool {
        self.blob_file(digest).is_file()
    }

    fn blob_file(&self, digest: &str) -> PathBuf {
        let hexadecimal = digest.strip_prefix("sha256:").expect("a sha256 digest");
        let blobs = self.storage_folder().join("docker/registry/v2/blobs/sha256");
        blobs.join(&hexadecimal[..2]).join(hexadecimal).join("data")
    }

    async fn read(&self, repository: &str, rest: String) -> Option<Bytes> {
        let session = self.session(&self.host(), &[repository]);
        let path = format!("/v2/{repository}/{rest}");
        on_runtime(async move {
            let request = session.request(Method::GET, &path).header("accept", MANIFEST_TYPES);
            let answer = session.expect(request, &[StatusCode::OK, StatusCode::NOT_FOUND]).await;
            if answer.status() == StatusCode::NOT_FOUND {
                return None;
            }
            Some(answer.bytes().await.unwrap_or_else(|error| panic!("reading {path}: {error}")))
        })
        .await
    }

    /// A way to talk to the registry, or to a proxy in front of it, with every right on these repositories.
    pub(crate) fn session(&self, host: &str, repositories: &[&str]) -> Session {
        let direct = host == self.host();
        let authorization = match (&self.configuration.access, &self.tokens) {
            (Access::Basic { user, password }, _) => Authorization::Basic(user.clone(), password.clone()),
            (Access::Token(_), Some(tokens)) => Authorization::Bearer(tokens.token_for(repositories)),
            _ => Authorization::None,
        };
        Session {
            client: client::http(self.authority()),
            origin: if direct { self.origin() } else { format!("http://{host}") },
            authorization,
        }
    }
}

/// Plain requests to one registry.
#[derive(Clone)]
pub(crate) struct Session {
    client: Client,
    origin: String,
    authorization: Authorization,
}

#[derive(Clone)]
enum Authorization {
    None,
    Basic(String, String),
    Bearer(String),
}

impl Session {
    /// Uploads a blob unless it is there, in one request.
    pub(crate) async fn upload(&self, repository: &str, digest: &str, size: u64, content: reqwest::Body) {
        let path = format!("/v2/{repository}/blobs/{digest}");
        let found =
            self.expect(self.request(Method::HEAD, &path), &[StatusCode::OK, StatusCode::NOT_FOUND]).await;
        if found.status() == StatusCode::OK {
            return;
        }
        let location = self.begin_upload(repository).await;
        let separator = if location.contains('?') { '&' } else { '?' };
        let request = self
            .request(Method::PUT, &format!("{location}{separator}digest={digest}"))
            .header("content-type", "application/octet-stream")
            .header("content-length", size)
            .body(content);
        self.expect(request, &[StatusCode::CREATED]).await;
    }

    /// Makes a blob of one repository part of another.
    pub(crate) async fn mount(&self, repository: &str, digest: &str, from: &str) {
        let path = format!("/v2/{repository}/blobs/uploads/?mount={digest}&from={from}");
        self.expect(self.request(Method::POST, &path), &[StatusCode::CREATED]).await;
    }

    /// Puts a manifest or an index.
    pub(crate) async fn put_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        manifest: Bytes,
    ) {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let request = self.request(Method::PUT, &path).header("content-type", media_type).body(manifest);
        self.expect(request, &[StatusCode::CREATED]).await;
    }

    async fn begin_upload(&self, repository: &str) -> String {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let answer = self.expect(self.request(Method::POST, &path), &[StatusCode::ACCEPTED]).await;
        let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
        location.expect("the location of an upload").to_owned()
    }

    fn request(&self, method: Method, path_or_url: &str) -> RequestBuilder {
        let url = if path_or_url.starts_with('/') {
            format!("{}{path_or_url}", self.origin)
        } else {
            path_or_url.to_owned()
        };
        let request = self.client.request(method, url);
        match &self.authorization {
            Authorization::None => request,
            Authorization::Basic(user, password) => request.basic_auth(user, Some(password)),
            Authorization::Bearer(token) => request.bearer_auth(token),
        }
    }

    /// Sends a request and panics with the registry's own words when the answer is another than expected.
    async fn expect(&self, request: RequestBuilder, expected: &[StatusCode]) -> Response {
        let (client, request) = request.build_split();
        let request = request.expect("a valid request");
        let what = format!("{} {}", request.method(), request.url());
        let answer = client.execute(request).await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let status = answer.status();
        if expected.contains(&status) {
            return answer;
        }
        panic!("{what}: {status}: {}", answer.text().await.unwrap_or_default())
    }
}
