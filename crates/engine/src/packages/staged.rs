//! What is known of a staged package without staging it again.

use imagewright_oci::digest::{Digest, Sha256Hasher};
use serde::{Deserialize, Serialize};

use crate::cache::{Cache, read_checked, write_checked};
use crate::error::BuildError;
use crate::papers::Licence;
use crate::wheel::{Content, InstallScheme, Interpreter, StagedPackage};

/// Raised whenever staging the same wheel would give other files.
const STAGING_VERSION: u32 = 2;

/// Names everything that staged files depend on: the wheel, the scheme, the interpreter that made the bytecode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StagedKey(pub Digest);

impl StagedKey {
    /// The key of one wheel for one target. `interpreter` is the one that makes the bytecode.
    pub fn new(
        wheel: &Digest,
        scheme: &InstallScheme,
        interpreter: Option<&Interpreter>,
        direct_url: Option<&str>,
    ) -> Self {
        let bytecode = interpreter.map_or_else(|| "none".to_owned(), Interpreter::fingerprint);
        let mut hasher = Sha256Hasher::new();
        let fields = [
            &format!("staged {STAGING_VERSION}"),
            &wheel.to_string(),
            &scheme.purelib,
            &scheme.platlib,
            &scheme.scripts,
            &scheme.headers,
            &scheme.data,
            &scheme.interpreter,
            &format!("{}.{}", scheme.python_version.0, scheme.python_version.1),
            &scheme.cache_tag,
            &bytecode,
            direct_url.unwrap_or_default(),
        ];
        for field in fields {
            hasher.update(field.as_bytes());
            hasher.update(b"\0");
        }
        Self(hasher.finish().0)
    }
}

/// What is known of a staged package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedFacts {
    /// Name as its metadata spells it.
    pub name: String,
    /// Version as PEP 440 normalises it.
    pub version: String,
    /// What it says of its licence.
    pub licence: Option<Licence>,
    /// Absolute paths of its files, in the order of the tar.
    pub paths: Vec<String>,
    /// Path of the `REQUESTED` marker.
    pub requested_path: String,
    /// Path of `RECORD`.
    pub record_path: String,
    /// `RECORD` with the marker in it.
    pub requested_record: String,
    /// Oddities, as sentences.
    pub warnings: Vec<String>,
    /// Bytes of all files.
    pub size: u64,
}

impl StagedFacts {
    /// Takes down what a staged package is.
    pub fn of(package: &StagedPackage) -> Self {
        let record = match &package.requested.record.content {
            Content::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Content::Staged(_) | Content::Symlink(_) => String::new(),
        };
        Self {
            name: package.name.clone(),
            version: package.version.clone(),
            licence: package.licence.clone(),
            paths: package.files.iter().map(|file| file.path.clone()).collect(),
            requested_path: package.requested.marker.path.clone(),
            record_path: package.requested.record.path.clone(),
            requested_record: record,
            warnings: package.warnings.clone(),
            size: package.size(),
        }
    }

    /// Facts of an earlier build; damaged ones count as none.
    ///
    /// # Errors
    /// A cache that cannot be read.
    pub fn known(cache: &Cache, key: StagedKey) -> Result<Option<Self>, BuildError> {
        let bytes = read_checked(&Self::path(cache, key))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Remembers the facts.
    ///
    /// # Errors
    /// A cache that cannot be written.
    pub fn remember(&self, cache: &Cache, key: StagedKey) -> Result<(), BuildError> {
        let bytes = serde_json::to_vec(self).map_err(|error| {
            BuildError::internal("what is known of a package cannot be written").with_source(error)
        })?;
        write_checked(&Self::path(cache, key), &bytes)
    }

    fn path(cache: &Cache, key: StagedKey) -> std::path::PathBuf {
        cache.frames().join(format!("{}.facts", key.0.hex()))
    }
}
