//! Where an image comes from: addresses and secrets.

use imagewright_spec::{ImageKind, ImageReference};
use imagewright_store::secrets::SecretKind;
use imagewright_store::{GroupId, SecretId, Writer};

use crate::access::{Actor, Operation};
use crate::error::{FieldProblem, HubError, Result};
use crate::hub::Hub;

/// Reads an address; an empty one is none.
pub(super) fn address(field: &'static str, text: Option<&str>) -> Result<Option<ImageReference>> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    text.parse().map(Some).map_err(|problem| HubError::invalid(FieldProblem::of(field, &problem)))
}

/// The address for machines with a GPU, where it is one of its own: of universal images only, and only if it differs.
pub(super) fn own_gpu_address(
    kind: ImageKind,
    url: Option<&ImageReference>,
    for_gpu: Option<ImageReference>,
) -> Option<ImageReference> {
    for_gpu.filter(|for_gpu| kind == ImageKind::Universal && Some(for_gpu) != url)
}

impl Hub {
    /// Refuses a secret that is not there, not for pulling, or not offered to the group whose image is to use it.
    pub(in crate::app) async fn check_secret(
        &self,
        writer: &Writer,
        actor: &Actor,
        group: Option<&GroupId>,
        field: &'static str,
        id: Option<&SecretId>,
    ) -> Result<()> {
        let Some(id) = id else { return Ok(()) };
        let is_admin = actor.standing() >= Operation::ListSecrets.needs();
        let found = writer.secret(id).await?.filter(|secret| secret.kind == SecretKind::Pull);
        let is_offered = match (&found, group) {
            (Some(secret), _) if secret.is_offered_to_all || is_admin => true,
            (Some(_), Some(group)) => writer.secret_groups(id).await?.contains(group),
            (None, _) | (Some(_), None) => false,
        };
        if is_offered {
            return Ok(());
        }
        // What is not offered is not known to exist.
        let message = format!("there is no pull secret {id} that may be used here");
        Err(HubError::invalid(FieldProblem::new(field, message, "choose one of those that are offered")))
    }
}
