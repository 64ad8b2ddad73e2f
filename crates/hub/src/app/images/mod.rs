//! Images that people may choose.

mod change;
mod create;
mod list;
mod source;

use imagewright_spec::ImageKind;
use imagewright_store::builds::Build;
use imagewright_store::groups::Group;
use imagewright_store::images::Image;
use imagewright_store::{GroupId, SecretId};

use super::Change;
use crate::error::HubError;

/// What packages an image is to have, as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecipeInput {
    /// The image to start from.
    pub base: String,
    /// The secret that pulls it.
    pub pull_secret: Option<SecretId>,
    /// APT packages; each text may have several lines.
    pub apt: Vec<String>,
    /// conda packages.
    pub conda: Vec<String>,
    /// pip packages.
    pub pip: Vec<String>,
}

/// Where a new image comes from.
#[derive(Debug, Clone)]
pub enum NewSource {
    /// From a registry. Without an address it is not ready.
    Existing {
        /// Where it is.
        url: Option<String>,
        /// Where it is for machines with a GPU.
        url_for_gpu: Option<String>,
        /// The secret that pulls it.
        pull_secret: Option<SecretId>,
    },
    /// From a build.
    Custom(RecipeInput),
}

/// An image to be made.
#[derive(Debug, Clone)]
pub struct NewImage {
    /// Name; made from the name that is shown without one.
    pub name: Option<String>,
    /// Name that is shown; the name without one.
    pub display_name: Option<String>,
    /// Whether the name that is shown must follow the mission's rule, as pages want it: lower-case letters, digits,
    /// `-` and `.`.
    pub is_display_name_strict: bool,
    /// Description.
    pub description: String,
    /// For which machines it is.
    pub kind: ImageKind,
    /// The group it belongs to; nothing for a system image.
    pub group: Option<GroupId>,
    /// Whether every group may use it. System images only.
    pub is_global: bool,
    /// The groups that it is shared with. System images only.
    pub shared_with: Vec<GroupId>,
    /// Where it comes from.
    pub source: NewSource,
}

/// What of an image changes. Group and source are fixed, but for admins who may give an image to another group.
#[derive(Debug, Clone, Default)]
pub struct ImageChange {
    /// Name that is shown.
    pub display_name: Option<String>,
    /// Whether it must follow the mission's rule when it changes.
    pub is_display_name_strict: bool,
    /// Description.
    pub description: Option<String>,
    /// For which machines it is; a custom image's changes with a rebuild only.
    pub kind: Option<ImageKind>,
    /// Where it is; a custom image's comes from its builds only.
    pub url: Option<String>,
    /// Where it is for machines with a GPU.
    pub url_for_gpu: Change<String>,
    /// The secret that pulls it.
    pub pull_secret: Change<SecretId>,
    /// Whether every group may use it.
    pub is_global: Option<bool>,
    /// Groups to share it with.
    pub connect: Vec<GroupId>,
    /// Groups to share it with no more.
    pub disconnect: Vec<GroupId>,
    /// The group that it belongs to.
    pub group: Change<GroupId>,
}

/// An image with what lists show of it.
#[derive(Debug, Clone)]
pub struct ListedImage {
    /// The image.
    pub image: Image,
    /// The group it belongs to.
    pub group: Option<Group>,
    /// Its latest build, if it is a custom image and the actor may see builds.
    pub latest_build: Option<Build>,
}

pub(super) fn not_found(name: &str) -> HubError {
    HubError::not_found("images.primehub.io", name)
}
