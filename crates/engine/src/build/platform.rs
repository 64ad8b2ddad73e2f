//! One platform's image, from its base to a manifest in the registry. The tag is not moved here.

use std::error::Error;

use imagewright_oci::manifest::Platform;

use super::describe::{describe_base, describe_lock, platform_image};
use super::image::{Contents, assemble};
use super::layers::{PipLayers, Stack, conda_stack, lose_damaged, measure, pip_stack, recipes};
use super::record::{BuildRecord, RecordKey, now};
use super::target::{compiler, has_same_bytecode};
use super::variant::Outcome;
use super::{BuiltPlatform, Shared};
use crate::assemble::layer::FramesLost;
use crate::error::BuildError;
use crate::event::Step;
use crate::scope::Scope;
use crate::summary::StepSeconds;
use crate::words;

impl Shared<'_> {
    /// Builds and pushes one platform's image by digest.
    ///
    /// Prepared packages that have disappeared from the cache since, or were damaged, are made anew once.
    pub(super) async fn platform(
        &self,
        platform: &Platform,
        twin: Option<&BuiltPlatform>,
    ) -> Result<Outcome, BuildError> {
        match Box::pin(self.attempt(platform, twin)).await {
            Err(error) if has_lost_frames(&error) => {
                self.context.events.warn(format!("{error}: they are prepared again"));
                Box::pin(self.attempt(platform, twin)).await
            }
            outcome => outcome,
        }
    }

    async fn attempt(
        &self,
        platform: &Platform,
        twin: Option<&BuiltPlatform>,
    ) -> Result<Outcome, BuildError> {
        let name = platform.to_string();
        let events = &self.context.events;
        let mut steps = Vec::new();
        let publisher = self.publisher();

        let step = events.start(Step::Base, Some(&name));
        let (image, own) = self.find_base(platform).await?;
        let key = RecordKey::new(self.plan, self.variant, platform, &image.digest());
        let record = if self.plan.fresh {
            None
        } else {
            BuildRecord::find(&self.owners_cache(), key, self.plan.freshness_seconds)?
        };
        if let Some(record) = &record
            && has_same_bytecode(&record.lock).await?
            && self.is_published(&publisher, record).await?
        {
            let seconds = step.finish("the very same image was built before");
            steps.push(StepSeconds { step: Step::Base, seconds });
            let is_twin = twin.is_some_and(|twin| twin.image.digest == record.image.digest);
            if is_twin {
                return Ok(Outcome::SameAsTwin);
            }
            return Ok(Outcome::Built(Box::new(self.unchanged(platform, record, steps))));
        }
        let mut base = self.load_base(image, own.as_ref(), &step).await?;
        self.counters.add_read(base.bytes_read);
        steps.push(StepSeconds { step: Step::Base, seconds: step.finish(describe_base(&base)) });
        let system = self.system(&mut base, platform, &mut steps).await?;

        let given = self.plan.lock_of(&name);
        let known = given.or(record.as_ref().map(|record| &record.lock));
        let known = known.and_then(|lock| lock.conda.as_ref());
        let conda = self.conda(&mut base, own.as_ref(), known, platform, &mut steps).await?;

        let step = events.start(Step::Resolve, Some(&name));
        let python = self.python(&base, own.as_ref())?;
        let record = record.filter(|record| self.has_built_wheels(&base, &record.lock));
        let (mut lock, resolved_at) = if let Some(given) = given {
            self.check_built(&base, given)?;
            (given.clone(), now())
        } else if let Some(record) = record {
            (record.lock, record.resolved_at)
        } else {
            let lock = self.resolve(&base, own.as_ref(), python.as_ref(), conda.as_ref(), platform).await?;
            (lock, system.made_at.unwrap_or_else(now))
        };
        if let Some(conda) = &conda {
            lock.conda = Some(conda.locked.clone());
        }
        lock.take_system_packages(own.as_ref().map(|own| &own.lock), &system.packages);
        let compiler = match &python {
            // A lock without bytecode is of an image without.
            Some(_) if given.is_some_and(|given| !given.has_bytecode()) => None,
            Some(python) => compiler(&python.target, events).await?,
            None => None,
        };
        if let Some(locked) = &mut lock.python {
            locked.bytecode = compiler.as_deref().map(|compiler| compiler.interpreter().fingerprint());
        }
        if given.is_some_and(|given| *given != lock) {
            events.warn(
                "this machine makes other bytecode than the lock names: the image has the same packages, and another \
                 digest",
            );
        }
        steps.push(StepSeconds { step: Step::Resolve, seconds: step.finish(describe_lock(&lock)) });

        if let Some(twin) = twin.filter(|twin| twin.lock.has_packages_of(&lock)) {
            // Known the next time without solving again.
            let record = BuildRecord { resolved_at, ..twin.record() };
            record.remember(&self.owners_cache(), key)?;
            return Ok(Outcome::SameAsTwin);
        }
        let step = events.start(Step::Packages, Some(&name));
        let (removal, reduced) = self.removal(&base, &lock)?;
        let (prepared, downloaded) = match &python {
            Some(python) => {
                let built = self.built_scope(&base);
                self.prepare(python, compiler, &lock, &reduced, &built, &step).await?
            }
            None => (Vec::new(), 0),
        };
        let fresh = prepared.iter().filter(|package| package.fresh).count();
        let detail = format!(
            "{fresh} made, {} from the cache, {} downloaded",
            prepared.len() - fresh,
            words::bytes(downloaded)
        );
        steps.push(StepSeconds { step: Step::Packages, seconds: step.finish(detail) });

        let step = events.start(Step::Layers, Some(&name));
        let below = conda.iter().flat_map(|conda| &conda.prepared).map(|package| &package.scope);
        let pip = pip_stack(&PipLayers {
            whole: &base.foundation.tree,
            reduced: &reduced,
            removal: &removal,
            locked: &lock.pip,
            prepared: &prepared,
            compression: self.plan.compression,
            below: Scope::of_all(below.chain([&base.scope])),
        })?;
        let conda = conda.as_ref().map(|conda| conda_stack(conda, &base, self.plan.compression));
        let stacks: Vec<Stack<'_>> = conda.into_iter().chain([pip]).collect();
        let recipes = recipes(&stacks, base.foundation_layers())?;
        drop(stacks);
        let layers =
            measure(recipes, &self.context.cache, &self.owners(), &publisher, &self.processors).await?;
        let licences = prepared.iter().map(|package| package.facts.licence.clone()).collect();
        let contents = Contents { tree: &reduced, licences };
        let assembled = assemble(&base, &lock, &layers, &contents)?;
        steps.push(StepSeconds {
            step: Step::Layers,
            seconds: step.finish(words::count(layers.len(), "layer")),
        });

        let step = events.start(Step::Push, Some(&name));
        let pushed = self.push(&publisher, &base, &layers, &assembled, &step).await;
        if pushed.as_ref().is_err_and(has_lost_frames) {
            lose_damaged(&layers, &self.context.cache).await?;
        }
        pushed?;
        let detail = format!("{} uploaded", words::bytes(self.counters.uploaded()));
        steps.push(StepSeconds { step: Step::Push, seconds: step.finish(detail) });

        let image = platform_image(&name, &base, &lock, &assembled);
        let blobs = assembled.blobs();
        let manifest = assembled.manifest;
        let platform = platform.clone();
        let built = BuiltPlatform { platform, lock, manifest, blobs, image, steps, unchanged: false };
        BuildRecord { resolved_at, ..built.record() }.remember(&self.owners_cache(), key)?;
        Ok(Outcome::Built(Box::new(built)))
    }
}

impl BuiltPlatform {
    /// What is remembered of it.
    fn record(&self) -> BuildRecord {
        BuildRecord {
            resolved_at: now(),
            lock: self.lock.clone(),
            manifest: String::from_utf8_lossy(&self.manifest.bytes).into_owned(),
            blobs: self.blobs.clone(),
            image: self.image.clone(),
        }
    }
}

fn has_lost_frames(error: &BuildError) -> bool {
    error.source().is_some_and(<dyn Error>::is::<FramesLost>)
}
