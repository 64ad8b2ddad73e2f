//! Which image a notebook may be started from.

use imagewright_spec::{ImageKind, ImageName, ImageReference};
use imagewright_store::images::{Image, ImageField, ImageOrder, ImageQuery, ImageScope};
use imagewright_store::{Page, SecretId};

use crate::access::{Actor, Operation};
use crate::error::{HubError, Result};
use crate::hub::Hub;

/// One choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The image.
    pub name: ImageName,
    /// What is shown.
    pub label: String,
    /// What the `i` tells: `Group / GPU`, `(Not Ready) System / Universal`.
    pub hint: String,
    /// Whether the image is the group's own.
    pub is_group_image: bool,
    /// The type as it is shown: CPU, GPU, Universal.
    pub kind: &'static str,
    /// Description.
    pub description: String,
    /// The reference to start from; nothing while the image is not ready.
    pub url: Option<ImageReference>,
    /// The secret that pulls it, by reference.
    pub pull_secret: Option<SecretId>,
    /// Why it cannot be chosen; nothing when it can.
    pub disabled: Option<&'static str>,
}

impl Hub {
    /// The images for a notebook of a group (by name), on a machine with or without a GPU, sorted by label: the
    /// group's own, those shared with it, and global ones. Nothing is hidden; what cannot be chosen says why.
    ///
    /// # Errors
    /// Not found for a group that the actor is not in.
    pub async fn selection(&self, actor: &Actor, group: &str, has_gpu: bool) -> Result<Vec<Choice>> {
        let group = self.group_by_name(actor, group).await?;
        let hidden = || HubError::not_found("group", &group.name);
        actor.may_on(Operation::SelectImage, Operation::SelectImage, actor.standing_in(&group.id), hidden)?;
        let query = ImageQuery {
            scope: ImageScope::UsableBy(vec![group.id]),
            order: Some(ImageOrder { field: ImageField::DisplayName, is_descending: false }),
            ..ImageQuery::default()
        };
        let images = self.store.read().images(&query, Page::ALL).await?.rows;
        Ok(images.into_iter().map(|image| choice(image, has_gpu)).collect())
    }
}

/// The type of an image as it is shown.
pub fn kind_label(kind: ImageKind) -> &'static str {
    match kind {
        ImageKind::Cpu => "CPU",
        ImageKind::Gpu => "GPU",
        ImageKind::Universal => "Universal",
    }
}

fn choice(image: Image, has_gpu: bool) -> Choice {
    let kind = kind_label(image.kind);
    let is_group_image = image.group.is_some();
    let readiness = if image.is_ready() { "" } else { "(Not Ready) " };
    let owner = if is_group_image { "Group" } else { "System" };
    let disabled = if !image.is_ready() {
        Some("The image is not ready yet")
    } else if image.kind == ImageKind::Gpu && !has_gpu {
        Some("The image needs a machine with a GPU")
    } else {
        None
    };
    Choice {
        hint: format!("{readiness}{owner} / {kind}"),
        url: image.url_on(has_gpu).cloned(),
        name: image.name,
        label: image.display_name,
        is_group_image,
        kind,
        description: image.description,
        pull_secret: image.pull_secret,
        disabled,
    }
}
