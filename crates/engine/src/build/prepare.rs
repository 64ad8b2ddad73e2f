//! Making the frames of all packages of a lock.

use std::sync::{Arc, PoisonError};

use imagewright_oci::tree::ImageTree;

use super::Shared;
use super::target::{PythonBase, scheme};
use super::wheels::WheelSource;
use crate::assemble::overlap::Overlaps;
use crate::error::BuildError;
use crate::event::RunningStep;
use crate::lock::Lock;
use crate::packages::{PreparedPackage, Preparer};
use crate::scope::Scope;
use crate::wheel::BytecodeCompiler;

impl Shared<'_> {
    /// Makes the frames of all packages; `built` is for whom those are that were built. Returns them with the bytes that were downloaded.
    pub(super) async fn prepare(
        &self,
        python: &PythonBase,
        compiler: Option<Arc<BytecodeCompiler>>,
        lock: &Lock,
        reduced: &Arc<ImageTree>,
        built: &Scope,
        step: &RunningStep,
    ) -> Result<(Vec<PreparedPackage>, u64), BuildError> {
        let context = self.context;
        let cache_tag = compiler.as_ref().map(|compiler| compiler.interpreter().cache_tag.clone());
        let source = Arc::new(WheelSource::new(
            self.downloader()?,
            self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            self.plan,
            context,
            built.clone(),
        ));
        let preparer = Preparer {
            cache: context.cache.clone(),
            scopes: [&Scope::readable_by(&self.plan.owner())[..], std::slice::from_ref(built)].concat(),
            staging: Arc::clone(&self.staging),
            tree: Arc::clone(reduced),
            scheme: Arc::new(scheme(&python.target, cache_tag.as_deref())),
            compiler,
            compression: self.plan.compression,
            source: Arc::clone(&source) as _,
            processors: Arc::clone(&self.processors),
            cancellation: context.cancellation.clone(),
        };
        let (packages, overlaps) = preparer.prepare(&lock.pip, step).await?;
        self.report(&packages, &overlaps);
        Ok((packages, source.downloaded()))
    }

    fn report(&self, prepared: &[PreparedPackage], overlaps: &Overlaps) {
        let events = &self.context.events;
        for package in prepared {
            for warning in &package.facts.warnings {
                events.log(format!("{}: {warning}", package.facts.name));
            }
        }
        for overlap in &overlaps.overlaps {
            let (kept, others) =
                overlap.packages.split_last().map_or(("", &[][..]), |(last, rest)| (last.as_str(), rest));
            events.log(format!(
                "/{} is in {} and {kept}: that of {kept} is used",
                overlap.path,
                others.join(", ")
            ));
        }
    }
}
