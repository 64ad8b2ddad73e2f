//! An image, as clients see it.

use async_graphql::{ComplexObject, Context, Enum, ID, Result, SimpleObject};
use imagewright_store::builds::Build;
use imagewright_store::images::{Image, ImageSource};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::asking::Asking as _;
use super::super::builds::{BuildObject, phase_of};
use super::super::groups::GroupObject;
use super::input::kind_text;
use crate::access::{Actor, Operation};
use crate::app::images::ListedImage;

/// Which images.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "QueryImageMode")]
pub(in super::super) enum ImageMode {
    /// System images: those that belong to no group.
    SystemOnly,
    /// Group images: those that belong to a group.
    GroupOnly,
    /// All.
    All,
}

/// An image that people may choose for their notebooks and jobs.
#[derive(SimpleObject)]
#[graphql(name = "Image", complex)]
pub(in super::super) struct ImageObject {
    /// Identifier: the name.
    id: ID,
    /// Name; fixed.
    name: String,
    /// Name that is shown.
    display_name: String,
    /// Description.
    description: String,
    /// For which machines it is: `cpu`, `gpu` or `both`, which is shown as Universal.
    r#type: &'static str,
    /// Where it is; null while it is not ready.
    url: Option<String>,
    /// Where it is for machines with a GPU: the same, unless a universal image has another one for them.
    url_for_gpu: Option<String>,
    /// The name of the group that it belongs to; null for a system image.
    group_name: Option<String>,
    /// Whether every group may use it.
    global: bool,
    /// The image as one object, with the names of the fields that PrimeHub's resources have.
    spec: Value,
    /// The secret that pulls it; empty without one.
    use_image_pull_secret: String,
    /// Whether it can be used.
    is_ready: bool,
    /// Where the log of its latest build is.
    log_endpoint: String,
    /// What a custom image is built from. Null for others, and for those who may not see it.
    image_spec: Option<ImageSpec>,
    /// How its latest build stands. Null without one, and for those who may not see it.
    job_status: Option<JobStatus>,
    /// The number of the revision that is in use; null for images that we have not built.
    revision: Option<i64>,
    /// When it was made.
    created_at: Timestamp,
    /// When it was last changed.
    updated_at: Timestamp,
    /// The latest build. Null without one, and for those who may not see it.
    latest_build: Option<BuildObject>,
    #[graphql(skip)]
    listed: ListedImage,
}

/// What a custom image is built from.
#[derive(SimpleObject)]
pub(in super::super) struct ImageSpec {
    /// The image to start from.
    base_image: String,
    /// The secret that pulls it.
    pull_secret: Option<String>,
    /// What is put into it.
    packages: ImageSpecPackages,
    /// Whether somebody has asked for the end of the latest build.
    cancel: bool,
    /// When the latest build was asked for.
    update_time: Option<Timestamp>,
}

/// Packages, line by line.
#[derive(SimpleObject)]
pub(in super::super) struct ImageSpecPackages {
    /// System packages.
    apt: Vec<String>,
    /// Python packages.
    pip: Vec<String>,
    /// conda packages.
    conda: Vec<String>,
}

