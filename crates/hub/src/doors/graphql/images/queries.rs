//! Finding images.

use async_graphql::{Context, Object, Result};
use imagewright_store::GroupId;

use super::super::asking::{Asking as _, if_found, problem};
use super::super::groups::group_named;
use super::super::ordering::OrderBy;
use super::super::paging::{Connection, Paging};
use super::filter::{ImageOrderByInput, ImageWhereInput, query_of};
use super::input::ImageWhereUniqueInput;
use super::object::{ImageMode, ImageObject};
use crate::app::images::ListedImage;

/// Queries for images.
#[derive(Default)]
pub(in super::super) struct ImageQueries;

#[Object]
impl ImageQueries {
    /// An image; null where there is none, or not for who asks.
    async fn image(&self, ctx: &Context<'_>, r#where: ImageWhereUniqueInput) -> Result<Option<ImageObject>> {
        let found = if_found(ctx.hub().image(ctx.actor(), &r#where.id).await)?;
        Ok(found.map(|listed| ImageObject::new(listed, ctx.actor())))
    }

    /// The images that who asks may use; for an admin all.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a list in PrimeHub's API")]
    #[graphql(complexity = "20 + child_complexity")]
    async fn images(
        &self,
        ctx: &Context<'_>,
        r#where: Option<ImageWhereInput>,
        page: Option<i64>,
        order_by: Option<OrderBy<ImageOrderByInput>>,
        before: Option<String>,
        after: Option<String>,
        first: Option<u64>,
        last: Option<u64>,
    ) -> Result<Vec<ImageObject>> {
        let paging = Paging::new(page, after, before, first, last)?;
        let listed = connection(ctx, None, r#where, order_by, &paging).await?;
        Ok(listed.into_nodes())
    }

    /// The images that who asks may use, in pages.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a list in PrimeHub's API")]
    #[graphql(complexity = "20 + child_complexity")]
    async fn images_connection(
        &self,
        ctx: &Context<'_>,
        mode: Option<ImageMode>,
        r#where: Option<ImageWhereInput>,
        page: Option<i64>,
        order_by: Option<OrderBy<ImageOrderByInput>>,
        before: Option<String>,
        after: Option<String>,
        first: Option<u64>,
        last: Option<u64>,
    ) -> Result<Connection<ImageObject>> {
        let paging = Paging::new(page, after, before, first, last)?;
        connection(ctx, mode, r#where, order_by, &paging).await
    }

    /// The images that belong to a group, for those who manage them. `where.groupName_contains` is needed, and means
    /// the group of exactly this name.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a list in PrimeHub's API")]
    #[graphql(complexity = "20 + child_complexity")]
    async fn group_images(
        &self,
        ctx: &Context<'_>,
        r#where: Option<ImageWhereInput>,
        page: Option<i64>,
        order_by: Option<OrderBy<ImageOrderByInput>>,
        before: Option<String>,
        after: Option<String>,
        first: Option<u64>,
        last: Option<u64>,
    ) -> Result<Vec<ImageObject>> {
        let paging = Paging::new(page, after, before, first, last)?;
        Ok(group_connection(ctx, r#where, order_by, &paging).await?.into_nodes())
    }

    /// The images that belong to a group, in pages.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a list in PrimeHub's API")]
    #[graphql(complexity = "20 + child_complexity")]
    async fn group_images_connection(
        &self,
        ctx: &Context<'_>,
        r#where: Option<ImageWhereInput>,
        page: Option<i64>,
        order_by: Option<OrderBy<ImageOrderByInput>>,
        before: Option<String>,
        after: Option<String>,
        first: Option<u64>,
        last: Option<u64>,
    ) -> Result<Connection<ImageObject>> {
        let paging = Paging::new(page, after, before, first, last)?;
        group_connection(ctx, r#where, order_by, &paging).await
    }
}

async fn connection(
    ctx: &Context<'_>,
    mode: Option<ImageMode>,
    filter: Option<ImageWhereInput>,
    order: Option<OrderBy<ImageOrderByInput>>,
    paging: &Paging,
) -> Result<Connection<ImageObject>> {
    let query = query_of(ctx.hub(), ctx.actor(), mode, filter, order).await?;
    let listed = ctx.hub().images(ctx.actor(), query, paging.rows()).await?;
    Ok(paging.connection(listed, cursor, |listed| ImageObject::new(listed, ctx.actor())))
}

async fn group_connection(
    ctx: &Context<'_>,
    filter: Option<ImageWhereInput>,
    order: Option<OrderBy<ImageOrderByInput>>,
    paging: &Paging,
) -> Result<Connection<ImageObject>> {
    let mut filter = filter.unwrap_or_default();
    let name = filter.group_name_contains.take().filter(|name| !name.is_empty());
    let name = name
        .ok_or_else(|| problem("where", "`groupName_contains` is missing", "write the name of the group"))?;
    let group: GroupId = group_named(ctx.hub(), ctx.actor(), &name).await?.id;
    let query = query_of(ctx.hub(), ctx.actor(), None, Some(filter), order).await?;
    let listed = ctx.hub().group_images(ctx.actor(), &group, query, paging.rows()).await?;
    Ok(paging.connection(listed, cursor, |listed| ImageObject::new(listed, ctx.actor())))
}

fn cursor(listed: &ListedImage) -> String {
    listed.image.name.to_string()
}
