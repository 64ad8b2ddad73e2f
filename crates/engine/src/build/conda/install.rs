//! Taking out of the base what goes, preparing what comes, and laying it over the base.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use imagewright_oci::digest::Digest;
use imagewright_oci::layer::entry::{Change, Kind};
use imagewright_oci::layer::index::LayerIndex;
use imagewright_oci::layer::path::{has_extension, join, normalise, split};
use imagewright_oci::manifest::Platform;
use imagewright_oci::tree::ImageTree;
use rattler_conda_types::RepoDataRecord;

use super::super::Shared;
use super::super::target::compiler_of;
use super::CondaStep;
use super::clobbered::clobbered;
use super::history::top_files;
use super::over_pip;
use crate::assemble::folders::folder_metadata;
use crate::assemble::overlap::Overlaps;
use crate::assemble::removal::{Removal, RemovedPackage};
use crate::base::Base;
use crate::conda::{
    CondaPrefix, InstalledPackage, InstalledPrefix, LockedConda, activate, python_info, subdir,
};
use crate::error::BuildError;
use crate::event::RunningStep;
use crate::packages::{CondaPreparer, PreparedConda, WantedConda};
use crate::scope::{PublicSources, Scope};
use crate::wheel::{BytecodeCompiler, Interpreter};

impl Shared<'_> {
    /// Prepares what a lock says and lays it over the base. Returns it with the bytes that were downloaded.
    /// `inherited` is what the base says of itself where it is an image of ours.
    pub(super) async fn install_conda(
        &self,
        base: &mut Base,
        prefix: &CondaPrefix,
        mut locked: LockedConda,
        inherited: Option<&LockedConda>,
        platform: &Platform,
        step: &RunningStep,
    ) -> Result<(CondaStep, u64), BuildError> {
        let whole = Arc::clone(&base.foundation.tree);
        let below = InstalledPrefix::read(&whole, prefix)?;
        let gone: Vec<&InstalledPackage> =
            below.packages.iter().filter(|package| locked.removed.contains(&package.label())).collect();
        let mut removed = files_of(&whole, prefix, &gone);
        let (_, reduced) = without(&whole, &removed);

        let stays = below.packages.iter().filter(|package| !locked.removed.contains(&package.label()));
        let stays: Vec<&InstalledPackage> = stays.collect();
        let all: Vec<RepoDataRecord> = stays
            .iter()
            .map(|package| package.record.clone())
            .chain(locked.packages.iter().map(|package| package.record.clone()))
            .collect();
        let subdir = subdir(platform)?;
        let python = python_info(&all, subdir)?;
        let needs_bytecode =
            locked.packages.iter().any(|package| package.record.package_record.noarch.is_python());
        let version = all.iter().find(|record| record.package_record.name.as_normalized() == "python");
        locked.python =
            version.filter(|_| needs_bytecode).map(|python| python.package_record.version.to_string());
        let is_without = !self.plan.locks.is_empty() && locked.bytecode.is_none();
        let compiler = match &locked.python {
            _ if is_without => None,
            Some(version) => compiler_of(version, &self.context.events).await?,
            None => None,
        };
        locked.bytecode =
            compiler.as_deref().map(BytecodeCompiler::interpreter).map(Interpreter::fingerprint);
        let mut downloader = self.downloader()?;
        downloader.set_channel_credentials(self.plan.conda.credentials.clone());
        let work = CondaPreparer {
            cache: self.context.cache.clone(),
            scopes: Scope::readable_by(&self.owner).to_vec(),
            staging: Arc::clone(&self.staging),
            tree: Arc::clone(&reduced),
            prefix: locked.prefix.clone(),
            subdir,
            python,
            compiler,
            compression: self.plan.compression,
            downloader,
            mirrors: self.plan.conda.mirrors.clone(),
            downloaded: AtomicU64::new(0),
            processors: Arc::clone(&self.processors),
            cancellation: self.context.cancellation.clone(),
        };
        let public = PublicSources::of(self.plan);
        let wanted: Vec<WantedConda<'_>> = locked
            .packages
            .iter()
            .map(|package| WantedConda { package, scope: public.scope_of_conda(&package.record) })
            .collect();
        let (prepared, overlaps) = work.prepare(&wanted, step).await?;
        let fetched = work.downloaded.load(Ordering::Relaxed);
        drop(wanted);
        self.report_conda(&prepared, &overlaps);

        let brought = over_pip::brought(&prepared);
        let make_way = over_pip::make_way(&whole, &base.config, &brought);
        for package in &make_way {
            let label = &package.label;
            self.context
                .events
                .warn(format!("{label}, which pip had installed, makes way for conda's package"));
        }
        removed.extend(make_way);
        let (removal, reduced) = without(&whole, &removed);
        for warning in clobbered(&reduced, prefix, &stays, &prepared) {
            self.context.events.warn(warning);
        }
        let over_whole_base = !Arc::ptr_eq(&base.tree, &whole);
        base.foundation.tree = Arc::new(overlaid(&reduced, &prepared)?);
        base.tree = if over_whole_base {
            // An image of ours: what its own layers had in the prefix makes way for what the lock says.
            let own = InstalledPrefix::read(&base.tree, prefix)?;
            let known: BTreeSet<String> = all.iter().map(crate::conda::label).collect();
            let gone: Vec<&InstalledPackage> =
                own.packages.iter().filter(|package| !known.contains(&package.label())).collect();
            let mut removed = files_of(&base.tree, prefix, &gone);
            removed.extend(over_pip::make_way(&base.tree, &base.config, &brought));
            Arc::new(overlaid(&without(&base.tree, &removed).1, &prepared)?)
        } else {
            Arc::clone(&base.foundation.tree)
        };
        let earlier = inherited.map(|inherited| &inherited.variables[..]).unwrap_or_default();
        let (variables, not_run) = activate(&mut base.config, &base.tree, prefix, earlier)?;
        locked.variables = variables;
        for script in &not_run {
            self.context.events.warn(format!(
                "{script} does more than set variables and is not run: `source {}/{script}` where you need it",
                prefix.path
            ));
        }
        let top = top_files(&whole, &base.foundation.tree, prefix, &locked, &base.config)?;
        let brought = brought.into_iter().map(|(name, _)| name).collect();
        Ok((
            CondaStep { locked, removal, whole, reduced, prepared, top, brought, stored: Vec::new() },
            fetched,
        ))
    }

    fn report_conda(&self, prepared: &[PreparedConda], overlaps: &Overlaps) {
        let events = &self.context.events;
        for package in prepared {
            for warning in &package.warnings {
                events.warn(format!("{}: {warning}", package.label));
            }
        }
        for overlap in &overlaps.overlaps {
            if let Some((kept, others)) = overlap.packages.split_last() {
                let path = &overlap.path;
                events.warn(format!(
                    "/{path} is in {} and in {kept}: that of {kept} is used, as conda does it",
                    others.join(", ")
                ));
            }
        }
    }
}

