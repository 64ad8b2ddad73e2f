//! From what was asked for to a lock: the exact packages of the image.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use imagewright_oci::digest::Digest;
use imagewright_oci::manifest::Platform;

use super::Shared;
use super::conda::CondaStep;
use super::target::PythonBase;
use crate::base::{Base, OwnImage};
use crate::error::{BuildError, ErrorKind};
use crate::lock::{LOCK_VERSION, Lock, LockedBase, LockedPackage, LockedPython, LockedReplacement};
use crate::pip::download::{DownloadSettings, Downloader, WantedFile};
use crate::pip::{PipInput, PipResolver, Resolution, ResolvedPackage, ResolverSettings, Source, UvBinary};
use crate::system::StoredLayer;

/// How long resolving may take.
const RESOLVE_TIMEOUT: Duration = Duration::from_mins(10);

impl Shared<'_> {
    /// Resolves the plan's packages for a base.
    pub(super) async fn resolve(
        &self,
        base: &Base,
        own: Option<&OwnImage>,
        python: Option<&PythonBase>,
        conda: Option<&CondaStep>,
        platform: &Platform,
    ) -> Result<Lock, BuildError> {
        // What conda puts in now takes the place of what pip had put into an image of ours.
        let is_condas = |name: &str| conda.is_some_and(|conda| conda.brought.contains(name));
        let inherited = own.map(|own| own.lock.pip.clone()).unwrap_or_default();
        let inherited = inherited.into_iter().filter(|package| !is_condas(&package.name)).collect();
        let mut lock = Lock {
            version: LOCK_VERSION,
            platform: platform.to_string(),
            base: own.map_or_else(
                || LockedBase { reference: self.plan.spec.base.to_string(), digest: base.image.digest() },
                |own| own.lock.base.clone(),
            ),
            python: None,
            spec_hash: self.plan.spec.spec_hash().to_string(),
            compression: self.plan.compression,
            // What an image of ours below had installed cannot be told apart from what is installed now.
            apt_requested: match own {
                Some(own) if self.plan.spec.apt.is_empty() => own.lock.apt_requested.clone(),
                Some(own) if !own.lock.apt.is_empty() => Vec::new(),
                _ => self.plan.spec.clone().normalised().apt,
            },
            apt: Vec::new(),
            conda: None,
            pip: inherited,
            replaced: own.map(|own| own.lock.replaced.clone()).unwrap_or_default(),
            kept: Vec::new(),
        };
        let Some(python) = python else { return Ok(lock) };
        lock.python = Some(LockedPython {
            version: python.target.version.to_string(),
            executable: python.target.executable_path(),
            bytecode: None,
        });
        if self.plan.spec.pip.requirements.is_empty() {
            return Ok(lock);
        }
        let resolution = self.resolution(python, base, conda.map_or(&[], |conda| &conda.stored)).await?;
        for notice in &resolution.notices {
            self.context.events.log(notice.clone());
        }
        for warning in &resolution.warnings {
            self.context.events.warn(warning.clone());
        }
        let digests = self.direct_digests(&resolution).await?;
        for package in &resolution.packages {
            add(&mut lock, package, &digests)?;
        }
        self.remember_addresses(&resolution);
        for replaced in resolution.packages.iter().filter_map(announcement) {
            self.context.events.log(replaced);
        }
        lock.kept.sort();
        Ok(lock)
    }

    /// Keeps the whole addresses of wheels for this build's downloads.
    fn remember_addresses(&self, resolution: &Resolution) {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        for package in &resolution.packages {
            if let Source::Wheel(wheel) = &package.source
                && let Ok(digest) = format!("sha256:{}", wheel.sha256).parse()
            {
                addresses.insert(digest, wheel.url.clone());
            }
        }
    }

    async fn resolution(
        &self,
        python: &PythonBase,
        base: &Base,
        above: &[StoredLayer],
    ) -> Result<Resolution, BuildError> {
        let mut request = self.plan.spec.pip.clone();
        request.attach_credentials(&self.plan.index_credentials);
        let mut settings = ResolverSettings::new(self.owners_cache().uv(), self.staging.path());
        settings.ca_bundles.clone_from(&self.plan.ca_bundles);
        settings.timeout = RESOLVE_TIMEOUT;
        settings.recent_pages = !self.plan.fresh;
        settings.read_timeout = self.plan.patience.timeout();
        settings.retries = self.plan.patience.retries();
        let resolver =
            PipResolver::new(UvBinary::find().await?, settings).with_sources(self.sources(base, above)?);
        let input = PipInput {
            request: &request,
            target: &python.target,
            installed: &python.installed,
            settings: &python.settings,
        };
        Ok(resolver.resolve(input, &self.context.cancellation).await?)
    }

    /// A client for wheels, which keeps them for the owner.
    pub(super) fn downloader(&self) -> Result<Downloader, BuildError> {
        let mut settings = DownloadSettings::new(self.owners_cache().room(), self.staging.path());
        settings.read_timeout = self.plan.patience.timeout();
        settings.retries = self.plan.patience.retries();
        settings.ca_bundles.clone_from(&self.plan.ca_bundles);
        settings.credentials.clone_from(&self.plan.index_credentials);
        settings.credentials.extend(self.plan.spec.pip.credentials());
        settings.mirrors.clone_from(&self.plan.mirrors);
        Ok(Downloader::new(settings)?)
    }

    /// Digests of wheels that were asked for by address without one: they are fetched to have it.
    async fn direct_digests(&self, resolution: &Resolution) -> Result<BTreeMap<String, String>, BuildError> {
        let mut digests = BTreeMap::new();
        let mut wanted = Vec::new();
        for package in &resolution.packages {
            if let Source::DirectUrl(wheel) = &package.source {
                match &wheel.sha256 {
                    Some(sha256) => {
                        digests.insert(package.name.to_string(), sha256.clone());
                    }
                    None => wanted.push((
                        package.name.to_string(),
                        WantedFile {
                            file_name: wheel.file_name.clone(),
                            url: wheel.url.clone(),
                            sha256: None,
                            size: None,
                        },
                    )),
                }
            }
        }
        if wanted.is_empty() {
            return Ok(digests);
        }
        let (names, files): (Vec<_>, Vec<_>) = wanted.into_iter().unzip();
        let fetched = self.downloader()?.fetch(&files, &|_, _| {}, &self.context.cancellation).await?;
        digests.extend(names.into_iter().zip(fetched.into_iter().map(|file| file.sha256)));
        Ok(digests)
    }
}

