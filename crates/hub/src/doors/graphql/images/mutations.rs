//! Making, changing, building and deleting images.

use async_graphql::{Context, Object, Result};
use imagewright_spec::ImageKind;
use imagewright_store::{GroupId, SecretId};

use super::super::asking::{Asking as _, filled, problem};
use super::super::groups::{group_named, ids};
use super::input::{
    ImageCreateInput, ImageSpecInput, ImageUpdateInput, ImageWhereUniqueInput, change_of, kind_of,
};
use super::object::ImageObject;
use crate::access::Actor;
use crate::app::Change;
use crate::app::images::{ImageChange, ListedImage, NewImage, NewSource};
use crate::hub::Hub;

/// Mutations of images.
#[derive(Default)]
pub(in super::super) struct ImageMutations;

#[Object]
impl ImageMutations {
    /// Makes an image. One with an `imageSpec` is built now and is ready when that has succeeded.
    async fn create_image(&self, ctx: &Context<'_>, data: ImageCreateInput) -> Result<ImageObject> {
        let new = new_image(ctx.hub(), ctx.actor(), data).await?;
        let listed = ctx.hub().create_image(ctx.actor(), new).await?;
        Ok(ImageObject::new(listed, ctx.actor()))
    }

    /// Changes an image; what is left out stays.
    async fn update_image(
        &self,
        ctx: &Context<'_>,
        data: ImageUpdateInput,
        r#where: ImageWhereUniqueInput,
    ) -> Result<Option<ImageObject>> {
        let change = change(ctx.hub(), ctx.actor(), &r#where.id, data).await?;
        let listed = ctx.hub().update_image(ctx.actor(), &r#where.id, change).await?;
        Ok(Some(ImageObject::new(listed, ctx.actor())))
    }

    /// Deletes an image, and ends its build if there is one under way.
    async fn delete_image(
        &self,
        ctx: &Context<'_>,
        r#where: ImageWhereUniqueInput,
    ) -> Result<Option<ImageObject>> {
        let image = ctx.hub().delete_image(ctx.actor(), &r#where.id).await?;
        let listed = ListedImage { image, group: None, latest_build: None };
        Ok(Some(ImageObject::new(listed, ctx.actor())))
    }

    /// Builds a custom image anew, from what is given or else from what was asked for last. The image that is in use
    /// stays in use until the build has succeeded.
    async fn rebuild_image(
        &self,
        ctx: &Context<'_>,
        data: ImageSpecInput,
        r#where: ImageWhereUniqueInput,
        #[graphql(desc = "For which machines it is to be from now on: `cpu`, `gpu` or `both`.")]
        r#type: Option<String>,
    ) -> Result<Option<ImageObject>> {
        let (hub, actor) = (ctx.hub(), ctx.actor());
        let kind = r#type.as_deref().map(kind_of).transpose()?;
        let before = hub.image(actor, &r#where.id).await?;
        let recipe = data.changed(&before.image);
        let listed = hub.rebuild_image(actor, &r#where.id, recipe, kind).await?;
        Ok(Some(ImageObject::new(listed, actor)))
    }

    /// Ends the build of an image that waits or runs.
    async fn cancel_image_build(
        &self,
        ctx: &Context<'_>,
        r#where: ImageWhereUniqueInput,
    ) -> Result<Option<ImageObject>> {
        let listed = ctx.hub().cancel_image_build(ctx.actor(), &r#where.id).await?;
        Ok(Some(ImageObject::new(listed, ctx.actor())))
    }

    /// Makes the result of an earlier revision current again: address, address for GPU and secret together.
    async fn rollback_image(
        &self,
        ctx: &Context<'_>,
        r#where: ImageWhereUniqueInput,
        #[graphql(desc = "The number of the revision.")] number: i64,
    ) -> Result<Option<ImageObject>> {
        let listed = ctx.hub().roll_back_image(ctx.actor(), &r#where.id, number).await?;
        Ok(Some(ImageObject::new(listed, ctx.actor())))
    }
}

async fn new_image(hub: &Hub, actor: &Actor, data: ImageCreateInput) -> Result<NewImage> {
    let mut shared_with = ids(data.groups.map(|groups| groups.connect).unwrap_or_default());
    let mut is_global = data.global.unwrap_or(false);
    let group = match filled(data.group_name) {
        None => None,
        Some(name) => Some(owner(hub, actor, &name, &mut shared_with).await?),
    };
    if !shared_with.is_empty() {
        let everyone = hub.everyone().await?.id;
        is_global |= shared_with.contains(&everyone);
        shared_with.retain(|group| *group != everyone);
    }
    let (url, url_for_gpu) = (filled(data.url), filled(data.url_for_gpu));
    let pull_secret = filled(data.use_image_pull_secret).map(SecretId::new);
    let source = match data.image_spec {
        None => NewSource::Existing { url, url_for_gpu, pull_secret },
        Some(_) if url.is_some() || url_for_gpu.is_some() => {
            let message = "an image is either built or there already";
            return Err(
                problem("imageSpec", message, "leave out `url` and `urlForGpu`, or `imageSpec`").into()
            );
        }
        Some(asked) => {
            let mut recipe = asked.into_recipe();
            // Nothing but the base can be meant: what pulls a built image is the registry's to say.
            recipe.pull_secret = recipe.pull_secret.or(pull_secret);
            NewSource::Custom(recipe)
        }
    };
    Ok(NewImage {
        name: filled(data.name),
        display_name: filled(data.display_name),
        is_display_name_strict: false,
        description: data.description.unwrap_or_default(),
        kind: data.r#type.as_deref().map(kind_of).transpose()?.unwrap_or(ImageKind::Universal),
        group,
        is_global,
        shared_with,
        source,
    })
}

/// The group that an image is to belong to. The client sends its name and, to be connected, its identifier; where these
/// are of two groups, it has confused them, and it would be anybody's guess which one is meant.
async fn owner(hub: &Hub, actor: &Actor, name: &str, connected: &mut Vec<GroupId>) -> Result<GroupId> {
    let group = group_named(hub, actor, name).await?.id;
    if !connected.is_empty() && !connected.contains(&group) {
        let message = format!("`{name}` is not the group that the image is connected to");
        return Err(problem("groupName", message, "select the group again, so that name and id agree").into());
    }
    connected.retain(|connected| *connected != group);
    Ok(group)
}

async fn change(hub: &Hub, actor: &Actor, name: &str, data: ImageUpdateInput) -> Result<ImageChange> {
    if data.name.is_some_and(|given| given != name) {
        return Err(problem("name", "the name of an image is fixed", "make another image").into());
    }
    let groups = data.groups.unwrap_or_default();
    let (mut connect, mut disconnect) = (ids(groups.connect), ids(groups.disconnect));
    let mut is_global = data.global;
    if !connect.is_empty() || !disconnect.is_empty() {
        let everyone = hub.everyone().await?.id;
        if connect.contains(&everyone) {
            is_global = Some(true);
        } else if disconnect.contains(&everyone) {
            is_global = Some(false);
        }
        connect.retain(|group| *group != everyone);
        disconnect.retain(|group| *group != everyone);
    }
    let group = match change_of(data.group_name) {
        Change::Keep => Change::Keep,
        Change::Clear => Change::Clear,
        Change::Set(name) => Change::Set(owner(hub, actor, &name, &mut connect).await?),
    };
    Ok(ImageChange {
        display_name: data.display_name,
        is_display_name_strict: false,
        description: if data.description.is_undefined() {
            None
        } else {
            Some(data.description.take().unwrap_or_default())
        },
        kind: data.r#type.as_deref().map(kind_of).transpose()?,
        url: filled(data.url),
        url_for_gpu: change_of(data.url_for_gpu),
        pull_secret: change_of(data.use_image_pull_secret).map(SecretId::new),
        is_global,
        connect,
        disconnect,
        group,
    })
}
