//! Images: layers, a configuration and a manifest.

use serde_json::{Map, Value, json};

use super::layer::{Compression, Layer};
use super::push::{PushedImage, PushedLayer};

/// Which family of media types a manifest uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MediaTypes {
    /// `application/vnd.oci.…`
    #[default]
    Oci,
    /// `application/vnd.docker.…` (version 2, schema 2)
    Docker,
}

impl MediaTypes {
    pub(super) fn manifest(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.manifest.v1+json",
            Self::Docker => "application/vnd.docker.distribution.manifest.v2+json",
        }
    }

    pub(super) fn index(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.index.v1+json",
            Self::Docker => "application/vnd.docker.distribution.manifest.list.v2+json",
        }
    }

    pub(super) fn config(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.config.v1+json",
            Self::Docker => "application/vnd.docker.container.image.v1+json",
        }
    }

    pub(super) fn layer(self, compression: Compression) -> &'static str {
        match (self, compression) {
            (Self::Oci, Compression::Gzip) => "application/vnd.oci.image.layer.v1.tar+gzip",
            (Self::Oci, Compression::Zstd) => "application/vnd.oci.image.layer.v1.tar+zstd",
            (Self::Oci, Compression::Plain) => "application/vnd.oci.image.layer.v1.tar",
            (Self::Docker, Compression::Gzip) => "application/vnd.docker.image.rootfs.diff.tar.gzip",
            // Pullers refuse this one: that may be what a test wants to see.
            (Self::Docker, Compression::Zstd) => "application/vnd.docker.image.rootfs.diff.tar.zstd",
            (Self::Docker, Compression::Plain) => "application/vnd.docker.image.rootfs.diff.tar",
        }
    }
}

/// Makes an image from layers and configuration values; [`push`](Self::push) puts it into a registry.
#[derive(Debug, Clone)]
pub struct ImageBuilder {
    pub(super) media_types: MediaTypes,
    pub(super) layers: Vec<Source>,
    config: Map<String, Value>,
    history: Vec<Value>,
    pub(super) manifest_extras: Map<String, Value>,
}

/// Where a layer of the image comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Built(Layer),
    /// It is in another repository of the same registry.
    Mounted {
        layer: PushedLayer,
        repository: String,
    },
}

impl Default for ImageBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl ImageBuilder {
    /// An image for linux/amd64 without layers, with OCI media types.
    pub fn new() -> Self {
        let Value::Object(config) = json!({
            "created": "2024-01-01T00:00:00Z",
            "architecture": "amd64",
            "os": "linux",
            "config": {},
        }) else {
            unreachable!("the literal above is an object");
        };
        Self {
            media_types: MediaTypes::default(),
            layers: Vec::new(),
            config,
            history: Vec::new(),
            manifest_extras: Map::new(),
        }
    }

    /// An image that continues a pushed one, in the same registry: its layers are mounted, its configuration kept.
    pub fn from_image(base: &PushedImage) -> Self {
        let mut image = Self::new();
        image.config = base.config.as_object().cloned().unwrap_or_default();
        image.history = base.config["history"].as_array().cloned().unwrap_or_default();
        image.layers = base
            .layers
            .iter()
            .map(|layer| Source::Mounted { layer: layer.clone(), repository: base.repository.clone() })
            .collect();
        image
    }

    /// Adds a layer on top.
    #[must_use]
    pub fn layer(mut self, layer: Layer) -> Self {
        self.layers.push(Source::Built(layer));
        self.history.push(json!({ "created": "2024-01-01T00:00:00Z", "created_by": "imagewright-testkit" }));
        self
    }

    /// Chooses the media types; OCI's, unless told otherwise.
    #[must_use]
    pub fn media_types(mut self, media_types: MediaTypes) -> Self {
        self.media_types = media_types;
        self
    }

