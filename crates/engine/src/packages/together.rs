//! Several packages at once: while one downloads, another is unpacked and a third is compressed.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::assemble::overlap::{Overlaps, find_overlaps};
use crate::assemble::placement::Placement;
use crate::cancel::{self, CancellationToken};
use crate::error::BuildError;
use crate::event::{RunningStep, Unit};

/// Packages that are worked on at the same time; those that wait for a download hold no processor.
const CONCURRENT_PACKAGES: usize = 16;

/// A package that knows where its files go.
pub(super) trait Placed {
    /// What people call it.
    fn label(&self) -> &str;
    /// Where its files go.
    fn placement(&self) -> &Placement;
}

/// Prepares packages, given by their numbers in the order of installation, and settles the paths that several of them
/// bring: the last one keeps them, and the others are prepared again without. Returns them in order, with the overlaps
/// to tell people of.
///
/// # Errors
/// What `prepare` gives, and packages that cannot be in one image.
pub(super) async fn prepare_together<P: Placed>(
    count: usize,
    prepare: impl AsyncFn(usize, &BTreeSet<String>) -> Result<P, BuildError>,
    step: &RunningStep,
    cancellation: &CancellationToken,
) -> Result<(Vec<P>, Overlaps), BuildError> {
    let total = count as u64;
    let done = AtomicU64::new(0);
    step.progress(0, total, Unit::Packages);
    let nothing_left_out = BTreeSet::new();
    let counted = async |at: usize| {
        let prepared = prepare(at, &nothing_left_out).await?;
        step.progress(done.fetch_add(1, Ordering::Relaxed) + 1, total, Unit::Packages);
        Ok::<_, BuildError>((at, prepared))
    };
    let work = stream::iter(0..count).map(counted).buffer_unordered(CONCURRENT_PACKAGES);
    let mut numbered: Vec<(usize, P)> = cancel::unless_cancelled(cancellation, work.try_collect()).await?;
    numbered.sort_by_key(|(at, _)| *at);
    let mut prepared: Vec<P> = numbered.into_iter().map(|(_, package)| package).collect();
    let overlaps = find_overlaps(prepared.iter().map(|package| (package.label(), package.placement())))?;
    for (at, left_out) in &overlaps.left_out {
        prepared[*at] = cancel::unless_cancelled(cancellation, prepare(*at, left_out)).await?;
    }
    Ok((prepared, overlaps))
}
