//! Packages that are published as source only: where they are built, and where their wheels are kept.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use super::system::step_image;
use crate::base::Base;
use crate::error::{BuildError, ErrorKind};
use crate::lock::Lock;
use crate::pip::source::{GitSettings, Rooms, SourceSettings, find_built};
use crate::scope::Scope;
use crate::system::{SandboxRooms, StoredLayer};

/// How long building one package may take: the largest that people build take half an hour on one processor.
const BUILD_TIMEOUT: Duration = Duration::from_hours(1);

impl Shared<'_> {
    /// For whom wheels are that were built by executing a base.
    pub(super) fn built_scope(&self, base: &Base) -> Scope {
        Scope::OwnerAndBase(self.owner.clone(), base.image.digest())
    }

    /// How packages are built; `above` are layers over the base that they see.
    pub(super) fn sources(
        &self,
        base: &Base,
        above: &[StoredLayer],
    ) -> Result<Arc<SourceSettings>, BuildError> {
        let rooms = self.rooms(base, above)?;
        let system = base.system.as_ref().map_or_else(String::new, |system| system.diff_id.to_string());
        let mut credentials = self.plan.index_credentials.clone();
        credentials.extend(self.plan.spec.pip.credentials());
        let events = self.context.events.clone();
        Ok(Arc::new(SourceSettings {
            rooms,
            downloader: self.downloader()?,
            cache_folder: self.context.cache.of(&self.built_scope(base)).room().to_owned(),
            environment: above
                .iter()
                .fold(format!("{} {system}", base.image.digest()), |environment, layer| {
                    format!("{environment} {}", layer.diff_id)
                }),
            staging_folder: self.staging.path().to_owned(),
            git: GitSettings {
                credentials,
                ca_bundles: self.plan.ca_bundles.clone(),
                ..GitSettings::default()
            },
            timeout: BUILD_TIMEOUT,
            report: Arc::new(move |line| events.log(line)),
        }))
    }

    /// True when every wheel of a lock that was built for this base is still here.
    pub(super) fn has_built_wheels(&self, base: &Base, lock: &Lock) -> bool {
        let cache = self.context.cache.of(&self.built_scope(base));
        lock.pip
            .iter()
            .filter(|package| package.built.is_some())
            .all(|package| find_built(cache.room(), &package.sha256, &package.file).is_some())
    }

    /// What was built from source is on no server: a lock names it, and only the cache has it.
    pub(super) fn check_built(&self, base: &Base, lock: &Lock) -> Result<(), BuildError> {
        if self.has_built_wheels(base, lock) {
            return Ok(());
        }
        Err(BuildError::new(
            ErrorKind::NotFound,
            "the lock has packages that were built from source, and their wheels are not in this machine's cache",
        )
        .with_next_step("build from the packages instead of the lock: their sources are built again then"))
    }

    /// Where the base's own programs build packages.
    fn rooms(&self, base: &Base, above: &[StoredLayer]) -> Result<Arc<Rooms>, BuildError> {
        let maker = SandboxRooms {
            image: step_image(base, above),
            cache: self.owners_cache(),
            registry: Arc::clone(&self.context.registry),
            settings: self.context.sandbox.clone(),
            events: self.context.events.clone(),
            staging: self.staging.subfolder(&format!("sources-{}", base.image.digest().hex()))?,
            ca_bundles: self.plan.ca_bundles.clone(),
        };
        Ok(Arc::new(Rooms::new(Box::new(maker))))
    }
}
