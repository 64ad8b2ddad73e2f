//! Adding images.

use imagewright_spec::{DisplayName, ImageName, ImageReference};
use imagewright_store::images::{Image, ImageSource};
use imagewright_store::{GroupId, StoreError, Writer};
use serde_json::json;

use super::source::{address, own_gpu_address};
use super::{ListedImage, NewImage, NewSource};
use crate::access::{Actor, Operation};
use crate::app::builds::BuildRequest;
use crate::app::groups::EVERYONE;
use crate::error::{FieldProblem, HubError, Kind, Result};
use crate::hub::Hub;
use crate::random;

/// How often another name is made when the one that was made is taken.
const NAME_ATTEMPTS: usize = 20;
/// The longest name that is shown and the longest description, in characters.
const LONGEST_SHOWN: usize = 200;
const LONGEST_DESCRIPTION: usize = 2000;

impl Hub {
    /// Makes an image and, for a custom one, queues its first build, both or neither.
    ///
    /// # Errors
    /// Not allowed; a name that is taken; whatever is wrong with what was given; a queue that is full.
    pub async fn create_image(&self, actor: &Actor, new: NewImage) -> Result<ListedImage> {
        may_create(actor, &new)?;
        let (display_name, description) =
            (checked_display_name(&new)?, checked_description(&new.description)?);
        let typed = new.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let typed = typed.map(|name| {
            name.parse::<ImageName>().map_err(|problem| HubError::invalid(FieldProblem::of("name", &problem)))
        });
        let typed = typed.transpose()?;
        let now = self.clock.now();
        let recipe = match &new.source {
            NewSource::Existing { .. } => None,
            NewSource::Custom(input) => {
                Some(self.read_recipe(actor, new.group.as_ref(), new.kind, input).await?)
            }
        };

        let writer = self.store.write().await?;
        let group_name = match &new.group {
            Some(group) => Some(existing_group(&writer, group).await?),
            None => None,
        };
        let name = match typed {
            Some(name) if writer.image(&name).await?.is_some() => return Err(taken(&name)),
            Some(name) => name,
            None => self.free_name(&writer, &display_name).await?,
        };
        let mut image = Image {
            display_name: if display_name.is_empty() { name.to_string() } else { display_name },
            name,
            description,
            kind: new.kind,
            url: None,
            url_for_gpu: None,
            pull_secret: None,
            group: new.group.clone(),
            is_global: new.is_global,
            source: ImageSource::Existing,
            created_at: now,
            updated_at: now,
        };
        match (&new.source, &recipe) {
            (NewSource::Custom(input), Some((recipe, _))) => {
                self.check_secret(
                    &writer,
                    actor,
                    new.group.as_ref(),
                    "imageSpec.pullSecret",
                    input.pull_secret.as_ref(),
                )
                .await?;
                image.source = ImageSource::Custom {
                    recipe: recipe.clone(),
                    pull_secret: input.pull_secret.clone(),
                    build: None,
                };
            }
            (NewSource::Existing { url, url_for_gpu, pull_secret }, _) => {
                image.url = address("url", url.as_deref())?;
                let for_gpu: Option<ImageReference> = address("urlForGpu", url_for_gpu.as_deref())?;
                image.url_for_gpu = own_gpu_address(new.kind, image.url.as_ref(), for_gpu);
                self.check_secret(
                    &writer,
                    actor,
                    new.group.as_ref(),
                    "useImagePullSecret",
                    pull_secret.as_ref(),
                )
                .await?;
                image.pull_secret.clone_from(pull_secret);
            }
            (NewSource::Custom(_), None) => {}
        }
        writer.insert_image(&image).await.map_err(|error| match error {
            StoreError::Taken => taken(&image.name),
            other => other.into(),
        })?;
        for group in &new.shared_with {
            self.share(&writer, &mut image, group).await?;
        }
        let detail = json!({
            "displayName": image.display_name, "type": image.kind, "url": image.url, "group": group_name,
            "isGlobal": image.is_global, "sharedWith": new.shared_with, "isCustom": recipe.is_some(),
        });
        self.note(
            &writer,
            actor,
            "image.create",
            ("image", image.name.as_str()),
            image.group.as_ref(),
            detail,
        )
        .await?;
        if let Some((recipe, spec)) = recipe {
            let request = BuildRequest::of_image(&image, recipe, spec.spec_hash());
            self.enqueue(&writer, actor, request).await?;
        }
        writer.commit().await?;
        self.wake.notify_one();
        let mut shown = self.shown(actor, vec![image]).await?;
        shown.pop().ok_or_else(|| HubError::internal("an image was made and is gone"))
    }

