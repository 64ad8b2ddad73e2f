//! A group, as clients see it.

use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};
use imagewright_store::groups::Group;
use jiff::Timestamp;

use super::super::asking::Asking as _;
use super::super::images::{ImageMode, ImageObject};
use super::super::users::UserObject;
use super::attributes::GroupAttributes;
use super::stand_ins::{Dataset, InstanceType, ResourceStatus};
use crate::app::groups::EVERYONE;

/// A group.
#[derive(SimpleObject)]
#[graphql(name = "Group", complex)]
pub(in super::super) struct GroupObject {
    /// Identifier.
    id: ID,
    /// Name; fixed.
    name: String,
    /// Name that is shown.
    display_name: String,
    #[graphql(flatten)]
    attributes: GroupAttributes,
    /// Always empty: this hub has no types of instances.
    instance_types: Vec<InstanceType>,
    /// Always empty: this hub has no volumes.
    datasets: Vec<Dataset>,
    /// Always unknown: this hub runs no notebooks.
    resource_status: ResourceStatus,
    /// Always unknown: this hub deploys no models.
    deployments_usage: Option<i64>,
    /// When it was made.
    created_at: Timestamp,
    #[graphql(skip)]
    group: Group,
    #[graphql(skip)]
    has_global_images: bool,
}

impl GroupObject {
    /// A group with what is its own.
    pub(in super::super) fn plain(group: Group) -> Self {
        Self::new(group, false)
    }

    /// A group with what its members may use: global images too.
    pub(in super::super) fn effective(group: Group) -> Self {
        Self::new(group, true)
    }

    fn new(group: Group, has_global_images: bool) -> Self {
        Self {
            id: ID(group.id.to_string()),
            name: group.name.clone(),
            display_name: group.display_name.clone(),
            attributes: GroupAttributes::read(&group.attributes),
            instance_types: Vec::new(),
            datasets: Vec::new(),
            resource_status: ResourceStatus::default(),
            deployments_usage: None,
            created_at: group.created_at,
            has_global_images: has_global_images || group.name == EVERYONE,
            group,
        }
    }
}

#[ComplexObject]
impl GroupObject {
    /// The names of its admins, joined by commas.
    async fn admins(&self, ctx: &Context<'_>) -> Result<String> {
        // Nobody is an admin of everyone, and there may be thousands in it.
        if self.group.name == EVERYONE {
            return Ok(String::new());
        }
        let members = ctx.hub().members(ctx.actor(), &self.group.id).await?;
        let admins = members.into_iter().filter(|member| member.is_admin);
        Ok(admins.map(|member| member.user.username).collect::<Vec<_>>().join(","))
    }

    /// Who is in it.
    #[graphql(complexity = "5 + child_complexity")]
    async fn users(&self, ctx: &Context<'_>) -> Result<Vec<UserObject>> {
        let members = ctx.hub().members(ctx.actor(), &self.group.id).await?;
        Ok(members.into_iter().map(|member| UserObject::new(member.user)).collect())
    }

    /// The images that it may use. In `effectiveGroups` global ones are among them; elsewhere they are those of the
    /// group `everyone`.
    #[graphql(complexity = "5 + child_complexity")]
    async fn images(&self, ctx: &Context<'_>, mode: Option<ImageMode>) -> Result<Vec<ImageObject>> {
        let mut images = Vec::new();
        for listed in ctx.hub().images_usable_by(ctx.actor(), &self.group.id).await? {
            let image = &listed.image;
            let is_wanted = match mode {
                Some(ImageMode::SystemOnly) => image.group.is_none(),
                Some(ImageMode::GroupOnly) => image.group.is_some(),
                Some(ImageMode::All) | None => true,
            };
            let is_here = self.has_global_images || !image.is_global || {
                let groups = ctx.hub().groups_of_image(ctx.actor(), &image.name).await?;
                groups.iter().any(|group| group.id == self.group.id)
            };
            if is_wanted && is_here {
                images.push(ImageObject::new(listed, ctx.actor()));
            }
        }
        Ok(images)
    }
}
