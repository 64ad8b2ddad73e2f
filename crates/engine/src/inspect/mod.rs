//! What an image holds, read from its manifest, configuration and path index: nothing is unpacked or run.
//!
//! ```text
//! report.rs       the report, whose JSON has stable field names
//! process.rs      how its processes start          interpreters.rs  every Python that can be found
//! packages/       dpkg, apk and conda              layers.rs        layers with what made them
//! difference.rs   two images compared              papers.rs        lock and bill of materials
//! own.rs          what Imagewright says of an image it built
//! ```

mod difference;
mod interpreters;
mod layers;
mod own;
mod packages;
mod papers;
pub(crate) use packages::paragraphs;
mod process;
mod report;

use std::sync::Arc;

use imagewright_oci::manifest::Platform;
use imagewright_oci::registry::{Registry, ResolvedImage, TagOrDigest};
use imagewright_oci::tree::ImageTree;
use imagewright_spec::{ImageReference, Owner};
use serde_json::Value;

use crate::base::{self, OwnImage, operating_system};
use crate::cache::Cache;
use crate::cancel::{CancellationToken, unless_cancelled};
use crate::error::{BuildError, ErrorKind};
use crate::event::{Events, Step};
use crate::python::{Architecture, detect_libc};

pub use difference::{
    ChangedPackage, ComparedImage, ImageDifference, LayerBytes, PackageChanges, difference,
};
pub use papers::{Paper, paper};
pub use report::{
    ImageReport, InterpreterReport, LayerReport, OwnReport, PackageReport, PackageSet, ProcessReport,
};

/// What inspecting an image works with.
#[derive(Clone)]
pub struct InspectContext {
    /// Keeps path indexes: an image is read once.
    pub cache: Cache,
    /// Who wants to know: an image that a registry gives only to those with a credential is kept for its owner.
    pub owner: Owner,
    /// Registries.
    pub registry: Arc<dyn Registry>,
    /// Takes progress.
    pub events: Events,
    /// Ends the work.
    pub cancellation: CancellationToken,
}

/// Reads what the image of a platform holds.
///
/// # Errors
/// References that lead nowhere, registries that fail, layers that are malformed, hostile or too large. An image
/// without Python or packages is no error.
pub async fn inspect(
    reference: &ImageReference,
    platform: &Platform,
    context: &InspectContext,
) -> Result<ImageReport, BuildError> {
    unless_cancelled(&context.cancellation, inspect_image(reference, platform, context)).await
}

async fn inspect_image(
    reference: &ImageReference,
    platform: &Platform,
    context: &InspectContext,
) -> Result<ImageReport, BuildError> {
    let step = context.events.start(Step::Base, None);
    let registry = &*context.registry;
    let identifier = TagOrDigest::try_from(reference).map_err(|error| {
        BuildError::new(ErrorKind::SpecInvalid, format!("the digest of {reference} is not usable"))
            .with_next_step("write `@sha256:` and 64 hexadecimal digits")
            .with_source(error)
    })?;
    let image = registry.resolve(reference.repository_reference(), &identifier, platform).await?;
    let own = OwnImage::of(registry, &image).await?;
    let layers = image.manifest.layers.len();
    let base = base::load(
        Arc::clone(&context.registry),
        image,
        layers,
        &context.cache,
        &context.owner,
        &step,
        &context.cancellation,
    )
    .await?;
    step.finish(format!("{layers} layers, {} paths", base.tree.len()));

    let tree = Arc::clone(&base.tree);
    let config = base.config.clone();
    // Some hundred thousand paths are looked through: that takes a moment.
    let (system, libc, (interpreters, python_missing), packages) = base::blocking(move || {
        let libc = libc(&tree, &config);
        (operating_system(&tree), libc, interpreters::all(&tree, &config), packages::all(&tree))
    })
    .await?;
    Ok(ImageReport {
        reference: reference.to_string(),
        digest: base.image.digest(),
        index_digest: base.image.index_digest(),
        platform: platform_of(&base.config, platform),
        platforms: platforms(&base.image),
        media_type: base.image.manifest.media_type.clone(),
        compressed_size: base.image.manifest.layers.iter().map(|layer| layer.size).sum(),
        operating_system: system,
        libc,
        process: process::read(&base.config),
        interpreters,
        python_missing,
        packages,
        layers: layers::all(&base, own.as_ref()),
        built_by_imagewright: own::read(&base.image, own),
    })
}

/// The C library, where the image has one that we know.
fn libc(tree: &ImageTree, config: &Value) -> Option<String> {
    let architecture = config["architecture"].as_str().and_then(Architecture::from_oci)?;
    detect_libc(tree, architecture).ok().map(|libc| libc.to_string())
}

/// The platform that the configuration says; some name a variant.
fn platform_of(config: &Value, asked: &Platform) -> String {
    let field = |name: &str| config[name].as_str().filter(|text| !text.is_empty());
    match (field("os"), field("architecture")) {
        (Some(os), Some(architecture)) => {
            let variant = field("variant").map(|variant| format!("/{variant}")).unwrap_or_default();
            format!("{os}/{architecture}{variant}")
        }
        _ => asked.to_string(),
    }
}

/// Every platform that the reference offers.
fn platforms(image: &ResolvedImage) -> Vec<String> {
    image.index.iter().flat_map(|index| index.platforms()).map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