/// What has to be hidden so that nothing is left of packages, and the tree without it.
fn without(tree: &Arc<ImageTree>, removed: &[RemovedPackage]) -> (Removal, Arc<ImageTree>) {
    let removal = Removal::plan(tree, removed);
    if removal.is_empty() {
        return (removal, Arc::clone(tree));
    }
    let mut reduced = ImageTree::clone(tree);
    removal.apply(&mut reduced);
    (removal, Arc::new(reduced))
}

/// Packages that go: their files, bytecode made of them, their records.
fn files_of(tree: &ImageTree, prefix: &CondaPrefix, gone: &[&InstalledPackage]) -> Vec<RemovedPackage> {
    gone.iter()
        .map(|package| {
            let record = format!("conda-meta/{}", package.record_file);
            let files = package.files.iter().chain([&record]);
            let mut real = Vec::new();
            for file in files {
                let Some(path) = real_path(tree, prefix, file) else { continue };
                real.extend(bytecode_of(tree, &path));
                real.push(path);
            }
            RemovedPackage { label: package.label(), site_folder: prefix.real.clone(), files: real }
        })
        .collect()
}

/// The real path of a file in the prefix. A record may name anything: what leads out of the image is nothing.
pub(super) fn real_path(tree: &ImageTree, prefix: &CondaPrefix, file: &str) -> Option<String> {
    let path = normalise(prefix.inside(file).as_bytes()).ok()?;
    let (folder, name) = split(&path);
    Some(join(&tree.real_folder(folder).ok()?, name))
}

/// Bytecode that Python has made of a module since it was installed.
fn bytecode_of(tree: &ImageTree, path: &str) -> Vec<String> {
    let (folder, name) = split(path);
    let Some(module) = name.strip_suffix(".py") else { return Vec::new() };
    let cache = join(folder, "__pycache__");
    let of_module = |name: &str| {
        let rest = name.strip_prefix(module).and_then(|rest| rest.strip_prefix('.'));
        rest.is_some_and(|rest| has_extension(rest, "pyc"))
    };
    let found = tree.children(&cache).filter(|(name, _)| of_module(name));
    found.map(|(name, _)| join(&cache, name)).collect()
}

/// A tree with the packages laid over it: first their folders as layers will have them, then their files.
fn overlaid(tree: &ImageTree, prepared: &[PreparedConda]) -> Result<ImageTree, BuildError> {
    let folders: BTreeSet<&str> =
        prepared.iter().flat_map(|package| &package.placement.folders).map(String::as_str).collect();
    let changes = folders
        .iter()
        .map(|folder| Change::Add {
            path: (*folder).into(),
            metadata: folder_metadata(tree, folder),
            kind: Kind::Directory,
        })
        .collect();
    let folders = LayerIndex {
        diff_id: Digest::of(b""),
        uncompressed_size: 0,
        changes,
        contents: BTreeMap::new(),
        binaries: BTreeMap::new(),
    };
    let mut over = tree.clone();
    for index in std::iter::once(&folders).chain(prepared.iter().map(|package| &*package.index)) {
        over.apply(index).map_err(|error| {
            BuildError::internal("conda packages do not fit their base").with_source(error)
        })?;
    }
    Ok(over)
}