/// How the latest build of an image stands.
#[derive(SimpleObject)]
pub(in super::super) struct JobStatus {
    /// The image that it has pushed.
    image: Option<String>,
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Cancelled`.
    phase: &'static str,
}

impl ImageObject {
    /// An image as this actor may see it.
    pub(in super::super) fn new(listed: ListedImage, actor: &Actor) -> Self {
        let image = &listed.image;
        // Nobody is more than a member to a system image, but admins: with whom it is shared makes no difference.
        let may_see_builds = actor.may(Operation::ReadImageBuilds, actor.standing_to(image, &[])).is_ok();
        let build = listed.latest_build.as_ref().filter(|_| may_see_builds);
        let group_name = listed.group.as_ref().map(|group| group.name.clone());
        let image_spec = ImageSpec::of(image, build).filter(|_| may_see_builds);
        Self {
            id: ID(image.name.to_string()),
            name: image.name.to_string(),
            display_name: image.display_name.clone(),
            description: image.description.clone(),
            r#type: kind_text(image.kind),
            url: image.url_on(false).map(ToString::to_string),
            url_for_gpu: image.url_on(true).map(ToString::to_string),
            global: image.is_global,
            spec: spec_of(image, group_name.as_deref(), image_spec.as_ref()),
            group_name,
            use_image_pull_secret: image.pull_secret.as_ref().map(ToString::to_string).unwrap_or_default(),
            is_ready: image.is_ready(),
            log_endpoint: format!("/api/logs/images/{}/job", image.name),
            image_spec,
            job_status: build.map(|build| JobStatus {
                image: build.product.as_ref().map(|product| product.url.to_string()),
                phase: phase_of(build.status),
            }),
            revision: revision_in_use(image),
            created_at: image.created_at,
            updated_at: image.updated_at,
            latest_build: build.cloned().map(BuildObject::from),
            listed,
        }
    }
}

#[ComplexObject]
impl ImageObject {
    /// The groups that it is offered to, besides being global: of a group image the one that it belongs to.
    #[graphql(complexity = "5 + child_complexity")]
    async fn groups(&self, ctx: &Context<'_>) -> Result<Vec<GroupObject>> {
        if let Some(group) = &self.listed.group {
            return Ok(vec![GroupObject::plain(group.clone())]);
        }
        let groups = ctx.hub().groups_of_image(ctx.actor(), &self.listed.image.name).await?;
        Ok(groups.into_iter().map(GroupObject::plain).collect())
    }
}

impl ImageSpec {
    fn of(image: &Image, build: Option<&Build>) -> Option<Self> {
        let ImageSource::Custom { recipe, pull_secret, .. } = &image.source else { return None };
        Some(Self {
            base_image: recipe.base.to_string(),
            pull_secret: pull_secret.as_ref().map(ToString::to_string),
            packages: ImageSpecPackages {
                apt: recipe.apt.clone(),
                pip: recipe.pip.clone(),
                conda: recipe.conda.clone(),
            },
            cancel: build.is_some_and(|build| build.is_cancel_requested),
            update_time: build.map(|build| build.requested_at),
        })
    }

    /// What a build was asked for.
    pub(in super::super) fn of_build(build: &Build) -> Self {
        Self {
            base_image: build.recipe.base.to_string(),
            pull_secret: build.recipe_secret.as_ref().map(ToString::to_string),
            packages: ImageSpecPackages {
                apt: build.recipe.apt.clone(),
                pip: build.recipe.pip.clone(),
                conda: build.recipe.conda.clone(),
            },
            cancel: build.is_cancel_requested,
            update_time: Some(build.requested_at),
        }
    }
}

fn revision_in_use(image: &Image) -> Option<i64> {
    let ImageSource::Custom { build: Some(build), .. } = &image.source else { return None };
    build.as_str().rsplit_once('-')?.1.parse().ok()
}

/// Fields without a value are left out, as PrimeHub's resources have it.
fn spec_of(image: &Image, group_name: Option<&str>, image_spec: Option<&ImageSpec>) -> Value {
    let mut spec = Map::new();
    let mut put = |field: &str, value: Option<String>| {
        if let Some(value) = value {
            spec.insert(field.to_owned(), Value::String(value));
        }
    };
    put("displayName", Some(image.display_name.clone()));
    put("description", Some(image.description.clone()));
    put("type", Some(kind_text(image.kind).to_owned()));
    put("url", image.url_on(false).map(ToString::to_string));
    put("urlForGpu", image.url_on(true).map(ToString::to_string));
    put("pullSecret", image.pull_secret.as_ref().map(ToString::to_string));
    put("groupName", group_name.map(str::to_owned));
    if let Some(asked) = image_spec {
        let packages = json!({
            "apt": asked.packages.apt, "pip": asked.packages.pip, "conda": asked.packages.conda,
        });
        let asked = json!({
            "baseImage": asked.base_image, "pullSecret": asked.pull_secret, "packages": packages,
        });
        spec.insert("imageSpec".to_owned(), asked);
    }
    Value::Object(spec)
}
