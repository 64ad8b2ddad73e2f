//! Making the frames of conda packages, and the index of each: what comes after them (pip, activation) sees the
//! prefix as it will be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use imagewright_oci::digest::{Digest, Sha256Hasher};
use imagewright_oci::layer::codec::Compression;
use imagewright_oci::layer::index::{IndexLimits, LayerIndex, index_layer};
use imagewright_oci::tree::ImageTree;
use rattler::install::PythonInfo;
use rattler_conda_types::{RepoDataRecord, Subdir};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use url::Url;

use super::prepare::StopOnDrop;
use super::together::{Placed, prepare_together};
use crate::assemble::frame::{FrameKey, write_frame};
use crate::assemble::overlap::Overlaps;
use crate::assemble::placement::{Placement, Placer};
use crate::base::blocking;
use crate::cache::{Cache, StagingFolder, read_checked, write_checked, write_entry};
use crate::cancel::CancellationToken;
use crate::conda::{StageInput, label, on_mirrors, stage};
use crate::error::BuildError;
use crate::event::RunningStep;
use crate::lock::LockedCondaPackage;
use crate::pip::download::{Downloader, FetchedFile, WantedFile};
use crate::pip::{FileUrl, PipError};
use crate::scope::Scope;
use crate::wheel::{BytecodeCompiler, Interpreter};

/// Raised whenever staging the same package would give other files.
const STAGING_VERSION: u32 = 1;

/// A conda package whose frame is in the cache.
#[derive(Debug, Clone)]
pub struct PreparedConda {
    /// `numpy 1.26.4 py311_0`.
    pub label: String,
    /// What a user should know.
    pub warnings: Vec<String>,
    /// Where its files go.
    pub placement: Arc<Placement>,
    /// Its frame.
    pub frame: FrameKey,
    /// For whom the frame is.
    pub scope: Scope,
    /// Compressed bytes of the frame.
    pub size: u64,
    /// What the frame adds to a tree.
    pub index: Arc<LayerIndex>,
    /// True when the frame was made in this build.
    pub fresh: bool,
}

impl Placed for PreparedConda {
    fn label(&self) -> &str {
        &self.label
    }

    fn placement(&self) -> &Placement {
        &self.placement
    }
}

/// Everything that preparing conda packages needs.
pub struct CondaPreparer {
    /// Where frames are kept.
    pub cache: Cache,
    /// The scopes in which frames of earlier builds may be found, the best first.
    pub scopes: Vec<Scope>,
    /// This build's own folder.
    pub staging: Arc<StagingFolder>,
    /// The base's tree, with replaced packages taken out.
    pub tree: Arc<ImageTree>,
    /// The prefix as the image names it.
    pub prefix: String,
    /// Platform of the image.
    pub subdir: Subdir,
    /// The prefix's Python.
    pub python: Option<PythonInfo>,
    /// Makes bytecode for packages that bring none.
    pub compiler: Option<Arc<BytecodeCompiler>>,
    /// Codec of the frames.
    pub compression: Compression,
    /// Fetches archives.
    pub downloader: Downloader,
    /// Mirrors of channels, by their names.
    pub mirrors: BTreeMap<String, Vec<Url>>,
    /// Bytes that were fetched.
    pub downloaded: AtomicU64,
    /// One permit a processor: staging and compressing hold one.
    pub processors: Arc<Semaphore>,
    /// Ends the work.
    pub cancellation: CancellationToken,
}

/// A package of the lock, and for whom all is that is made of it.
pub struct WantedConda<'lock> {
    /// The package.
    pub package: &'lock LockedCondaPackage,
    /// The scope of its archive.
    pub scope: Scope,
}

/// What is known of a staged package without staging it again.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Facts {
    /// Absolute paths of its files, in the order of the tar.
    paths: Vec<String>,
    /// What a user should know.
    warnings: Vec<String>,
}

