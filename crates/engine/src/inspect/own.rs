//! What Imagewright says of an image that it built.

use imagewright_oci::registry::ResolvedImage;

use super::report::OwnReport;
use crate::assemble::manifest::{BASE_DIGEST, BASE_NAME, REVISION, SPEC_HASH};
use crate::base::OwnImage;

/// The annotations and the lock; `None` for any other image.
pub(super) fn read(image: &ResolvedImage, own: Option<OwnImage>) -> Option<OwnReport> {
    let OwnImage { lock, base_layers } = own?;
    let annotation = |name: &str| image.manifest.annotations.get(name).cloned();
    Some(OwnReport {
        spec_hash: annotation(SPEC_HASH),
        revision: annotation(REVISION)?,
        base: annotation(BASE_NAME).unwrap_or_else(|| lock.base.reference.clone()),
        base_digest: annotation(BASE_DIGEST)
            .and_then(|digest| digest.parse().ok())
            .unwrap_or(lock.base.digest),
        base_layers,
        lock,
    })
}
