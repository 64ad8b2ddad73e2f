//! Changing and deleting images.

use imagewright_spec::{ImageKind, ImageName, ImageReference};
use imagewright_store::builds::{BuildFilter, BuildStatus, Subject};
use imagewright_store::images::{Image, ImageSource};
use imagewright_store::{GroupId, Page, Writer};
use serde_json::json;

use super::create::{checked_description, checked_name, existing_group};
use super::source::{address, own_gpu_address};
use super::{ImageChange, ListedImage, not_found};
use crate::access::{Actor, Operation};
use crate::app::Change;
use crate::app::groups::EVERYONE;
use crate::error::{FieldProblem, HubError, Result};
use crate::hub::Hub;

impl Hub {
    /// Changes an image.
    ///
    /// # Errors
    /// Not allowed, not found; whatever is wrong with what was given.
    pub async fn update_image(&self, actor: &Actor, name: &str, change: ImageChange) -> Result<ListedImage> {
        let writer = self.store.write().await?;
        let mut image = self.image_for(&writer, actor, name, Operation::UpdateImage).await?;
        may_share(actor, &image, &change)?;
        if let Some(display_name) = &change.display_name
            && *display_name != image.display_name
        {
            let checked = checked_name(display_name, change.is_display_name_strict)?;
            image.display_name = if checked.is_empty() { image.name.to_string() } else { checked };
        }
        if let Some(description) = &change.description {
            image.description = checked_description(description)?;
        }
        change_source(&mut image, &change)?;
        if let Change::Set(secret) = &change.pull_secret
            && image.pull_secret.as_ref() != Some(secret)
        {
            let (group, field) = (image.group.clone(), "useImagePullSecret");
            self.check_secret(&writer, actor, group.as_ref(), field, Some(secret)).await?;
        }
        if matches!(image.source, ImageSource::Existing) {
            change.pull_secret.clone().apply(&mut image.pull_secret);
        }
        match &change.group {
            Change::Keep => {}
            Change::Clear => image.group = None,
            Change::Set(group) => {
                existing_group(&writer, group).await?;
                image.group = Some(group.clone());
            }
        }
        image.is_global = change.is_global.unwrap_or(image.is_global) && image.group.is_none();
        image.updated_at = self.clock.now();
        writer.update_image(&image).await?;
        for group in &change.connect {
            self.share(&writer, &mut image, group).await?;
        }
        for group in &change.disconnect {
            self.unshare(&writer, &mut image, group).await?;
        }
        let detail = json!({
            "displayName": image.display_name, "type": image.kind, "url": image.url,
            "urlForGpu": image.url_for_gpu, "pullSecret": image.pull_secret, "isGlobal": image.is_global,
            "sharedWith": change.connect, "sharedNoMoreWith": change.disconnect,
        });
        self.note(&writer, actor, "image.update", ("image", name), image.group.as_ref(), detail).await?;
        writer.commit().await?;
        let mut shown = self.shown(actor, vec![image]).await?;
        shown.pop().ok_or_else(|| not_found(name))
    }

    /// Deletes an image, ends its builds, and leaves what they pushed to the clean-up.
    ///
    /// # Errors
    /// Not allowed, not found.
    pub async fn delete_image(&self, actor: &Actor, name: &str) -> Result<Image> {
        let writer = self.store.write().await?;
        let image = self.image_for(&writer, actor, name, Operation::DeleteImage).await?;
        self.end_builds(&writer, &Subject::Image(image.name.clone())).await?;
        writer.delete_image(&image.name).await?;
        let detail = json!({ "displayName": image.display_name, "url": image.url });
        self.note(&writer, actor, "image.delete", ("image", name), image.group.as_ref(), detail).await?;
        writer.commit().await?;
        self.wake.notify_one();
        Ok(image)
    }

    /// Ends what is under way for a subject that is about to be deleted, and leaves its builds without one.
    pub(in crate::app) async fn end_builds(&self, writer: &Writer, subject: &Subject) -> Result<()> {
        let filter = BuildFilter {
            subject: Some(subject.clone()),
            statuses: Some(vec![BuildStatus::Queued, BuildStatus::Running]),
            ..BuildFilter::default()
        };
        let now = self.clock.now();
        for build in writer.builds(&filter, Page::ALL).await?.rows {
            writer.request_cancel(&build.id, now).await?;
        }
        writer.orphan_builds(subject, now).await?;
        Ok(())
    }

