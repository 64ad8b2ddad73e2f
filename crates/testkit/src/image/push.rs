//! Pushing, with plain requests of our own.

use bytes::Bytes;
use serde_json::{Value, json};
use tokio_util::io::ReaderStream;

use super::build::{ImageBuilder, Source};
use super::layer::{Compression, Content, Layer};
use crate::client::on_runtime;
use crate::digest::sha256;
use crate::registry::{Registry, Session};

/// An image in a registry.
#[derive(Debug, Clone)]
pub struct PushedImage {
    /// `HOST/REPOSITORY:TAG`
    pub reference: String,
    /// `127.0.0.1:PORT`, as it was pushed to.
    pub host: String,
    /// The repository, without host and tag.
    pub repository: String,
    /// The digest of the manifest.
    pub digest: String,
    /// The media type of the manifest.
    pub media_type: String,
    /// The manifest.
    pub manifest: Value,
    /// The manifest's size in bytes.
    pub manifest_size: u64,
    /// The configuration.
    pub config: Value,
    /// The layers, the lowest first.
    pub layers: Vec<PushedLayer>,
}

/// A layer of a pushed image, as it really is: claims that are not true stand in the manifest only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedLayer {
    /// The digest of the blob.
    pub digest: String,
    /// The blob's size in bytes.
    pub size: u64,
    /// The digest of the uncompressed archive.
    pub diff_id: String,
    /// How it is compressed.
    pub compression: Compression,
}

impl PushedImage {
    /// `HOST/REPOSITORY@DIGEST`, which no later push can move.
    pub fn pinned(&self) -> String {
        format!("{}/{}@{}", self.host, self.repository, self.digest)
    }

    /// The reference by which the image is found through a proxy, given the proxy's host.
    pub fn reference_at(&self, host: &str) -> String {
        self.reference.replacen(&self.host, host, 1)
    }
}

impl ImageBuilder {
    /// Pushes the image as `REPOSITORY:TAG`.
    pub async fn push(self, registry: &Registry, name: &str) -> PushedImage {
        self.push_to_host(registry, &registry.host(), name).await
    }

    /// The same through a proxy in front of the registry.
    pub async fn push_to_host(self, registry: &Registry, host: &str, name: &str) -> PushedImage {
        let (repository, tag) = split(name);
        let mut repositories = vec![repository.as_str()];
        repositories.extend(self.layers.iter().filter_map(Source::mounted_from));
        let session = registry.session(host, &repositories);
        let image = self.describe(host, &repository, &tag);
        let pushed = image.clone();
        on_runtime(async move {
            for source in &self.layers {
                source.put(&session, &image.repository).await;
            }
            put_bytes(&session, &image.repository, image.config.to_string()).await;
            let manifest = Bytes::from(image.manifest.to_string());
            session.put_manifest(&image.repository, &tag, &image.media_type, manifest).await;
        })
        .await;
        pushed
    }

    /// The image as it will be found.
    fn describe(&self, host: &str, repository: &str, tag: &str) -> PushedImage {
        let config = self.configuration();
        let config_bytes = config.to_string();
        let layers: Vec<Value> =
            self.layers.iter().map(|source| source.descriptor(self.media_types)).collect();
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": self.media_types.manifest(),
            "config": {
                "mediaType": self.media_types.config(),
                "digest": sha256(&config_bytes),
                "size": config_bytes.len(),
            },
            "layers": layers,
        });
        for (key, value) in &self.manifest_extras {
            manifest[key] = value.clone();
        }
        let bytes = manifest.to_string();
        PushedImage {
            reference: format!("{host}/{repository}:{tag}"),
            host: host.to_owned(),
            repository: repository.to_owned(),
            digest: sha256(&bytes),
            media_type: self.media_types.manifest().to_owned(),
            manifest_size: bytes.len() as u64,
            layers: self.layers.iter().map(Source::pushed).collect(),
            manifest,
            config,
        }
    }
}

impl Source {
    fn mounted_from(&self) -> Option<&str> {
        match self {
            Self::Built(_) => None,
            Self::Mounted { repository, .. } => Some(repository),
        }
    }

    fn pushed(&self) -> PushedLayer {
        match self {
            Self::Built(layer) => PushedLayer {
                digest: layer.digest.clone(),
                size: layer.size,
                diff_id: layer.diff_id.clone(),
                compression: layer.compression,
            },
            Self::Mounted { layer, .. } => layer.clone(),
        }
    }

    async fn put(&self, session: &Session, repository: &str) {
        match self {
            Self::Built(layer) => {
                session.upload(repository, &layer.digest, layer.size, layer.body().await).await;
            }
            Self::Mounted { layer, repository: from } if from != repository => {
                session.mount(repository, &layer.digest, from).await;
            }
            Self::Mounted { .. } => {}
        }
    }
}

