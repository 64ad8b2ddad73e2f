//! conda packages: solved and prepared before pip's, which sees the prefix as it will be.
//!
//! ```text
//! resolve.rs     what the prefix will have
//! by_address.rs  what is asked for by its address
//! install.rs     what goes and what comes, laid over the base
//! clobbered.rs   files of the base that packages replace
//! over_pip.rs    what pip had installed under the same names
//! history.rs     the small files that tell conda what was asked for
//! ```

mod by_address;
mod clobbered;
mod history;
mod install;
mod over_pip;
mod resolve;

use std::collections::BTreeSet;
use std::sync::Arc;

use imagewright_oci::manifest::{Descriptor, Platform};
use imagewright_oci::tree::ImageTree;

use super::Shared;
use super::layers::{conda_stack, measure, recipes};
use crate::assemble::manifest::layer_media_type;
use crate::assemble::removal::Removal;
use crate::assemble::top::TopFile;
use crate::base::{Base, OwnImage};
use crate::conda::{CondaPrefix, LockedConda, check_locked};
use crate::error::BuildError;
use crate::event::Step;
use crate::packages::PreparedConda;
use crate::python::PythonTarget;
use crate::summary::StepSeconds;
use crate::system::StoredLayer;
use crate::words;

/// What the step gives to the layers.
pub(super) struct CondaStep {
    /// What the prefix will have besides what stays of the base.
    pub(super) locked: LockedConda,
    /// What goes of the base.
    pub(super) removal: Removal,
    /// The foundation as it was.
    pub(super) whole: Arc<ImageTree>,
    /// The same without what goes.
    pub(super) reduced: Arc<ImageTree>,
    /// What comes, in the order of the lock.
    pub(super) prepared: Vec<PreparedConda>,
    /// Small files on top: records of what was asked for, and the history.
    pub(super) top: Vec<TopFile>,
    /// The layers of all that, for who runs something of the image; none where nothing may be run.
    pub(super) stored: Vec<StoredLayer>,
    /// Normalised names of the Python distributions that come.
    pub(super) brought: BTreeSet<String>,
}

impl Shared<'_> {
    /// Solves and prepares the plan's conda packages and those of an image of ours below, and lays them over the
    /// base. `known` is what an earlier build of the same spec has decided.
    pub(super) async fn conda(
        &self,
        base: &mut Base,
        own: Option<&OwnImage>,
        known: Option<&LockedConda>,
        platform: &Platform,
        steps: &mut Vec<StepSeconds>,
    ) -> Result<Option<CondaStep>, BuildError> {
        let inherited = own.and_then(|own| own.lock.conda.as_ref());
        if self.plan.spec.conda.is_empty() && inherited.is_none() && known.is_none() {
            return Ok(None);
        }
        let step = self.context.events.start(Step::Conda, Some(&platform.to_string()));
        let prefix = CondaPrefix::find(&base.tree, &base.config)?;
        for lock in &self.plan.locks {
            let packages = lock.conda.as_ref().map_or(&[][..], |conda| &conda.packages);
            check_locked(packages, &self.plan.conda, &self.plan.mirrors)?;
        }
        let locked = match (known, inherited) {
            (Some(known), _) => known.clone(),
            (None, Some(inherited)) if self.plan.spec.conda.is_empty() => inherited.clone(),
            (None, inherited) => self.resolve_conda(base, &prefix, inherited, platform).await?,
        };
        let python = python_of(base);
        let (mut stage, downloaded) =
            self.install_conda(base, &prefix, locked, inherited, platform, &step).await?;
        self.tell_of_python(python, python_of(base));
        if !self.plan.spec.pip.requirements.is_empty() {
            stage.stored = self.stored(&stage, base).await?;
        }
        let fresh = stage.prepared.iter().filter(|package| package.fresh).count();
        let detail = format!(
            "{}, {fresh} made, {} downloaded",
            words::count(stage.prepared.len(), "package"),
            words::bytes(downloaded)
        );
        steps.push(StepSeconds { step: Step::Conda, seconds: step.finish(detail) });
        Ok(Some(stage))
    }

    /// The layers of a step, as those take them who run something: sources of pip packages may have to be built.
    async fn stored(&self, stage: &CondaStep, base: &Base) -> Result<Vec<StoredLayer>, BuildError> {
        let stack = conda_stack(stage, base, self.plan.compression);
        let recipes = recipes(&[stack], base.foundation_layers())?;
        let cache = &self.context.cache;
        let layers = measure(recipes, cache, &self.owners(), &self.publisher(), &self.processors).await?;
        let stored = layers.iter().map(|layer| StoredLayer {
            descriptor: Descriptor::new(
                layer_media_type(layer.recipe.compression),
                layer.facts.digest,
                layer.facts.size,
            ),
            diff_id: layer.facts.diff_id,
            parts: layer.recipe.sources(cache),
        });
        Ok(stored.collect())
    }

    /// Warns where `python3` is another program than before: what was installed for the old one is not seen by it.
    fn tell_of_python(&self, before: Option<PythonTarget>, after: Option<PythonTarget>) {
        let (Some(before), Some(after)) = (before, after) else { return };
        let shown = |python: &PythonTarget| format!("{} ({})", python.executable_path(), python.version);
        let is_other = before.executable_path() != after.executable_path();
        let minor = |python: &PythonTarget| (python.version.major, python.version.minor);
        if is_other || minor(&before) != minor(&after) {
            self.context.events.warn(format!(
                "python3 is {} now, and was {}: packages that were installed for that one are not seen by it",
                shown(&after),
                shown(&before)
            ));
        }
    }
}

/// What `python3` means in a container of the base, where that can be told.
fn python_of(base: &Base) -> Option<PythonTarget> {
    crate::python::detect(&base.tree, &base.config).ok()
}