    /// An image that the actor may do something to, read in the transaction that does it.
    pub(in crate::app) async fn image_for(
        &self,
        writer: &Writer,
        actor: &Actor,
        name: &str,
        operation: Operation,
    ) -> Result<Image> {
        let found = match name.parse::<ImageName>() {
            Ok(name) => writer.image(&name).await?,
            Err(_) => None,
        };
        let Some(image) = found else {
            actor.may(Operation::ListImages, actor.standing())?;
            return Err(not_found(name));
        };
        let shared_with = writer.image_groups(&image.name).await?;
        let standing = actor.standing_to(&image, &shared_with);
        actor.may_on(operation, Operation::ReadImage, standing, || not_found(name))?;
        Ok(image)
    }

    async fn unshare(&self, writer: &Writer, image: &mut Image, group: &GroupId) -> Result<()> {
        if writer.group(group).await?.is_some_and(|group| group.name == EVERYONE) {
            image.is_global = false;
            writer.update_image(image).await?;
            return Ok(());
        }
        Ok(writer.unshare_image(&image.name, group).await?)
    }
}

/// Sharing and moving are for admins, also when a group admin asks for what is already so.
fn may_share(actor: &Actor, image: &Image, change: &ImageChange) -> Result<()> {
    let others = change.connect.iter().chain(&change.disconnect);
    let concerns_others = others.clone().any(|group| image.group.as_ref() != Some(group));
    let is_moved = match &change.group {
        Change::Keep => false,
        Change::Clear => image.group.is_some(),
        Change::Set(group) => image.group.as_ref() != Some(group),
    };
    let turns_global = change.is_global.is_some_and(|is_global| is_global != image.is_global);
    if concerns_others || is_moved || turns_global {
        actor.may(Operation::ShareImage, actor.standing())?;
    }
    if image.group.is_some() && change.is_global == Some(true) && !matches!(change.group, Change::Clear) {
        let suggestion = "make it a system image, without a group, first";
        return Err(HubError::invalid(FieldProblem::new(
            "global",
            "an image of a group cannot be global",
            suggestion,
        )));
    }
    Ok(())
}

/// Type and addresses, as `PrimeHub` changes them, but for its defects.
fn change_source(image: &mut Image, change: &ImageChange) -> Result<()> {
    if let ImageSource::Custom { recipe, .. } = &image.source {
        return refuse_source_of_custom(image, recipe.kind, change);
    }
    let kind = change.kind.unwrap_or(image.kind);
    let before = image.url.clone();
    let url = address("url", change.url.as_deref())?.or_else(|| before.clone());
    let is_given = change.url.as_deref().is_some_and(|url| !url.trim().is_empty());
    let for_gpu = match &change.url_for_gpu {
        // Who says where the image is and nothing of GPUs means both.
        Change::Keep if is_given => None,
        Change::Keep => image.url_for_gpu.clone(),
        Change::Clear => None,
        Change::Set(text) => {
            let typed: Option<ImageReference> = address("urlForGpu", Some(text))?;
            // Clients send back what they have read: what followed the address goes on following it.
            typed.filter(|typed| !(image.url_for_gpu.is_none() && Some(typed) == before.as_ref()))
        }
    };
    image.url_for_gpu = own_gpu_address(kind, url.as_ref(), for_gpu);
    (image.kind, image.url) = (kind, url);
    Ok(())
}

fn refuse_source_of_custom(image: &Image, next_kind: ImageKind, change: &ImageChange) -> Result<()> {
    let is_other = |typed: &str, stored: Option<&ImageReference>| {
        let typed = typed.trim();
        !typed.is_empty() && stored.is_none_or(|stored| typed != stored.to_string())
    };
    let field = if change.url.as_deref().is_some_and(|url| is_other(url, image.url.as_ref())) {
        "url"
    } else if let Change::Set(url) = &change.url_for_gpu
        && is_other(url, image.url_on(true))
    {
        "urlForGpu"
    } else if change.kind.is_some_and(|kind| kind != image.kind && kind != next_kind) {
        "type"
    } else if let Change::Set(secret) = &change.pull_secret
        && image.pull_secret.as_ref() != Some(secret)
    {
        "useImagePullSecret"
    } else {
        return Ok(());
    };
    let message = "this comes from the builds of a custom image";
    Err(HubError::invalid(FieldProblem::new(field, message, "rebuild the image, or leave it as it is")))
}