impl Layer {
    async fn body(&self) -> reqwest::Body {
        match &self.content {
            Content::Bytes(bytes) => bytes.clone().into(),
            Content::File(path) => {
                let file = tokio::fs::File::open(path).await;
                let file = file.unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
                reqwest::Body::wrap_stream(ReaderStream::with_capacity(file, 256 * 1024))
            }
        }
    }
}

/// Uploads a small blob.
async fn put_bytes(session: &Session, repository: &str, content: String) {
    let (digest, size) = (sha256(&content), content.len() as u64);
    session.upload(repository, &digest, size, content.into()).await;
}

/// The repository and tag of `REPOSITORY:TAG`.
pub(super) fn split(name: &str) -> (String, String) {
    let (repository, tag) =
        name.rsplit_once(':').unwrap_or_else(|| panic!("{name}: expected REPOSITORY:TAG"));
    (repository.to_owned(), tag.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::{
        Entry, ImageBuilder, IndexBuilder, LayerBuilder, MediaTypes, Registry, require_tool, sha256,
    };

    #[tokio::test]
    async fn what_is_pushed_can_be_read_back() {
        require_tool!("docker-registry");
        let registry = Registry::new();
        for media_types in [MediaTypes::Oci, MediaTypes::Docker] {
            let layer = LayerBuilder::new().directory("srv").file("srv/hello", "hello\n").build();
            let image = ImageBuilder::new().media_types(media_types).layer(layer).label("a", "b");
            let pushed = image.push(&registry, "team/hello:1").await;

            let manifest = registry.manifest_bytes("team/hello", "1").await.expect("the manifest");
            assert_eq!(sha256(&manifest), pushed.digest);
            let layer = registry.blob("team/hello", &pushed.layers[0].digest).await.expect("the layer");
            assert_eq!(layer.len() as u64, pushed.layers[0].size);
        }
        assert_eq!(registry.tags("team/hello").await, ["1"]);
        assert_eq!(registry.blob("team/other", &sha256("nothing")).await, None);
    }

    #[tokio::test]
    async fn an_image_continues_another_in_a_second_repository() {
        require_tool!("docker-registry");
        let registry = Registry::new();
        let layer = || LayerBuilder::new().file("lower", "1").build();
        let base = ImageBuilder::new().layer(layer()).user("1000").push(&registry, "base:1").await;
        let upper = LayerBuilder::new().whiteout("lower").zstd().build();

        let image = ImageBuilder::from_image(&base).layer(upper).push(&registry, "upper:1").await;

        assert_eq!(image.layers[0], base.layers[0]);
        assert_eq!(image.config["config"]["User"], "1000");
        assert_eq!(image.config["history"].as_array().map(Vec::len), Some(2));
        assert!(registry.blob("upper", &base.layers[0].digest).await.is_some());
    }

    #[tokio::test]
    async fn an_index_names_its_platforms() {
        require_tool!("docker-registry");
        let registry = Registry::new();
        let image = |name| ImageBuilder::new().layer(LayerBuilder::new().file("name", name).build());
        let index = IndexBuilder::new()
            .image(image("amd64"))
            .image(image("arm64").architecture("arm64", Some("v8")))
            .push(&registry, "multi:1")
            .await;

        let read = registry.manifest("multi", "1").await.expect("the index");
        assert_eq!(read["manifests"][1]["platform"]["architecture"], "arm64");
        assert_eq!(read["manifests"][0]["digest"], index.images[0].digest.as_str());
    }

    #[tokio::test]
    async fn lies_stand_in_the_manifest() {
        require_tool!("docker-registry");
        let registry = Registry::builder().without_descriptor_cache().start();
        let layer = LayerBuilder::new().add(Entry::file("../evil", "x")).build();
        let layer = layer.claiming_size(7).claiming_diff_id(&sha256("other")).url("http://127.0.0.1:1/layer");

        let pushed = ImageBuilder::new().layer(layer).push(&registry, "lies:1").await;

        let manifest = registry.manifest("lies", "1").await.expect("the manifest");
        assert_eq!(manifest["layers"][0]["size"], 7);
        assert_eq!(manifest["layers"][0]["urls"][0], "http://127.0.0.1:1/layer");
        assert_eq!(pushed.config["rootfs"]["diff_ids"][0], sha256("other"));
        registry.replace_blob(&pushed.layers[0].digest, b"spoiled");
        assert_eq!(registry.blob("lies", &pushed.layers[0].digest).await.as_deref(), Some(&b"spoiled"[..]));
    }
}