    async fn free_name(&self, writer: &Writer, display_name: &str) -> Result<ImageName> {
        for _ in 0..NAME_ATTEMPTS {
            let suffix = random::identifier();
            let name = ImageName::generate(display_name, &suffix[..5]);
            if writer.image(&name).await?.is_none() {
                return Ok(name);
            }
        }
        Err(HubError::internal("no name was free"))
    }

    /// Shares an image with a group. The group that everyone is in makes it global.
    pub(super) async fn share(&self, writer: &Writer, image: &mut Image, group: &GroupId) -> Result<()> {
        if image.group.as_ref() == Some(group) {
            return Ok(());
        }
        if image.group.is_some() {
            return Err(HubError::invalid(not_shared()));
        }
        if existing_group(writer, group).await? == EVERYONE {
            image.is_global = true;
            writer.update_image(image).await?;
            return Ok(());
        }
        Ok(writer.share_image(&image.name, group).await?)
    }
}

fn may_create(actor: &Actor, new: &NewImage) -> Result<()> {
    let Some(group) = &new.group else {
        return actor.may(Operation::CreateSystemImage, actor.standing());
    };
    let standing = actor.standing_in(group);
    let hidden = || HubError::not_found("group", group.as_str());
    actor.may_on(Operation::CreateGroupImage, Operation::ReadGroup, standing, hidden)?;
    // A client says once more that the image is its own group's.
    let is_shared = new.is_global || new.shared_with.iter().any(|other| other != group);
    if is_shared {
        actor.may(Operation::ShareImage, standing)?;
        return Err(HubError::invalid(not_shared()));
    }
    Ok(())
}

fn not_shared() -> FieldProblem {
    FieldProblem::new(
        "groups",
        "an image of a group is for this group alone",
        "make a system image, without a group, and share that",
    )
}

/// The name of a group that must exist.
pub(super) async fn existing_group(writer: &Writer, group: &GroupId) -> Result<String> {
    let found = writer.group(group).await?;
    Ok(found.ok_or_else(|| HubError::not_found("group", group.as_str()))?.name)
}

fn taken(name: &ImageName) -> HubError {
    HubError::new(Kind::Conflict, format!("Resource already exist: there is an image {name}"))
        .with_hint("choose another name, or leave it out to get one that is free")
}

fn checked_display_name(new: &NewImage) -> Result<String> {
    checked_name(new.display_name.as_deref().unwrap_or_default(), new.is_display_name_strict)
}

/// The name that is shown; by the mission's rule where that is wanted.
pub(super) fn checked_name(text: &str, is_strict: bool) -> Result<String> {
    let text = text.trim();
    if is_strict {
        let name = text.parse::<DisplayName>();
        let name = name.map_err(|problem| HubError::invalid(FieldProblem::of("displayName", &problem)))?;
        return Ok(name.to_string());
    }
    if text.chars().count() > LONGEST_SHOWN || text.chars().any(char::is_control) {
        let message = format!("a display name has at most {LONGEST_SHOWN} characters, and no line breaks");
        return Err(HubError::invalid(FieldProblem::new("displayName", message, "write a shorter one")));
    }
    Ok(text.to_owned())
}

pub(super) fn checked_description(text: &str) -> Result<String> {
    if text.chars().count() > LONGEST_DESCRIPTION {
        let message = format!("a description has at most {LONGEST_DESCRIPTION} characters");
        return Err(HubError::invalid(FieldProblem::new("description", message, "write a shorter one")));
    }
    Ok(text.to_owned())
}
