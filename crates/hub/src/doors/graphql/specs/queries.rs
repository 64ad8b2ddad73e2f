//! Finding custom image specs and their jobs.

use async_graphql::{Context, Object};
use imagewright_store::builds::Subject;
use imagewright_store::{BuildId, Listed, Page};

use super::super::asking::{Asking as _, if_found};
use super::super::ordering::{OrderBy, sort_by_text};
use super::super::paging::{Connection, Paging, window};
use super::input::{
    BuildImageJobWhereInput, BuildImageJobWhereUniqueInput, BuildImageOrderByInput, BuildImageWhereInput,
    BuildImageWhereUniqueInput,
};
use super::object::{JobObject, SpecObject};
use crate::access::Actor;
use crate::app::specs::ListedSpec;
use crate::error::Result;
use crate::hub::Hub;

/// Queries for custom image specs.
#[derive(Default)]
pub(in super::super) struct SpecQueries;

#[Object]
impl SpecQueries {
    /// A custom image spec; null where there is none. For admins, as all of the Image Builder.
    async fn build_image(
        &self,
        ctx: &Context<'_>,
        r#where: BuildImageWhereUniqueInput,
    ) -> async_graphql::Result<Option<SpecObject>> {
        Ok(if_found(ctx.hub().spec(ctx.actor(), &r#where.id).await)?.map(SpecObject::from))
    }

    /// Custom image specs, last changed first.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a list in PrimeHub's API")]
    #[graphql(complexity = "20 + child_complexity")]
    async fn build_images(
        &self,
        ctx: &Context<'_>,
        r#where: Option<BuildImageWhereInput>,
        page: Option<i64>,
        order_by: Option<OrderBy<BuildImageOrderByInput>>,
        before: Option<String>,
        after: Option<String>,
        first: Option<u64>,
        last: Option<u64>,
    ) -> async_graphql::Result<Vec<SpecObject>> {
        let paging = Paging::new(page, after, before, first, last)?;
        let listed = found(ctx.hub(), ctx.actor(), r#where, order_by, paging.rows()).await?;
        Ok(paging.connection(listed, name, SpecObject::from).into_nodes())
    }

    /// Custom image specs in pages, last changed first.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a list in PrimeHub's API")]
    #[graphql(complexity = "20 + child_complexity")]
    async fn build_images_connection(
        &self,
        ctx: &Context<'_>,
        r#where: Option<BuildImageWhereInput>,
        page: Option<i64>,
        order_by: Option<OrderBy<BuildImageOrderByInput>>,
        before: Option<String>,
        after: Option<String>,
        first: Option<u64>,
        last: Option<u64>,
    ) -> async_graphql::Result<Connection<SpecObject>> {
        let paging = Paging::new(page, after, before, first, last)?;
        let listed = found(ctx.hub(), ctx.actor(), r#where, order_by, paging.rows()).await?;
        Ok(paging.connection(listed, name, SpecObject::from))
    }

    /// A job; null where there is none.
    async fn build_image_job(
        &self,
        ctx: &Context<'_>,
        r#where: BuildImageJobWhereUniqueInput,
    ) -> async_graphql::Result<Option<JobObject>> {
        let found = if_found(ctx.hub().build(ctx.actor(), &BuildId::new(r#where.id.0)).await)?;
        let found = found.filter(|build| matches!(build.subject, Subject::Spec(_)));
        Ok(found.map(JobObject::from))
    }

    /// The jobs of a custom image spec, newest first.
    #[graphql(complexity = "20 + child_complexity")]
    async fn build_image_jobs(
        &self,
        ctx: &Context<'_>,
        r#where: BuildImageJobWhereInput,
        page: Option<i64>,
    ) -> async_graphql::Result<Vec<JobObject>> {
        let paging = Paging::new(page, None, None, None, None)?;
        let builds = ctx.hub().spec_builds(ctx.actor(), Some(&r#where.id), paging.rows()).await?;
        Ok(builds.rows.into_iter().map(JobObject::from).collect())
    }

    /// The jobs of a custom image spec in pages, newest first.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a list in PrimeHub's API")]
    #[graphql(complexity = "20 + child_complexity")]
    async fn build_image_jobs_connection(
        &self,
        ctx: &Context<'_>,
        r#where: BuildImageJobWhereInput,
        page: Option<i64>,
        before: Option<String>,
        after: Option<String>,
        first: Option<u64>,
        last: Option<u64>,
    ) -> async_graphql::Result<Connection<JobObject>> {
        let paging = Paging::new(page, after, before, first, last)?;
        let builds = ctx.hub().spec_builds(ctx.actor(), Some(&r#where.id), paging.rows()).await?;
        Ok(paging.connection(builds, |build| build.id.to_string(), JobObject::from))
    }
}

async fn found(
    hub: &Hub,
    actor: &Actor,
    filter: Option<BuildImageWhereInput>,
    order: Option<OrderBy<BuildImageOrderByInput>>,
    page: Page,
) -> Result<Listed<ListedSpec>> {
    let mut filter = filter.unwrap_or_default().filter();
    let Some((field, is_descending)) = order.as_ref().and_then(OrderBy::first) else {
        return hub.specs(actor, &filter, page).await;
    };
    filter.by_name = true;
    let mut specs = hub.specs(actor, &filter, Page::ALL).await?.rows;
    sort_by_text(&mut specs, is_descending, |listed| match field {
        "status" => {
            listed.latest_build.as_ref().map(|build| build.status.name().to_owned()).unwrap_or_default()
        }
        "image" => listed.spec.url.as_ref().map(ToString::to_string).unwrap_or_default(),
        _ => name(listed),
    });
    Ok(window(specs, page))
}

fn name(listed: &ListedSpec) -> String {
    listed.spec.name.to_string()
}