    /// Sets the platform, such as `arm64` (and variant `v8`).
    #[must_use]
    pub fn architecture(mut self, architecture: &str, variant: Option<&str>) -> Self {
        self.config.insert("architecture".to_owned(), architecture.into());
        if let Some(variant) = variant {
            self.config.insert("variant".to_owned(), variant.into());
        }
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(self, name: &str, value: &str) -> Self {
        let start = format!("{name}=");
        let mut variables = self.setting("Env").as_array().cloned().unwrap_or_default();
        variables.retain(|variable| !variable.as_str().is_some_and(|variable| variable.starts_with(&start)));
        variables.push(format!("{start}{value}").into());
        self.config_value("Env", variables)
    }

    /// Sets the user, such as `1000:100`.
    #[must_use]
    pub fn user(self, user: &str) -> Self {
        self.config_value("User", user)
    }

    /// Sets the entrypoint.
    #[must_use]
    pub fn entrypoint(self, words: &[&str]) -> Self {
        self.config_value("Entrypoint", words)
    }

    /// Sets the default command.
    #[must_use]
    pub fn command(self, words: &[&str]) -> Self {
        self.config_value("Cmd", words)
    }

    /// Sets the working directory.
    #[must_use]
    pub fn working_directory(self, directory: &str) -> Self {
        self.config_value("WorkingDir", directory)
    }

    /// Sets a label.
    #[must_use]
    pub fn label(self, name: &str, value: &str) -> Self {
        let mut labels = self.setting("Labels").as_object().cloned().unwrap_or_default();
        labels.insert(name.to_owned(), value.into());
        self.config_value("Labels", labels)
    }

    /// Sets any value of the configuration's `config`: `Healthcheck`, `OnBuild`, something nobody knows.
    #[must_use]
    pub fn config_value(mut self, key: &str, value: impl Into<Value>) -> Self {
        let config = self.config.entry("config").or_insert_with(|| json!({}));
        config[key] = value.into();
        self
    }

    /// Sets any value at the top of the configuration.
    #[must_use]
    pub fn top_level_value(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.config.insert(key.to_owned(), value.into());
        self
    }

    /// Sets any value at the top of the manifest, such as `annotations`.
    #[must_use]
    pub fn manifest_value(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.manifest_extras.insert(key.to_owned(), value.into());
        self
    }

    fn setting(&self, key: &str) -> &Value {
        self.config.get("config").map_or(&Value::Null, |config| &config[key])
    }

    /// The finished configuration.
    pub(super) fn configuration(&self) -> Value {
        let diff_ids: Vec<&str> = self.layers.iter().map(Source::diff_id).collect();
        let mut config = self.config.clone();
        config.insert("rootfs".to_owned(), json!({ "type": "layers", "diff_ids": diff_ids }));
        config.insert("history".to_owned(), self.history.clone().into());
        config.into()
    }
}

impl Source {
    fn diff_id(&self) -> &str {
        match self {
            Self::Built(layer) => layer.claims.diff_id.as_deref().unwrap_or(&layer.diff_id),
            Self::Mounted { layer, .. } => &layer.diff_id,
        }
    }

    /// The descriptor in a manifest of the given family.
    pub(super) fn descriptor(&self, media_types: MediaTypes) -> Value {
        match self {
            Self::Built(layer) => {
                let claims = &layer.claims;
                let media_type = media_types.layer(layer.compression);
                let mut descriptor = json!({
                    "mediaType": claims.media_type.as_deref().unwrap_or(media_type),
                    "digest": claims.digest.as_ref().unwrap_or(&layer.digest),
                    "size": claims.size.unwrap_or(layer.size),
                });
                if !claims.urls.is_empty() {
                    descriptor["urls"] = claims.urls.clone().into();
                }
                descriptor
            }
            Self::Mounted { layer, .. } => {
                // A Docker manifest may name Docker's types only, and the other way round.
                let media_type = media_types.layer(layer.compression);
                json!({ "mediaType": media_type, "digest": layer.digest, "size": layer.size })
            }
        }
    }
}
