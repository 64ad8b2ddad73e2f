//! Images that people may choose.

mod change;
mod list;
mod recipe;

use imagewright_spec::{ImageKind, ImageName, ImageReference};
use jiff::Timestamp;
use sea_orm::ActiveValue::Set;

use crate::error::{StoreError, from_json, from_text, to_json};
use crate::identifiers::{BuildId, GroupId, SecretId};
use crate::moment::{from_column, to_column};
use crate::search::search_text;
use crate::tables::image::{ActiveModel, Model};

pub use list::{Condition, ImageField, ImageOrder, ImageOwner, ImageQuery, ImageScope};
pub use recipe::Recipe;

/// Where an image comes from; fixed.
#[expect(clippy::large_enum_variant, reason = "it is never kept by the thousand")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// From a registry, as somebody said.
    Existing,
    /// From builds of ours.
    Custom {
        /// What was asked for last, built or not.
        recipe: Recipe,
        /// The secret that pulls the base.
        pull_secret: Option<SecretId>,
        /// The build whose result is in use, once there is one.
        build: Option<BuildId>,
    },
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Name, which identifies it; fixed.
    pub name: ImageName,
    /// Name that is shown.
    pub display_name: String,
    /// Description, or nothing.
    pub description: String,
    /// For which machines it is.
    pub kind: ImageKind,
    /// Where it is; nothing while it is not ready.
    pub url: Option<ImageReference>,
    /// Where it is for machines with a GPU, if that is elsewhere.
    pub url_for_gpu: Option<ImageReference>,
    /// The secret that pulls it.
    pub pull_secret: Option<SecretId>,
    /// The group it belongs to; nothing for a system image.
    pub group: Option<GroupId>,
    /// Whether every group may use it. System images only.
    pub is_global: bool,
    /// Where it comes from.
    pub source: ImageSource,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Image {
    /// Whether it can be used.
    pub fn is_ready(&self) -> bool {
        self.url.is_some()
    }

    /// The reference to use on a machine with or without a GPU.
    pub fn url_on(&self, has_gpu: bool) -> Option<&ImageReference> {
        let for_gpu = self.url_for_gpu.as_ref().filter(|_| has_gpu && self.kind == ImageKind::Universal);
        for_gpu.or(self.url.as_ref())
    }
}

impl TryFrom<Model> for Image {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        const TABLE: &str = "images";
        let reference = |url: Option<String>| url.map(|url| from_text(TABLE, &url)).transpose();
        let source = match row.recipe {
            None => ImageSource::Existing,
            Some(recipe) => ImageSource::Custom {
                recipe: from_json(TABLE, &recipe)?,
                pull_secret: row.recipe_secret_id.map(SecretId::from),
                build: row.build_id.map(BuildId::from),
            },
        };
        Ok(Self {
            name: from_text(TABLE, &row.name)?,
            display_name: row.display_name,
            description: row.description,
            kind: from_text(TABLE, &row.kind)?,
            url: reference(row.url)?,
            url_for_gpu: reference(row.url_for_gpu)?,
            pull_secret: row.pull_secret_id.map(SecretId::from),
            group: row.group_id.map(GroupId::from),
            is_global: row.is_global,
            source,
            created_at: from_column(row.created_at),
            updated_at: from_column(row.updated_at),
        })
    }
}

impl From<&Image> for ActiveModel {
    fn from(image: &Image) -> Self {
        let (source, recipe, recipe_secret, build) = match &image.source {
            ImageSource::Existing => ("existing", None, None, None),
            ImageSource::Custom { recipe, pull_secret, build } => {
                ("custom", Some(to_json(recipe)), pull_secret.clone(), build.clone())
            }
        };
        let parts = [image.name.as_str(), &image.display_name, &image.description, image.kind.name()];
        Self {
            name: Set(image.name.to_string()),
            display_name: Set(image.display_name.clone()),
            description: Set(image.description.clone()),
            kind: Set(image.kind.name().to_owned()),
            url: Set(image.url.as_ref().map(ToString::to_string)),
            url_for_gpu: Set(image.url_for_gpu.as_ref().map(ToString::to_string)),
            pull_secret_id: Set(image.pull_secret.as_ref().map(ToString::to_string)),
            group_id: Set(image.group.as_ref().map(ToString::to_string)),
            is_global: Set(image.is_global),
            source: Set(source.to_owned()),
            recipe: Set(recipe),
            recipe_secret_id: Set(recipe_secret.map(|secret| secret.to_string())),
            build_id: Set(build.map(|build| build.to_string())),
            search: Set(search_text(&parts)),
            sort_name: Set(image.display_name.to_lowercase()),
            created_at: Set(to_column(image.created_at)),
            updated_at: Set(to_column(image.updated_at)),
        }
    }
}
