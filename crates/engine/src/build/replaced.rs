//! Packages of the foundation that are replaced: what has to go, and what stays and is shadowed.

use std::sync::Arc;

use imagewright_oci::tree::ImageTree;

use super::Shared;
use super::target::PythonBase;
use crate::assemble::removal::{Removal, RemovedPackage};
use crate::base::Base;
use crate::error::BuildError;
use crate::lock::Lock;
use crate::python::installed::{InstalledDistribution, Owner};

impl Shared<'_> {
    /// What has to go of the foundation, and its tree without that.
    pub(super) fn removal(&self, base: &Base, lock: &Lock) -> Result<(Removal, Arc<ImageTree>), BuildError> {
        let whole = &base.foundation.tree;
        if lock.pip.is_empty() {
            return Ok((Removal::default(), Arc::clone(whole)));
        }
        let python = PythonBase::read(whole, &base.config)?;
        let site_folders: Vec<String> = [&python.target.install.purelib, &python.target.install.platlib]
            .into_iter()
            .filter_map(|folder| whole.real_folder(folder).ok())
            .collect();
        let mut removed = Vec::new();
        for distribution in &python.installed.distributions {
            let name = distribution.name.to_string();
            if lock.pip.iter().any(|locked| locked.name == name) {
                removed.extend(self.removed(distribution, &site_folders, whole));
            }
        }
        let removal = Removal::plan(whole, &removed);
        if removal.is_empty() {
            return Ok((removal, Arc::clone(whole)));
        }
        let mut reduced = ImageTree::clone(whole);
        removal.apply(&mut reduced);
        Ok((removal, Arc::new(reduced)))
    }

    /// The files of a replaced distribution; `None` where it stays and is shadowed.
    fn removed(
        &self,
        distribution: &InstalledDistribution,
        site_folders: &[String],
        tree: &ImageTree,
    ) -> Option<RemovedPackage> {
        let events = &self.context.events;
        let label = format!("{} {}", distribution.name, distribution.version);
        if !site_folders.contains(&distribution.folder) {
            // As with pip: what is outside of the environment stays, behind the new one on `sys.path`.
            events
                .log(format!("{label} in /{} stays and is shadowed by the new version", distribution.folder));
            return None;
        }
        let Some(files) = distribution.files(tree) else {
            events.warn(format!(
                "{label} of the base cannot be removed whole: nothing lists its files; the new version is laid over it"
            ));
            return None;
        };
        if distribution.owner != Owner::Pip {
            events.warn(format!(
                "{label} was put into the base by another package manager, which does not learn that it is replaced"
            ));
        }
        Some(RemovedPackage { label, site_folder: distribution.folder.clone(), files })
    }
}
