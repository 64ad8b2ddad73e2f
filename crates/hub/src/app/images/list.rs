//! Finding images.

use std::collections::HashMap;

use imagewright_spec::ImageName;
use imagewright_store::builds::Build;
use imagewright_store::groups::{Group, GroupFilter};
use imagewright_store::images::{Image, ImageOwner, ImageQuery, ImageScope, ImageSource};
use imagewright_store::{GroupId, Listed, Page};

use super::{ListedImage, not_found};
use crate::access::{Actor, Operation};
use crate::app::groups::EVERYONE;
use crate::error::{HubError, Result};
use crate::hub::Hub;

impl Hub {
    /// Images that the actor may see: an admin all, others what their groups may use.
    ///
    /// # Errors
    /// Not authenticated.
    pub async fn images(&self, actor: &Actor, query: ImageQuery, page: Page) -> Result<Listed<ListedImage>> {
        actor.may(Operation::ListImages, actor.standing())?;
        let scope = match actor.account() {
            Some(account) if !account.is_admin => ImageScope::UsableBy(account.group_ids()),
            _ => query.scope.clone(),
        };
        self.listed(actor, &ImageQuery { scope, ..query }, page).await
    }

    /// A group's own images, for those who manage them.
    ///
    /// # Errors
    /// Not allowed for others than the group's admins; not found for a group that the actor is not in.
    pub async fn group_images(
        &self,
        actor: &Actor,
        group: &GroupId,
        query: ImageQuery,
        page: Page,
    ) -> Result<Listed<ListedImage>> {
        let standing = actor.standing_in(group);
        let hidden = || HubError::not_found("group", group.as_str());
        actor.may_on(Operation::ListGroupImages, Operation::ReadGroup, standing, hidden)?;
        let owner = ImageOwner::Groups(vec![group.clone()]);
        self.listed(actor, &ImageQuery { owner, scope: ImageScope::All, ..query }, page).await
    }

    /// The images that a group may use, by name: its own, those shared with it, and global ones. Of `everyone` these
    /// are the global ones.
    ///
    /// # Errors
    /// Not found for a group that the actor is not in.
    pub async fn images_usable_by(&self, actor: &Actor, group: &GroupId) -> Result<Vec<ListedImage>> {
        let group = self.group(actor, group).await?;
        let groups = if group.name == EVERYONE { Vec::new() } else { vec![group.id] };
        let query = ImageQuery { scope: ImageScope::UsableBy(groups), ..ImageQuery::default() };
        Ok(self.listed(actor, &query, Page::ALL).await?.rows)
    }

    /// An image.
    ///
    /// # Errors
    /// Not found, also for what the actor's groups may not use.
    pub async fn image(&self, actor: &Actor, name: &str) -> Result<ListedImage> {
        let image = self.readable_image(actor, name).await?;
        let mut shown = self.shown(actor, vec![image]).await?;
        shown.pop().ok_or_else(|| not_found(name))
    }

    /// The groups that a system image is shared with, by name, of those that the actor may see; `everyone` is not
    /// among them.
    ///
    /// # Errors
    /// As [`Hub::image`].
    pub async fn groups_of_image(&self, actor: &Actor, name: &ImageName) -> Result<Vec<Group>> {
        let image = self.readable_image(actor, name.as_str()).await?;
        let reader = self.store.read();
        let ids = reader.image_groups(&image.name).await?;
        let filter = GroupFilter { ids: Some(ids), ..GroupFilter::default() };
        let mut groups = reader.groups(&filter, Page::ALL).await?.rows;
        groups.retain(|group| actor.standing_in(&group.id) >= Operation::ReadGroup.needs());
        Ok(groups)
    }

    /// An image that the actor may read.
    pub(in crate::app) async fn readable_image(&self, actor: &Actor, name: &str) -> Result<Image> {
        let reader = self.store.read();
        let found = match name.parse::<ImageName>() {
            Ok(name) => reader.image(&name).await?,
            Err(_) => None,
        };
        let Some(image) = found else {
            // Who has not signed in learns nothing of what there is.
            actor.may(Operation::ListImages, actor.standing())?;
            return Err(not_found(name));
        };
        let shared_with = reader.image_groups(&image.name).await?;
        let standing = actor.standing_to(&image, &shared_with);
        actor.may_on(Operation::ReadImage, Operation::ReadImage, standing, || not_found(name))?;
        Ok(image)
    }

    async fn listed(&self, actor: &Actor, query: &ImageQuery, page: Page) -> Result<Listed<ListedImage>> {
        let found = self.store.read().images(query, page).await?;
        Ok(Listed { total: found.total, rows: self.shown(actor, found.rows).await? })
    }

    /// Adds what lists show of images, in a query for each kind of thing and not for each image.
    pub(in crate::app) async fn shown(&self, actor: &Actor, images: Vec<Image>) -> Result<Vec<ListedImage>> {
        let reader = self.store.read();
        let mut ids: Vec<GroupId> = images.iter().filter_map(|image| image.group.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut groups = HashMap::new();
        if !ids.is_empty() {
            let filter = GroupFilter { ids: Some(ids), ..GroupFilter::default() };
            for group in reader.groups(&filter, Page::ALL).await?.rows {
                groups.insert(group.id.clone(), group);
            }
        }
        // Who sees an image in a list is at least a member to it: what matters is who is more than that.
        let custom: Vec<&str> = images
            .iter()
            .filter(|image| matches!(image.source, ImageSource::Custom { .. }))
            .filter(|image| actor.standing_to(image, &[]) >= Operation::ReadImageBuilds.needs())
            .map(|image| image.name.as_str())
            .collect();
        let mut builds: HashMap<String, Build> = HashMap::new();
        if !custom.is_empty() {
            for build in reader.latest_builds("image", &custom).await? {
                builds.insert(build.subject.name().to_owned(), build);
            }
        }
        let shown = images.into_iter().map(|image| ListedImage {
            group: image.group.as_ref().and_then(|group| groups.get(group).cloned()),
            latest_build: builds.remove(image.name.as_str()),
            image,
        });
        Ok(shown.collect())
    }
}
