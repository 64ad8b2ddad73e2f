//! Which image a notebook may be started from.

use imagewright_spec::{ImageName, ImageReference};
use imagewright_store::SecretId;

use crate::access::Actor;
use crate::error::Result;
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
    pub disabled: Option<String>,
}

impl Hub {
    /// The images for a notebook of a group (by name), on a machine with or without a GPU, sorted by label: the
    /// group's own, those shared with it, and global ones.
    pub async fn selection(&self, actor: &Actor, group: &str, has_gpu: bool) -> Result<Vec<Choice>> {
        todo!()
    }
}
