//! What clients say of an image.

use async_graphql::{ID, InputObject, MaybeUndefined};
use imagewright_spec::ImageKind;
use imagewright_store::SecretId;
use imagewright_store::images::{Image, ImageSource, Recipe};

use super::super::asking::{filled, problem};
use super::super::groups::{GroupCreateManyInput, GroupUpdateManyInput};
use crate::app::Change;
use crate::app::images::RecipeInput;
use crate::error::Result;

/// The image that is meant.
#[derive(InputObject)]
pub(in super::super) struct ImageWhereUniqueInput {
    /// Its name.
    pub(in super::super) id: ID,
}

/// An image to be made.
#[derive(InputObject)]
pub(in super::super) struct ImageCreateInput {
    /// Name; made from the name that is shown without one.
    pub(super) name: Option<String>,
    /// Name that is shown; the name without one.
    pub(super) display_name: Option<String>,
    /// Description.
    pub(super) description: Option<String>,
    /// For which machines it is: `cpu`, `gpu` or `both` (`universal` is the same), which is the default.
    pub(super) r#type: Option<String>,
    /// Where it is.
    pub(super) url: Option<String>,
    /// Where it is for machines with a GPU. Universal images only; without it they are started from `url`.
    pub(super) url_for_gpu: Option<String>,
    /// The name of the group that it belongs to; a system image without.
    pub(super) group_name: Option<String>,
    /// Whether every group may use it. System images only.
    pub(super) global: Option<bool>,
    /// The secret that pulls it.
    pub(super) use_image_pull_secret: Option<String>,
    /// The groups that may use it. System images only.
    pub(super) groups: Option<GroupCreateManyInput>,
    /// What to build it from, instead of an address.
    pub(super) image_spec: Option<ImageSpecInput>,
}

/// What of an image changes; fields that are left out stay.
#[derive(InputObject)]
pub(in super::super) struct ImageUpdateInput {
    /// Must be what it is: the name is fixed.
    pub(super) name: Option<String>,
    /// Name that is shown.
    pub(super) display_name: Option<String>,
    /// Description.
    pub(super) description: MaybeUndefined<String>,
    /// For which machines it is; a custom image's changes with `rebuildImage` only.
    pub(super) r#type: Option<String>,
    /// Where it is; a custom image's comes from its builds only.
    pub(super) url: Option<String>,
    /// Where it is for machines with a GPU.
    pub(super) url_for_gpu: MaybeUndefined<String>,
    /// The name of the group that it belongs to. Admins alone may give an image to another group, or to none.
    pub(super) group_name: MaybeUndefined<String>,
    /// Whether every group may use it.
    pub(super) global: Option<bool>,
    /// The secret that pulls it; null or nothing for none.
    pub(super) use_image_pull_secret: MaybeUndefined<String>,
    /// Groups to offer it to, and to offer it to no more.
    pub(super) groups: Option<GroupUpdateManyInput>,
}

/// What to build an image from.
#[derive(InputObject, Default)]
#[graphql(name = "ImageSpecUpdateInput")]
pub(in super::super) struct ImageSpecInput {
    /// The image to start from.
    pub(in super::super) base_image: Option<String>,
    /// The secret that pulls it; null or nothing for none.
    pub(in super::super) pull_secret: MaybeUndefined<String>,
    /// What is put into it, all of it: a list that is left out is empty.
    pub(in super::super) packages: Option<ImageSpecPackagesInput>,
}

/// Packages; each text may have several lines.
#[derive(InputObject, Default)]
pub(in super::super) struct ImageSpecPackagesInput {
    /// System packages.
    apt: Option<Vec<Option<String>>>,
    /// Python packages.
    pip: Option<Vec<Option<String>>>,
    /// conda packages.
    conda: Option<Vec<Option<String>>>,
}

impl ImageSpecInput {
    /// What is asked for of an image that is new.
    pub(in super::super) fn into_recipe(self) -> RecipeInput {
        let packages = self.packages.unwrap_or_default();
        RecipeInput {
            base: self.base_image.unwrap_or_default(),
            pull_secret: filled(self.pull_secret.take()).map(SecretId::new),
            apt: lines(packages.apt),
            conda: lines(packages.conda),
            pip: lines(packages.pip),
        }
    }

    /// What is asked for of an image that is there; nothing where it is what was asked for last.
    pub(super) fn changed(self, image: &Image) -> Option<RecipeInput> {
        if self.base_image.is_none() && self.pull_secret.is_undefined() && self.packages.is_none() {
            return None;
        }
        let ImageSource::Custom { recipe, pull_secret, .. } = &image.source else {
            return Some(self.into_recipe());
        };
        let Recipe { base, apt, conda, pip, .. } = recipe.clone();
        let mut asked =
            RecipeInput { base: base.to_string(), pull_secret: pull_secret.clone(), apt, conda, pip };
        if let Some(base) = self.base_image {
            asked.base = base;
        }
        if !self.pull_secret.is_undefined() {
            asked.pull_secret = filled(self.pull_secret.take()).map(SecretId::new);
        }
        if let Some(packages) = self.packages {
            asked.apt = lines(packages.apt);
            asked.conda = lines(packages.conda);
            asked.pip = lines(packages.pip);
        }
        Some(asked)
    }
}

fn lines(packages: Option<Vec<Option<String>>>) -> Vec<String> {
    packages.unwrap_or_default().into_iter().flatten().collect()
}

/// What becomes of a field of which null and nothing at all clear it.
pub(in super::super) fn change_of(given: MaybeUndefined<String>) -> Change<String> {
    match given {
        MaybeUndefined::Undefined => Change::Keep,
        MaybeUndefined::Null => Change::Clear,
        MaybeUndefined::Value(text) if text.trim().is_empty() => Change::Clear,
        MaybeUndefined::Value(text) => Change::Set(text),
    }
}

/// The type that is meant by a text.
pub(in super::super) fn kind_of(text: &str) -> Result<ImageKind> {
    match text {
        "cpu" => Ok(ImageKind::Cpu),
        "gpu" => Ok(ImageKind::Gpu),
        "both" | "universal" => Ok(ImageKind::Universal),
        other => {
            Err(problem("type", format!("`{other}` is no type of image"), "write `cpu`, `gpu` or `both`"))
        }
    }
}

/// A type, as PrimeHub's clients know it.
pub(in super::super) fn kind_text(kind: ImageKind) -> &'static str {
    match kind {
        ImageKind::Cpu => "cpu",
        ImageKind::Gpu => "gpu",
        ImageKind::Universal => "both",
    }
}
