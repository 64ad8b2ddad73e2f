//! System packages: the base with them takes the place of the base in all later steps.

use std::collections::BTreeSet;
use std::sync::Arc;

use imagewright_oci::manifest::{Descriptor, Platform};
use imagewright_oci::tree::ImageTree;

use imagewright_spec::AptPackage;

use super::Shared;
use crate::assemble::layer::PartSource;
use crate::assemble::manifest::layer_media_type;
use crate::base::{AddedSystemLayer, Base};
use crate::error::{BuildError, ErrorKind};
use crate::event::Step;
use crate::lock::LockedSystemPackage;
use crate::scope::Scope;
use crate::summary::StepSeconds;
use crate::system::{
    AptBase, StepImage, StoredLayer, SystemContext, SystemImage, SystemRequest, detect, installed_of,
    proxies_of_this_process, system_image,
};
use crate::words;

/// What came of the step.
#[derive(Default)]
pub(super) struct SystemStep {
    /// What it installed.
    pub(super) packages: Vec<LockedSystemPackage>,
    /// Seconds since the Unix epoch at which that was decided; `None` where nothing was asked for.
    pub(super) made_at: Option<u64>,
}

impl Shared<'_> {
    /// Whether the base can have system packages: told before anything is run, or even fetched.
    pub(super) fn apt(&self, base: &Base, platform: &Platform) -> Result<Option<AptBase>, BuildError> {
        if self.wanted_apt(platform).is_empty() {
            return Ok(None);
        }
        detect(&base.foundation.tree, &base.config, platform).map(Some)
    }

    /// The system packages that are asked for by name.
    fn wanted_apt(&self, platform: &Platform) -> &[AptPackage] {
        let given = self.plan.lock_of(&platform.to_string());
        given.map_or(&self.plan.spec.apt, |lock| &lock.apt_requested)
    }

    /// The exact system packages that a lock names; nothing without a lock.
    fn locked_apt(&self, platform: &Platform) -> Option<&[LockedSystemPackage]> {
        self.plan.lock_of(&platform.to_string()).map(|lock| lock.apt.as_slice())
    }

    /// The versions that apt is held to: those of the lock and, of packages that were asked for and that the base had
    /// already, the base's own. Without these apt would take newer ones for which the lock has no word.
    fn pinned_apt(&self, base: &Base, platform: &Platform) -> Vec<LockedSystemPackage> {
        let Some(locked) = self.locked_apt(platform) else { return Vec::new() };
        let is_locked = |name: &str| locked.iter().any(|package| package.name == name);
        let names: BTreeSet<&str> =
            self.wanted_apt(platform).iter().map(AptPackage::name).filter(|name| !is_locked(name)).collect();
        let mut pins = locked.to_vec();
        pins.extend(installed_of(&base.foundation.tree, &names));
        pins
    }

    /// Installs the plan's system packages, or finds them installed, and puts them into the base.
    pub(super) async fn system(
        &self,
        base: &mut Base,
        platform: &Platform,
        steps: &mut Vec<StepSeconds>,
    ) -> Result<SystemStep, BuildError> {
        let Some(apt) = self.apt(base, platform)? else { return Ok(SystemStep::default()) };
        let name = platform.to_string();
        let step = self.context.events.start(Step::System, Some(&name));
        let image = self.system_image(base, &apt, platform).await?;
        if let Some(locked) = self.locked_apt(platform).filter(|locked| image.packages != *locked) {
            return Err(other_than_locked(locked, &image.packages));
        }
        if let Some(layer) = &image.layer {
            let media_type = layer_media_type(layer.compression);
            add(
                base,
                AddedSystemLayer {
                    descriptor: Descriptor::new(media_type, layer.facts.digest, layer.facts.size),
                    diff_id: layer.facts.diff_id,
                    file: layer.file.clone(),
                    description: describe(&image),
                },
                layer,
            )?;
            // Whatever is told from its tree was told by foreign code.
            base.scope = Scope::Owner(self.plan.owner());
        }
        let found = if image.found { ", made before" } else { "" };
        let detail = format!("{} installed{found}", words::count(image.packages.len(), "system package"));
        steps.push(StepSeconds { step: Step::System, seconds: step.finish(detail) });
        Ok(SystemStep { packages: image.packages, made_at: Some(image.made_at) })
    }

    async fn system_image(
        &self,
        base: &Base,
        apt: &AptBase,
        platform: &Platform,
    ) -> Result<SystemImage, BuildError> {
        let pins = self.pinned_apt(base, platform);
        let request = SystemRequest {
            image: step_image(base, &[]),
            tree: Arc::clone(&base.foundation.tree),
            apt,
            reference: &self.plan.spec.base.to_string(),
            packages: self.wanted_apt(platform),
            pins: &pins,
            compression: self.plan.compression,
            freshness_seconds: if self.plan.fresh { 0 } else { self.plan.freshness_seconds },
            ca_bundles: &self.plan.ca_bundles,
            network: proxies_of_this_process()?
                .into_iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
        };
        let staging =
            self.staging.subfolder(&format!("system-{}", platform.to_string().replace('/', "-")))?;
        // All of it is the owner's: a base that takes credentials, unpacked, is as little for others as what it made.
        let cache = self.owners_cache();
        let context = SystemContext {
            cache: &cache,
            registry: &self.context.registry,
            settings: &self.context.sandbox,
            events: &self.context.events,
            staging: &staging,
            cancellation: &self.context.cancellation,
        };
        system_image(&request, &context).await
    }
}

