//! What to build and where to put it: the whole input of a build, as flags or as JSON.

use std::path::PathBuf;

use imagewright_oci::layer::codec::Compression;
use imagewright_spec::{
    Architecture, BuildSpec, ImageReference, IndexCredentials, Owner, Platform, RepositoryReference,
};
use serde::{Deserialize, Serialize};

use crate::conda::CondaSettings;
use crate::error::{BuildError, ErrorKind};
use crate::patience::Patience;

/// Seconds for which a lock is used again for the same spec on the same base: one day.
pub const DEFAULT_FRESHNESS_SECONDS: u64 = 24 * 60 * 60;

/// Most platforms of one image.
const MAXIMUM_PLATFORMS: usize = 8;

/// A build, complete. As JSON it is what `imagewright build --plan -` reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildPlan {
    /// Base and packages.
    pub spec: BuildSpec,
    /// Where the image is pushed, with its tag.
    pub to: ImageReference,
    /// For whom it is built, as the operator says; without it, for the one owner that a machine has. What is fetched
    /// with credentials or made by executing a base is kept for the owner alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// Platforms, `linux/amd64` or `linux/arm64`. Several give an index.
    #[serde(default = "default_platforms")]
    pub platforms: Vec<Platform>,
    /// Where layers are kept for the next image, on the registry of `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer_repository: Option<RepositoryReference>,
    /// Codec of new layers.
    #[serde(default)]
    pub compression: Compression,
    /// Resolve again, however fresh the last lock is.
    #[serde(default)]
    pub fresh: bool,
    /// Seconds for which a lock is used again.
    #[serde(default = "default_freshness")]
    pub freshness_seconds: u64,
    /// File with registry credentials, in the format of `docker login` and `podman login`. Without it their
    /// own files are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_file: Option<PathBuf>,
    /// File with the credentials that write the layer repository, which are no owner's. Without it that is written
    /// only where nobody is asked for credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer_auth_file: Option<PathBuf>,
    /// Registries that are spoken to over plain HTTP, `host` or `host:port`. Loopback always is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub insecure_registries: Vec<String>,
    /// PEM files with certificates to trust besides the system's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ca_bundles: Vec<PathBuf>,
    /// How long to wait for servers, and how often to ask them.
    #[serde(default)]
    pub patience: Patience,
    /// Where conda packages come from.
    #[serde(default)]
    pub conda: CondaSettings,
    /// Users and passwords of package indexes. Read, never written: a plan can be stored without its secrets.
    #[serde(default, skip_serializing)]
    pub index_credentials: Vec<IndexCredentials>,
}

impl BuildPlan {
    /// A plan with the usual settings.
    pub fn new(spec: BuildSpec, to: ImageReference) -> Self {
        Self {
            spec,
            to,
            owner: None,
            platforms: default_platforms(),
            layer_repository: None,
            compression: Compression::default(),
            fresh: false,
            freshness_seconds: DEFAULT_FRESHNESS_SECONDS,
            auth_file: None,
            layer_auth_file: None,
            insecure_registries: Vec::new(),
            ca_bundles: Vec::new(),
            patience: Patience::default(),
            conda: CondaSettings::default(),
            index_credentials: Vec::new(),
        }
    }

    /// For whom it is built.
    pub fn owner(&self) -> Owner {
        self.owner.clone().unwrap_or_default()
    }

    /// Reads a plan from JSON.
    ///
    /// # Errors
    /// What is wrong, with line and column.
    pub fn from_json(text: &str) -> Result<Self, BuildError> {
        serde_json::from_str(text).map_err(|error| {
            BuildError::new(ErrorKind::SpecInvalid, format!("the build plan is not valid: {error}"))
                .with_next_step(
                    r#"correct the plan; the smallest one is {"spec": {"base": "REF"}, "to": "REF"}"#,
                )
        })
    }

    /// Refuses what can be told to be wrong before anything is asked of a registry.
    ///
    /// # Errors
    /// Always of the kind [`ErrorKind::SpecInvalid`].
    pub fn check(&self) -> Result<(), BuildError> {
        self.patience.check()?;
        let invalid = |message: String, next: &str| {
            Err(BuildError::new(ErrorKind::SpecInvalid, message).with_next_step(next.to_owned()))
        };
        if self.platforms.is_empty() || self.platforms.len() > MAXIMUM_PLATFORMS {
            return invalid(
                format!("an image has 1 to {MAXIMUM_PLATFORMS} platforms"),
                "pass --platform linux/amd64, or several separated by commas",
            );
        }
        if self.to.digest().is_some() {
            return invalid(
                format!("{} names a digest: the digest of an image is known when it is built", self.to),
                "pass a tag, for example registry.example/team/image:1",
            );
        }
        if let Some(layers) = &self.layer_repository {
            if layers.registry() != self.to.registry() {
                return invalid(
                    format!("the layer repository {layers} is on another registry than {}", self.to),
                    "choose a layer repository on the registry of the image: layers are mounted from it",
                );
            }
            if layers.repository() == self.to.repository() {
                return invalid(
                    format!("the layer repository {layers} is the image's own repository"),
                    "choose a repository that nobody else writes to, for example one called `layers`",
                );
            }
        }
        Ok(())
    }
}

fn default_platforms() -> Vec<Platform> {
    vec![Platform::new(if cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::Amd64 })]
}

fn default_freshness() -> u64 {
    DEFAULT_FRESHNESS_SECONDS
}
