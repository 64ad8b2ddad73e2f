//! Making, changing, building and deleting custom image specs.

use async_graphql::{Context, Object, Result};
use imagewright_store::BuildId;

use super::super::asking::{Asking as _, problem};
use super::input::{
    BuildImageCreateInput, BuildImageJobWhereUniqueInput, BuildImageUpdateInput, BuildImageWhereUniqueInput,
};
use super::object::{JobObject, SpecObject};
use crate::app::specs::ListedSpec;

/// Mutations of custom image specs.
#[derive(Default)]
pub(in super::super) struct SpecMutations;

#[Object]
impl SpecMutations {
    /// Makes a custom image spec and builds it.
    async fn create_build_image(
        &self,
        ctx: &Context<'_>,
        mut data: BuildImageCreateInput,
    ) -> Result<SpecObject> {
        let name = std::mem::take(&mut data.name);
        let listed = ctx.hub().create_spec(ctx.actor(), &name, data.into_recipe()).await?;
        Ok(SpecObject::from(listed))
    }

    /// Changes a custom image spec and builds it, unless nothing has changed.
    async fn update_build_image(
        &self,
        ctx: &Context<'_>,
        data: BuildImageUpdateInput,
        r#where: BuildImageWhereUniqueInput,
    ) -> Result<Option<SpecObject>> {
        if data.name.as_ref().is_some_and(|name| *name != *r#where.id) {
            let suggestion = "make another custom image spec";
            return Err(problem("name", "the name of a custom image spec is fixed", suggestion).into());
        }
        let listed = ctx.hub().update_spec(ctx.actor(), &r#where.id, data.into_change()).await?;
        Ok(Some(SpecObject::from(listed)))
    }

    /// Builds a custom image spec again as it is.
    async fn rebuild_build_image(
        &self,
        ctx: &Context<'_>,
        r#where: BuildImageWhereUniqueInput,
    ) -> Result<Option<SpecObject>> {
        Ok(Some(SpecObject::from(ctx.hub().rebuild_spec(ctx.actor(), &r#where.id).await?)))
    }

    /// Deletes a custom image spec, and ends its builds.
    async fn delete_build_image(
        &self,
        ctx: &Context<'_>,
        r#where: BuildImageWhereUniqueInput,
    ) -> Result<Option<SpecObject>> {
        let spec = ctx.hub().delete_spec(ctx.actor(), &r#where.id).await?;
        Ok(Some(SpecObject::from(ListedSpec { spec, latest_build: None })))
    }

    /// Ends a job that waits or runs.
    async fn cancel_build_image_job(
        &self,
        ctx: &Context<'_>,
        r#where: BuildImageJobWhereUniqueInput,
    ) -> Result<Option<JobObject>> {
        let build = ctx.hub().cancel_spec_build(ctx.actor(), &BuildId::new(r#where.id.0)).await?;
        Ok(Some(JobObject::from(build)))
    }
}