/// apt has found other packages than a lock names.
fn other_than_locked(locked: &[LockedSystemPackage], installed: &[LockedSystemPackage]) -> BuildError {
    let only = |these: &[LockedSystemPackage], those: &[LockedSystemPackage]| {
        let only = these.iter().filter(|one| !those.contains(one)).take(5);
        only.map(|one| format!("{} {}", one.name, one.version)).collect::<Vec<_>>().join(", ")
    };
    let explanation =
        format!("Only in the lock: {}\nOnly installed: {}", only(locked, installed), only(installed, locked));
    BuildError::new(
        ErrorKind::NotFound,
        "the mirrors of the base do not give the system packages of the lock",
    )
    .with_explanation(explanation)
    .with_next_step("point the base's sources, or a proxy, at a snapshot that has these versions")
}

/// What is built upon, as an image that can be run: the foundation, the system packages of this build, and what lies
/// above these.
pub(super) fn step_image(base: &Base, above: &[StoredLayer]) -> StepImage {
    let foundation = base.foundation.layers.iter().zip(&base.foundation.diff_ids);
    let below = foundation.map(|(layer, diff_id)| StoredLayer {
        descriptor: layer.clone(),
        diff_id: *diff_id,
        parts: Vec::new(),
    });
    let system = base.system.iter().map(|system| StoredLayer {
        descriptor: system.descriptor.clone(),
        diff_id: system.diff_id,
        parts: vec![PartSource::File(system.file.clone())],
    });
    StepImage::new(
        &base.image.repository,
        below.chain(system).chain(above.iter().cloned()).collect(),
        &base.config,
    )
}

/// Lays the layer over the base.
fn add(
    base: &mut Base,
    added: AddedSystemLayer,
    layer: &crate::system::SystemLayer,
) -> Result<(), BuildError> {
    let over = |tree: &Arc<ImageTree>| {
        let mut tree = ImageTree::clone(tree);
        tree.apply(&layer.index).map_err(|error| {
            BuildError::internal("the system layer does not fit its base").with_source(error)
        })?;
        Ok::<_, BuildError>(Arc::new(tree))
    };
    let same = Arc::ptr_eq(&base.tree, &base.foundation.tree);
    base.foundation.tree = over(&base.foundation.tree)?;
    base.tree = if same { Arc::clone(&base.foundation.tree) } else { over(&base.tree)? };
    base.system = Some(added);
    Ok(())
}

/// `apt: jq 1.6-2.1, libjq1 1.6-2.1`, for the image's history.
fn describe(image: &SystemImage) -> String {
    let packages = image.packages.iter().map(|package| format!("{} {}", package.name, package.version));
    format!("apt: {}", packages.collect::<Vec<_>>().join(", "))
}