impl CondaPreparer {
    /// Prepares all packages, given in the order in which conda links them, and settles the paths that several of
    /// them bring: the last one keeps them.
    ///
    /// # Errors
    /// Downloads that fail, packages that are refused, files that cannot be placed, a full disk.
    pub async fn prepare(
        &self,
        packages: &[WantedConda<'_>],
        step: &RunningStep,
    ) -> Result<(Vec<PreparedConda>, Overlaps), BuildError> {
        let prepare =
            async |at: usize, left_out: &BTreeSet<String>| self.package(&packages[at], left_out).await;
        prepare_together(packages.len(), prepare, step, &self.cancellation).await
    }

    async fn package(
        &self,
        wanted: &WantedConda<'_>,
        left_out: &BTreeSet<String>,
    ) -> Result<PreparedConda, BuildError> {
        let record = &wanted.package.record;
        let key = self.key(record)?;
        for scope in &self.scopes {
            if let Some(found) = self.find(record, key, left_out.clone(), scope.clone()).await? {
                return Ok(found);
            }
        }
        let (archive, scope) = self.archive(wanted).await?;
        self.make(record, archive, key, left_out.clone(), scope).await
    }

    /// Names everything that the staged files depend on.
    fn key(&self, record: &RepoDataRecord) -> Result<Digest, BuildError> {
        let text = serde_json::to_string(record)
            .map_err(|error| BuildError::internal("a record cannot be written").with_source(error))?;
        // Only pure Python depends on the Python of the prefix.
        let python = self.python.as_ref().filter(|_| record.package_record.noarch.is_python());
        let python = python.map_or_else(String::new, |python| {
            let (major, minor) = python.short_version;
            let compiler = self.compiler.as_deref().map(BytecodeCompiler::interpreter);
            let bytecode = compiler.map_or_else(|| "none".to_owned(), Interpreter::fingerprint);
            format!("{major}.{minor} {} {bytecode}", python.site_packages_path.display())
        });
        let mut hasher = Sha256Hasher::new();
        let fields = [
            &format!("staged conda {STAGING_VERSION}"),
            &text,
            &self.prefix,
            &self.subdir.to_string(),
            &python,
        ];
        for field in fields {
            hasher.update(field.as_bytes());
            hasher.update(b"\0");
        }
        Ok(hasher.finish().0)
    }

    /// The archive: of an earlier build, or fetched.
    async fn archive(&self, wanted: &WantedConda<'_>) -> Result<(PathBuf, Scope), BuildError> {
        let record = &wanted.package.record;
        let file = WantedFile {
            file_name: wanted.package.file_name(),
            url: FileUrl::new(record.url.clone()),
            sha256: Some(wanted.package.sha256()?.hex()),
            size: record.package_record.size,
        };
        for scope in &self.scopes {
            if let Some(found) = self.downloader_for(scope).find(&file).await? {
                return Ok((found.path, scope.clone()));
            }
        }
        let file = self.fetch(&wanted.scope, file, &record.url).await?;
        if !file.cached {
            self.downloaded.fetch_add(file.size, Ordering::Relaxed);
        }
        Ok((file.path, wanted.scope.clone()))
    }

    /// Fetches an archive: from the next mirror where one does not answer, or has not got it.
    async fn fetch(&self, scope: &Scope, file: WantedFile, address: &Url) -> Result<FetchedFile, BuildError> {
        let mut first = None;
        for mirror in on_mirrors(&self.mirrors, address) {
            let file = WantedFile { url: FileUrl::new(mirror), ..file.clone() };
            let fetched = self.downloader_for(scope).fetch(&[file], &|_, _| {}, &self.cancellation).await;
            match fetched.map(|files| files.into_iter().next()) {
                Ok(Some(file)) => return Ok(file),
                Err(error @ (PipError::Unreachable { .. } | PipError::FileGone { .. })) => {
                    first = first.or(Some(error));
                }
                Err(error) => return Err(error.into()),
                Ok(None) => break,
            }
        }
        Err(first.map_or_else(|| BuildError::internal("a package was fetched and is not there"), Into::into))
    }

    fn downloader_for(&self, scope: &Scope) -> Downloader {
        self.downloader.with_cache_folder(self.cache.of(scope).room())
    }

    /// The frame of an earlier build, in one scope.
    async fn find(
        &self,
        record: &RepoDataRecord,
        key: Digest,
        left_out: BTreeSet<String>,
        scope: Scope,
    ) -> Result<Option<PreparedConda>, BuildError> {
        let (cache, tree, compression) = (self.cache.of(&scope), Arc::clone(&self.tree), self.compression);
        let label = label(record);
        blocking(move || {
            let facts = read_checked(&facts_path(&cache, key))?;
            let Some(facts) = facts.and_then(|bytes| serde_json::from_slice::<Facts>(&bytes).ok()) else {
                return Ok(None);
            };
            let placement = Placer::new(&tree).place(&label, facts.paths.iter().map(String::as_str))?;
            let frame = FrameKey::new(key, &placement, &left_out, compression);
            let Some(size) = frame.cached_size(&cache) else { return Ok(None) };
            let index = std::fs::File::open(index_path(&cache, &frame)).ok();
            let index = index.and_then(|file| LayerIndex::load(std::io::BufReader::new(file)).ok());
            Ok(index.map(|index| PreparedConda {
                label,
                warnings: facts.warnings,
                placement: Arc::new(placement),
                frame,
                scope,
                size,
                index: Arc::new(index),
                fresh: false,
            }))
        })
        .await?
    }

    /// Stages the package, compresses its frame and reads that back, on one processor.
    async fn make(
        &self,
        record: &RepoDataRecord,
        archive: PathBuf,
        key: Digest,
        left_out: BTreeSet<String>,
        scope: Scope,
    ) -> Result<PreparedConda, BuildError> {
        let permit = Arc::clone(&self.processors)
            .acquire_owned()
            .await
            .map_err(|error| BuildError::internal("the build's processors are gone").with_source(error))?;
        let stop = StopOnDrop::new();
        let stopped = stop.flag();
        let (cache, tree, compression) = (self.cache.of(&scope), Arc::clone(&self.tree), self.compression);
        let (python, compiler) = (self.python.clone(), self.compiler.clone());
        let (prefix, subdir) = (self.prefix.clone(), self.subdir);
        let (staging, record) = (Arc::clone(&self.staging), record.clone());
        let outcome = blocking(move || {
            // Held until the work on this thread has really ended, also when nobody waits for it any more.
            let _permit = permit;
            let folder = staging.subfolder(&key.hex())?;
            let label = label(&record);
            let input = StageInput {
                archive: &archive,
                record: &record,
                prefix: &prefix,
                subdir,
                python: python.as_ref(),
                compiler: compiler.as_deref(),
            };
            let staged = stage(input, &folder, &stopped).map_err(|problem| problem.of(&label))?;
            let facts = Facts {
                paths: staged.files.iter().map(|file| file.path.clone()).collect(),
                warnings: staged.warnings,
            };
            let placement = Placer::new(&tree).place(&label, facts.paths.iter().map(String::as_str))?;
            let frame = FrameKey::new(key, &placement, &left_out, compression);
            let size =
                write_frame(&cache, &frame, &staged.files, &placement, &left_out, compression, &stopped)?;
            let index = index_of(&cache, &frame)?;
            let text = serde_json::to_vec(&facts).map_err(|error| {
                BuildError::internal("what is known of a package cannot be written").with_source(error)
            })?;
            write_checked(&facts_path(&cache, key), &text)?;
            // Frees the space early; the build's own folder goes in any case.
            let _ = std::fs::remove_dir_all(&folder);
            Ok(PreparedConda {
                label,
                warnings: facts.warnings,
                placement: Arc::new(placement),
                frame,
                scope,
                size,
                index: Arc::new(index),
                fresh: true,
            })
        })
        .await?;
        drop(stop);
        outcome
    }
}

fn facts_path(cache: &Cache, key: Digest) -> PathBuf {
    cache.frames().join(format!("{}.facts", key.hex()))
}

fn index_path(cache: &Cache, frame: &FrameKey) -> PathBuf {
    cache.frames().join(format!("{}.index", frame.hex()))
}

/// Reads a frame as the layer that it will be a part of, and keeps what it adds.
fn index_of(cache: &Cache, frame: &FrameKey) -> Result<LayerIndex, BuildError> {
    let path = frame.path(cache);
    let file = std::fs::File::open(&path).map_err(|error| BuildError::file("read", &path, error))?;
    let index = index_layer(std::io::BufReader::new(file), IndexLimits::default())
        .map_err(|error| BuildError::internal("a frame cannot be read back").with_source(error))?;
    write_entry(&index_path(cache, frame), |file| index.store(file))?;
    Ok(index)
}
