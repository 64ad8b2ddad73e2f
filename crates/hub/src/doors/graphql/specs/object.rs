//! A custom image spec and a job of one, as clients see them.

use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};
use imagewright_store::Page;
use imagewright_store::builds::Build;
use imagewright_store::images::Recipe;
use jiff::Timestamp;

use super::super::asking::Asking as _;
use super::super::builds::{BuildObject, job_log_endpoint, phase_of};
use crate::app::specs::ListedSpec;

/// Packages, one a line.
#[derive(SimpleObject)]
pub(super) struct Packages {
    /// System packages.
    apt: String,
    /// Python packages.
    pip: String,
    /// conda packages.
    conda: String,
}

/// A custom image spec. It is no image: nobody can choose it until its url is registered as one.
#[derive(SimpleObject)]
#[graphql(name = "BuildImage", complex)]
pub(in super::super) struct SpecObject {
    /// Identifier: the name.
    id: ID,
    /// Name; fixed.
    name: String,
    /// How its latest build stands: `Pending`, `Running`, `Succeeded`, `Failed` or `Cancelled`.
    status: Option<&'static str>,
    /// The latest image that was built.
    image: Option<String>,
    /// The image to start from.
    base_image: String,
    /// The secret that pulls it.
    use_image_pull_secret: Option<String>,
    /// What is put into it.
    packages: Packages,
    /// When it was made.
    created_at: Timestamp,
    /// When it was last changed.
    update_time: Timestamp,
}

/// A build of a custom image spec.
#[derive(SimpleObject)]
#[graphql(name = "BuildImageJob")]
pub(in super::super) struct JobObject {
    /// Identifier.
    id: ID,
    /// The name of the spec.
    name: String,
    /// How it stands: `Pending`, `Running`, `Succeeded`, `Failed` or `Cancelled`.
    status: &'static str,
    /// The image that it started from.
    base_image: String,
    /// The image that it has pushed.
    target_image: Option<String>,
    /// The revision, as `NAME:TAG`.
    image_revision: String,
    /// The secret that pulls the base.
    use_image_pull_secret: Option<String>,
    /// What was to be put in.
    packages: Packages,
    /// Where its log is.
    log_endpoint: String,
    /// When it was last heard of.
    update_time: Timestamp,
    /// All that is known of it.
    build: BuildObject,
}

#[ComplexObject]
impl SpecObject {
    /// Its builds, newest first.
    #[graphql(complexity = "5 + child_complexity")]
    async fn build_image_jobs(&self, ctx: &Context<'_>) -> Result<Vec<JobObject>> {
        let builds = ctx.hub().spec_builds(ctx.actor(), Some(&self.name), Page::ALL).await?;
        Ok(builds.rows.into_iter().map(JobObject::from).collect())
    }
}

impl From<&Recipe> for Packages {
    fn from(recipe: &Recipe) -> Self {
        Self { apt: recipe.apt.join("\n"), pip: recipe.pip.join("\n"), conda: recipe.conda.join("\n") }
    }
}

impl From<ListedSpec> for SpecObject {
    fn from(listed: ListedSpec) -> Self {
        let ListedSpec { spec, latest_build } = listed;
        Self {
            id: ID(spec.name.to_string()),
            name: spec.name.to_string(),
            status: latest_build.map(|build| phase_of(build.status)),
            image: spec.url.as_ref().map(ToString::to_string),
            base_image: spec.recipe.base.to_string(),
            use_image_pull_secret: spec.pull_secret.as_ref().map(ToString::to_string),
            packages: Packages::from(&spec.recipe),
            created_at: spec.created_at,
            update_time: spec.updated_at,
        }
    }
}

impl From<Build> for JobObject {
    fn from(build: Build) -> Self {
        let name = build.subject.name().to_owned();
        Self {
            id: ID(build.id.to_string()),
            status: phase_of(build.status),
            base_image: build.recipe.base.to_string(),
            target_image: build.product.as_ref().map(|product| product.url.to_string()),
            image_revision: format!("{name}:{}", build.tag),
            name,
            use_image_pull_secret: build.recipe_secret.as_ref().map(ToString::to_string),
            packages: Packages::from(&build.recipe),
            log_endpoint: job_log_endpoint(&build),
            update_time: build.updated_at,
            build: BuildObject::from(build),
        }
    }
}
