//! What to build and where to put it: the whole input of a build, as flags or as JSON.

use std::path::PathBuf;

use imagewright_oci::layer::codec::Compression;
use imagewright_spec::{
    Architecture, BuildSpec, ImageKind, ImageReference, IndexCredentials, Owner, Platform,
    RepositoryReference,
};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::conda::CondaSettings;
use crate::error::{BuildError, ErrorKind};
use crate::lock::Lock;
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
    /// Locks of an earlier build, one a platform: exactly their packages are put on their base, and the spec names
    /// nothing but where that base is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<Lock>,
    /// Addresses that are fetched from elsewhere: what begins with the first is asked at the second.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mirrors: Vec<Mirror>,
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
            locks: Vec::new(),
            mirrors: Vec::new(),
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
        self.check_locks()
    }

    /// The lock of a platform, where the image is built from one.
    pub fn lock_of(&self, platform: &str) -> Option<&Lock> {
        self.locks.iter().find(|lock| lock.platform == platform)
    }

    fn check_locks(&self) -> Result<(), BuildError> {
        let invalid = |message: String, next: &str| {
            Err(BuildError::new(ErrorKind::SpecInvalid, message).with_next_step(next.to_owned()))
        };
        if self.locks.is_empty() {
            return Ok(());
        }
        if !self.spec.is_empty() || self.spec.kind != ImageKind::Cpu {
            return invalid(
                "a lock names all packages, and further ones are asked for".to_owned(),
                "build from the lock alone, or from packages without it",
            );
        }
        for platform in &self.platforms {
            let name = platform.to_string();
            if self.locks.iter().filter(|lock| lock.platform == name).count() != 1 {
                return invalid(
                    format!("there is not exactly one lock for {name}"),
                    "pass one lock for each platform of the image",
                );
            }
        }
        if self.locks.iter().any(|lock| lock.compression != self.compression) {
            return invalid(
                "the codec of the layers is another one than that of the lock".to_owned(),
                "leave --compression out",
            );
        }
        if let Some(odd) =
            self.locks.iter().find(|lock| !lock.apt.is_empty() && lock.apt_requested.is_empty())
        {
            return invalid(
                format!(
                    "the lock for {} is of an image that was built upon an image of ours with system packages of its own",
                    odd.platform
                ),
                "build that one from its lock first, and then this one from its packages",
            );
        }
        Ok(())
    }
}

/// Addresses that are fetched from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mirror {
    /// How the addresses begin.
    pub from: Url,
    /// What stands in place of that.
    pub to: Url,
}

impl Mirror {
    /// Where an address is fetched from: by the first mirror that is for it, else where it says.
    pub fn of(mirrors: &[Self], address: &Url) -> Url {
        let elsewhere = mirrors.iter().find_map(|mirror| {
            let rest = address.as_str().strip_prefix(mirror.from.as_str())?;
            // A folder ends at a slash: `…/conda-forge` is not the beginning of `…/conda-forge-labs`.
            let is_below = mirror.from.as_str().ends_with('/') || rest.starts_with('/');
            let address =
                format!("{}/{}", mirror.to.as_str().trim_end_matches('/'), rest.trim_start_matches('/'));
            if is_below { address.parse().ok() } else { None }
        });
        elsewhere.unwrap_or_else(|| address.clone())
    }
}

fn default_platforms() -> Vec<Platform> {
    vec![Platform::new(if cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::Amd64 })]
}

fn default_freshness() -> u64 {
    DEFAULT_FRESHNESS_SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_below_a_mirrored_one_are_fetched_elsewhere() {
        let mirror = |from: &str| Mirror {
            from: from.parse().unwrap(),
            to: "https://mirror.example/forge/".parse().unwrap(),
        };
        let of =
            |mirrors: &[Mirror], address: &str| Mirror::of(mirrors, &address.parse().unwrap()).to_string();
        let forge = mirror("https://conda.example/forge");
        let expected = "https://mirror.example/forge/noarch/a.conda";
        assert_eq!(of(std::slice::from_ref(&forge), "https://conda.example/forge/noarch/a.conda"), expected);
        for elsewhere in ["https://conda.example/forge-labs/a.conda", "https://other.example/forge/a.conda"] {
            assert_eq!(of(std::slice::from_ref(&forge), elsewhere), elsewhere);
        }
    }
}
