//! Finding builds.

use async_graphql::{Context, Object, Result, SimpleObject};
use imagewright_spec::ImageKind;
use imagewright_store::builds::Build;

use super::super::asking::{Asking as _, filled, if_found};
use super::super::groups::group_named;
use super::super::images::{ImageWhereUniqueInput, kind_of};
use super::super::paging::{Connection, Paging};
use super::check::{ImageSpecCheck, ImageSpecCheckInput};
use super::difference::ImageDifference;
use super::object::BuildObject;

/// Queries for builds.
#[derive(Default)]
pub(in super::super) struct BuildQueries;

/// The builds that have not ended.
#[derive(SimpleObject)]
pub(super) struct Queue {
    /// Those that run.
    running: Vec<BuildObject>,
    /// Those that wait, in the order in which they would be taken now.
    waiting: Vec<BuildObject>,
}

#[Object]
impl BuildQueries {
    /// The revisions of an image, newest first: one for each time that it was to be built.
    #[graphql(complexity = "20 + child_complexity")]
    async fn image_revisions(
        &self,
        ctx: &Context<'_>,
        r#where: ImageWhereUniqueInput,
        page: Option<i64>,
    ) -> Result<Connection<BuildObject>> {
        let paging = Paging::numbered(page)?;
        let builds = ctx.hub().image_builds(ctx.actor(), &r#where.id, paging.rows()).await?;
        Ok(paging.connection(builds, |build| build.number.to_string(), BuildObject::from))
    }

    /// A revision of an image; null where there is none.
    async fn image_revision(
        &self,
        ctx: &Context<'_>,
        r#where: ImageWhereUniqueInput,
        #[graphql(desc = "The number of the revision.")] number: i64,
    ) -> Result<Option<BuildObject>> {
        let found = if_found(ctx.hub().image_build(ctx.actor(), &r#where.id, number).await)?;
        Ok(found.map(BuildObject::from))
    }

    /// What changes from one revision of an image to another.
    async fn image_diff(
        &self,
        ctx: &Context<'_>,
        r#where: ImageWhereUniqueInput,
        #[graphql(desc = "The number of the revision before.")] before: i64,
        #[graphql(desc = "The number of the revision after.")] after: i64,
    ) -> Result<ImageDifference> {
        let before = ctx.hub().image_build(ctx.actor(), &r#where.id, before).await?;
        let after = ctx.hub().image_build(ctx.actor(), &r#where.id, after).await?;
        Ok(ImageDifference::between(&before, &after))
    }

    /// Reads the base image and the package lines as a build would, without asking for one.
    async fn check_image_spec(&self, ctx: &Context<'_>, data: ImageSpecCheckInput) -> Result<ImageSpecCheck> {
        let (hub, actor) = (ctx.hub(), ctx.actor());
        let kind = data.r#type.as_deref().map(kind_of).transpose()?.unwrap_or(ImageKind::Universal);
        let group = match filled(data.group_name) {
            None => None,
            Some(name) => Some(group_named(hub, actor, &name).await?.id),
        };
        let recipe = data.image_spec.into_recipe();
        let outcome = hub.check_recipe(actor, group.as_ref(), kind, &recipe).await;
        Ok(ImageSpecCheck::of(outcome.map(drop))?)
    }

    /// The builds that wait and run, for admins.
    #[graphql(complexity = "20 + child_complexity")]
    async fn queue(&self, ctx: &Context<'_>) -> Result<Queue> {
        let (running, waiting) = ctx.hub().queue(ctx.actor()).await?;
        let objects = |builds: Vec<Build>| builds.into_iter().map(BuildObject::from).collect();
        Ok(Queue { running: objects(running), waiting: objects(waiting) })
    }
}
