//! The papers of an image of ours, as they are in the registry.

use bytes::Bytes;
use imagewright_oci::digest::Digest;
use imagewright_oci::manifest::{Descriptor, Platform};
use imagewright_oci::registry::{Registry, TagOrDigest};
use imagewright_spec::ImageReference;

use crate::assemble::manifest::{BILL, LAYERS_DIGEST, REVISION, layers_digest};
use crate::error::{BuildError, ErrorKind};
use crate::lock::{LOCK_MEDIA_TYPE, LOCK_SIZE_LIMIT};
use crate::papers::{BILL_MEDIA_TYPE, BILL_SIZE_LIMIT};

/// A paper that comes with an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paper {
    /// The lock: exactly which base and packages.
    Lock,
    /// The bill of materials, `CycloneDX`.
    Bill,
}

impl Paper {
    /// What people call it, the annotation that names its digest, its media type, and the largest that is read.
    fn facts(self) -> (&'static str, &'static str, &'static str, u64) {
        match self {
            Self::Lock => ("lock", REVISION, LOCK_MEDIA_TYPE, LOCK_SIZE_LIMIT),
            Self::Bill => ("bill of materials", BILL, BILL_MEDIA_TYPE, BILL_SIZE_LIMIT),
        }
    }
}

/// Reads a paper of a platform's image, byte for byte; its digest, which the image names, is verified.
///
/// # Errors
/// An image that is none of ours, or was copied without its papers; a registry that fails.
pub async fn paper(
    registry: &dyn Registry,
    reference: &ImageReference,
    platform: &Platform,
    paper: Paper,
) -> Result<Bytes, BuildError> {
    let identifier = TagOrDigest::try_from(reference).map_err(|error| {
        BuildError::new(ErrorKind::SpecInvalid, format!("the digest of {reference} is not usable"))
            .with_next_step("write `@sha256:` and 64 hexadecimal digits")
            .with_source(error)
    })?;
    let (name, annotation, media_type, limit) = paper.facts();
    let image = registry.resolve(reference.repository_reference(), &identifier, platform).await?;
    let layers = image.manifest.annotations.get(LAYERS_DIGEST);
    // Tools that build upon an image of ours copy its annotations: the papers are not those of what they made.
    let is_ours = layers == Some(&layers_digest(&image.manifest.layers).to_string());
    let digest = image.manifest.annotations.get(annotation).and_then(|text| text.parse::<Digest>().ok());
    let none = |why: &str| {
        BuildError::new(ErrorKind::NotFound, format!("{reference} has no {name}: {why}"))
            .with_next_step("name an image that this version of Imagewright has built, where it was pushed")
    };
    let digest = digest.filter(|_| is_ours);
    let digest = digest.ok_or_else(|| none("it names none"))?;
    let size = registry.head_blob(&image.repository, &digest).await?;
    let size = size.ok_or_else(|| none("it was copied here without it"))?;
    let blob = Descriptor::new(media_type, digest, size);
    Ok(registry.get_blob_bytes(&image.repository, &blob, limit).await?)
}