/// The sentence that tells people of a package of the base that has to go.
fn announcement(package: &ResolvedPackage) -> Option<String> {
    let old = &package.replaces.as_ref()?.version;
    Some(format!(
        "{} {old} of the base gives way to {}: the requirements do not allow it",
        package.name, package.version
    ))
}

/// Takes one resolved package into the lock.
fn add(
    lock: &mut Lock,
    package: &ResolvedPackage,
    direct_digests: &BTreeMap<String, String>,
) -> Result<(), BuildError> {
    let name = package.name.to_string();
    let version = package.version.to_string();
    let known = lock.pip.iter_mut().find(|locked| locked.name == name);
    let (file, url, sha256, direct_url) = match &package.source {
        Source::Kept => {
            match known {
                // It is in one of our own layers, which are made anew.
                Some(locked) => locked.requested |= package.requested,
                None => lock.kept.push(format!("{name}=={version}")),
            }
            return Ok(());
        }
        Source::Wheel(wheel) => (&wheel.file_name, wheel.url.to_string(), &wheel.sha256, None),
        Source::DirectUrl(wheel) => {
            let sha256 = direct_digests
                .get(&name)
                .ok_or_else(|| BuildError::internal(format!("no digest is known for the wheel of {name}")))?;
            (&wheel.file_name, wheel.url.to_string(), sha256, Some(wheel.direct_url_json(sha256)))
        }
        Source::Built(wheel) => {
            let url = wheel.build.source.url().to_owned();
            (&wheel.file_name, url, &wheel.sha256.hex(), wheel.direct_url.clone())
        }
    };
    let sha256: Digest = format!("sha256:{sha256}").parse().map_err(|error| {
        BuildError::new(ErrorKind::DigestMismatch, format!("the index gives no usable digest for {file}"))
            .with_next_step("use an index that publishes SHA-256 digests")
            .with_source(error)
    })?;
    if let Some(replaced) = &package.replaces {
        let old = replaced.version.to_string();
        match lock.replaced.iter_mut().find(|replacement| replacement.name == name) {
            Some(replacement) => replacement.new.clone_from(&version),
            // What one of our own layers brought is not in the base: it is simply not brought again.
            None if known.is_none() => {
                lock.replaced.push(LockedReplacement { name: name.clone(), old, new: version.clone() });
            }
            None => {}
        }
    }
    lock.pip.retain(|locked| locked.name != name);
    lock.pip.push(LockedPackage {
        name,
        version,
        file: file.clone(),
        url,
        sha256,
        requested: package.requested,
        direct_url,
        built: match &package.source {
            Source::Built(wheel) => Some(wheel.build.clone()),
            _ => None,
        },
    });
    Ok(())
}
