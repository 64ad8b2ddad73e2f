//! Which image a notebook may be started from.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::asking::Asking as _;
use crate::app::selection::Choice;

/// Queries for the image selection.
#[derive(Default)]
pub(super) struct SelectionQueries;

/// An image to choose, or why it cannot be chosen.
#[derive(SimpleObject)]
pub(super) struct ImageChoice {
    /// The image.
    name: String,
    /// What is shown.
    label: String,
    /// What the `i` tells: `Group / GPU`, `(Not Ready) System / Universal`.
    hint: String,
    /// The type as it is shown: CPU, GPU, Universal.
    r#type: &'static str,
    /// Description.
    description: String,
    /// Whether the image is the group's own.
    is_group_image: bool,
    /// Where it is for this machine; null while it is not ready.
    url: Option<String>,
    /// The secret that pulls it, by reference.
    pull_secret: Option<String>,
    /// Whether it can be chosen.
    enabled: bool,
    /// Why it cannot.
    reason: Option<&'static str>,
}

#[Object]
impl SelectionQueries {
    /// The images for a notebook of a group, on a machine with or without a GPU, by label: the group's own, those
    /// shared with it, and global ones.
    #[graphql(complexity = "20 + child_complexity")]
    async fn selection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The name of the group.")] group: String,
        #[graphql(desc = "Whether the machine has a GPU.", default)] gpu: bool,
    ) -> Result<Vec<ImageChoice>> {
        let choices = ctx.hub().selection(ctx.actor(), &group, gpu).await?;
        Ok(choices.into_iter().map(ImageChoice::from).collect())
    }
}

impl From<Choice> for ImageChoice {
    fn from(choice: Choice) -> Self {
        Self {
            name: choice.name.to_string(),
            label: choice.label,
            hint: choice.hint,
            r#type: choice.kind,
            description: choice.description,
            is_group_image: choice.is_group_image,
            url: choice.url.as_ref().map(ToString::to_string),
            pull_secret: choice.pull_secret.as_ref().map(ToString::to_string),
            enabled: choice.disabled.is_none(),
            reason: choice.disabled,
        }
    }
}
