//! A dry run: what an image would hold, without pushing anything.

use futures_util::{StreamExt as _, stream};
use imagewright_oci::manifest::Platform;
use serde::Serialize;

use super::Shared;
use super::describe::{describe_base, describe_lock, replaced_lines, system_lines};
use crate::error::BuildError;
use crate::event::Step;
use crate::lock::LockedCondaPackage;
use crate::scope::Scope;

/// Wheels whose sizes are asked for at the same time.
const CONCURRENT_SIZES: usize = 8;

/// What a dry run says of one platform.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedImage {
    /// `linux/amd64`.
    pub platform: String,
    /// Digest of the base's manifest.
    pub base_digest: imagewright_oci::digest::Digest,
    /// System packages that would be installed or replaced, `name version`, in order of name. They have been
    /// installed to find out, and are kept for the build.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub system: Vec<String>,
    /// conda packages that would be put in, `name version build`, in the order in which conda links them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conda: Vec<String>,
    /// Packages that would be added, in pip's order.
    pub packages: Vec<PlannedPackage>,
    /// Packages of the base that would be replaced, `name old → new`.
    pub replaced: Vec<String>,
    /// Packages of the base that satisfy a requirement, `name==version`.
    pub kept: Vec<String>,
}

/// A package that would be added.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedPackage {
    /// Normalised name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Name of the wheel.
    pub file: String,
    /// Bytes of the wheel, where they could be told.
    pub size: Option<u64>,
    /// True when nothing of it is on this machine yet.
    pub new: bool,
}

impl Shared<'_> {
    /// Resolves one platform's packages.
    pub(super) async fn dry_run(&self, platform: &Platform) -> Result<PlannedImage, BuildError> {
        let (image, own) = self.find_base(platform).await?;
        let base_digest = image.digest();
        let step = self.context.events.start(Step::Base, Some(&platform.to_string()));
        let mut base = self.load_base(image, own.as_ref(), &step).await?;
        step.finish(describe_base(&base));
        let system = self.system(&mut base, platform, &mut Vec::new()).await?;
        let conda = self.conda(&mut base, own.as_ref(), None, platform, &mut Vec::new()).await?;
        let python = self.python(&base, own.as_ref())?;
        let step = self.context.events.start(Step::Resolve, Some(&platform.to_string()));
        let mut lock = self.resolve(&base, own.as_ref(), python.as_ref(), conda.as_ref(), platform).await?;
        step.finish(describe_lock(&lock));
        lock.take_system_packages(own.as_ref().map(|own| &own.lock), &system.packages);
        let downloader = self.downloader()?;
        let scopes = [&Scope::readable_by(&self.plan.owner())[..], &[self.built_scope(&base)]].concat();
        let sizes = stream::iter(&lock.pip)
            .map(|package| async {
                let cache = &self.context.cache;
                let cached = scopes.iter().find_map(|scope| cache.of(scope).wheel_size(package));
                let size = match cached {
                    Some(size) => Some(size),
                    None if package.built.is_some() => None,
                    None => downloader.size(&package.url).await,
                };
                PlannedPackage {
                    name: package.name.clone(),
                    version: package.version.clone(),
                    file: package.file.clone(),
                    size,
                    new: cached.is_none(),
                }
            })
            .buffered(CONCURRENT_SIZES);
        Ok(PlannedImage {
            platform: platform.to_string(),
            base_digest,
            system: system_lines(&lock),
            conda: conda
                .iter()
                .flat_map(|conda| &conda.locked.packages)
                .map(LockedCondaPackage::label)
                .collect(),
            packages: sizes.collect().await,
            replaced: replaced_lines(&lock),
            kept: lock.kept,
        })
    }
}
