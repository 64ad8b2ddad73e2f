//! Moving tags: the last thing that a build does.

use std::borrow::Cow;

use imagewright_oci::digest::Digest;
use imagewright_oci::registry::TagOrDigest;
use imagewright_spec::ImageReference;

use super::{BuiltPlatform, Shared};
use crate::assemble::manifest::{NewManifest, image_index};
use crate::cancel::unless_cancelled;
use crate::error::{BuildError, ErrorKind};

/// An image that is whole in the registry, and the reference that is going to name it.
pub(super) struct Untagged<'build> {
    pub(super) reference: ImageReference,
    manifest: Cow<'build, NewManifest>,
}

impl Shared<'_> {
    /// Puts the index of an image for several platforms by its digest. The image of one platform is there already.
    pub(super) async fn complete<'built>(
        &self,
        reference: ImageReference,
        built: &'built [BuiltPlatform],
    ) -> Result<Untagged<'built>, BuildError> {
        let manifest = match built {
            [single] => Cow::Borrowed(&single.manifest),
            several => {
                // In one order, whichever the platforms were asked for in: the digest says what an image is.
                let mut images: Vec<_> =
                    several.iter().map(|built| (built.platform.clone(), &built.manifest)).collect();
                images.sort_by_key(|(platform, _)| platform.to_string());
                let index = image_index(&images, &[]);
                unless_cancelled(&self.context.cancellation, self.publisher().put_manifest(&index)).await?;
                Cow::Owned(index)
            }
        };
        Ok(Untagged { reference, manifest })
    }

    /// Moves tags, in this order, once the build may. Every tag of an image is moved here and nowhere else.
    pub(super) async fn tag(&self, images: &[&Untagged<'_>]) -> Result<(), BuildError> {
        let cancellation = &self.context.cancellation;
        let passed = async {
            self.context.publish_gate.pass(&self.context.events).await;
            Ok(())
        };
        unless_cancelled(cancellation, passed).await?;
        for image in images {
            let moved = unless_cancelled(cancellation, self.move_tag(image)).await;
            moved.map_err(|error| of_tagging(&image.reference, error))?;
        }
        Ok(())
    }

    async fn move_tag(&self, image: &Untagged<'_>) -> Result<(), BuildError> {
        let Untagged { reference, manifest } = image;
        let tag = TagOrDigest::tag(reference.tag_or_latest());
        let digest = self
            .context
            .registry
            .put_manifest(reference.repository_reference(), &tag, manifest.media_type, manifest.bytes.clone())
            .await?;
        if digest != manifest.digest {
            return Err(BuildError::new(
                ErrorKind::DigestMismatch,
                format!("{reference} stored another manifest than it was given"),
            )
            .with_next_step("the registry or a proxy before it changes manifests: take that out"));
        }
        Ok(())
    }

    /// The reference of the GPU variant of a universal image.
    pub(super) fn gpu_reference(&self) -> Result<ImageReference, BuildError> {
        let tag = format!("{}-gpu", self.plan.to.tag_or_latest());
        self.plan.to.with_tag(&tag).map_err(|problem| {
            BuildError::new(
                ErrorKind::SpecInvalid,
                format!("the tag {tag} of the GPU variant is not allowed: {}", problem.message),
            )
            .with_next_step("choose a shorter tag")
        })
    }
}

impl Untagged<'_> {
    /// Digest of the manifest or index.
    pub(super) fn digest(&self) -> Digest {
        self.manifest.digest
    }
}

/// A request that was sent cannot be taken back: what came of it is not known then.
fn of_tagging(reference: &ImageReference, error: BuildError) -> BuildError {
    if error.kind() != ErrorKind::Cancelled {
        return error;
    }
    BuildError::new(
        ErrorKind::Cancelled,
        format!("the build was cancelled while the tag of {reference} was being moved; it may have moved"),
    )
    .with_next_step(format!("`imagewright inspect {reference}` tells which image it names"))
}
