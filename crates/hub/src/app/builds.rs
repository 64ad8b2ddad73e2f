//! Building custom images: each confirmed creation, change or rebuild is a build with a number.

use imagewright_spec::{BuildSpec, ImageKind, SpecHash};
use imagewright_store::builds::{Build, BuildFilter, BuildStatus, NewBuild, Subject};
use imagewright_store::images::{Image, ImageSource, Recipe};
use imagewright_store::{BuildId, GroupId, Listed, Page, SecretId, Writer};
use serde_json::json;

use super::images::{ListedImage, RecipeInput};
use super::recipe::read_recipe;
use crate::access::{Actor, Operation, Standing};
use crate::error::{FieldProblem, HubError, Kind, Result};
use crate::hub::Hub;

/// A build that somebody asks for, read and checked.
#[derive(Debug)]
pub(super) struct BuildRequest {
    pub(super) subject: Subject,
    pub(super) group: Option<GroupId>,
    pub(super) recipe: Recipe,
    pub(super) recipe_secret: Option<SecretId>,
    pub(super) spec_hash: SpecHash,
}

impl BuildRequest {
    /// A build of an image from this recipe.
    pub(super) fn of_image(image: &Image, recipe: Recipe, spec_hash: SpecHash) -> Self {
        let recipe_secret = match &image.source {
            ImageSource::Custom { pull_secret, .. } => pull_secret.clone(),
            ImageSource::Existing => None,
        };
        let subject = Subject::Image(image.name.clone());
        Self { subject, group: image.group.clone(), recipe, recipe_secret, spec_hash }
    }
}

impl Hub {
    /// Builds an image anew: from something else, or (without) from what was asked for last.
    ///
    /// # Errors
    /// Not allowed, not found; an image that is not built here; a build that is under way; whatever is wrong with the
    /// recipe; a queue that is full.
    pub async fn rebuild_image(
        &self,
        actor: &Actor,
        name: &str,
        recipe: Option<RecipeInput>,
        kind: Option<ImageKind>,
    ) -> Result<ListedImage> {
        // Whether it may be done at all is asked first, and again in the transaction.
        let image = self.readable_image(actor, name).await?;
        actor.may(Operation::BuildImage, standing(actor, &image))?;
        let (stored, stored_secret) = custom(&image)?;
        let input = recipe.unwrap_or_else(|| input_of(stored, stored_secret));
        let kind = kind.unwrap_or(stored.kind);
        let (recipe, spec) = self.read_recipe(actor, image.group.as_ref(), kind, &input).await?;

        let writer = self.store.write().await?;
        let mut image = self.image_for(&writer, actor, name, Operation::BuildImage).await?;
        self.check_secret(
            &writer,
            actor,
            image.group.as_ref(),
            "imageSpec.pullSecret",
            input.pull_secret.as_ref(),
        )
        .await?;
        if let ImageSource::Custom { recipe: stored, pull_secret, .. } = &mut image.source {
            stored.clone_from(&recipe);
            *pull_secret = input.pull_secret;
        }
        image.updated_at = self.clock.now();
        writer.update_image(&image).await?;
        let request = BuildRequest::of_image(&image, recipe, spec.spec_hash());
        let build = self.enqueue(&writer, actor, request).await?;
        let detail = json!({ "number": build.number, "tag": build.tag });
        self.note(&writer, actor, "image.build", ("image", name), image.group.as_ref(), detail).await?;
        writer.commit().await?;
        self.wake.notify_one();
        self.image(actor, name).await
    }

    /// Ends the build of an image that waits or runs.
    ///
    /// # Errors
    /// Not allowed, not found; nothing that could be ended.
    pub async fn cancel_image_build(&self, actor: &Actor, name: &str) -> Result<ListedImage> {
        let writer = self.store.write().await?;
        let image = self.image_for(&writer, actor, name, Operation::BuildImage).await?;
        let subject = Subject::Image(image.name.clone());
        let latest = writer.latest_build(&subject).await?.filter(|build| !build.status.is_final());
        let latest = latest.ok_or_else(nothing_to_cancel)?;
        self.cancel(&writer, actor, &latest).await?;
        writer.commit().await?;
        self.wake.notify_one();
        self.image(actor, name).await
    }

    /// Makes the result of an earlier build current again: address, address for GPU, secret and type together.
    ///
    /// # Errors
    /// Not allowed, not found; a build that made no image, or whose image was removed.
    pub async fn roll_back_image(&self, actor: &Actor, name: &str, number: i64) -> Result<ListedImage> {
        let writer = self.store.write().await?;
        let mut image = self.image_for(&writer, actor, name, Operation::BuildImage).await?;
        let subject = Subject::Image(image.name.clone());
        let build = writer.build_numbered(&subject, number).await?;
        let build = build.ok_or_else(|| HubError::not_found("revision", &number.to_string()))?;
        let product = build.product.filter(|_| build.removed_at.is_none()).ok_or_else(|| {
            let message = format!("Revision {number} of {name} has no image that could be used");
            HubError::new(Kind::Invalid, message).with_hint("choose one that was built and is still kept")
        })?;
        image.kind = build.recipe.kind;
        image.url = Some(product.url);
        image.url_for_gpu = product.gpu_url;
        image.pull_secret = product.pull_secret;
        image.source = ImageSource::Custom {
            recipe: build.recipe,
            pull_secret: build.recipe_secret,
            build: Some(build.id),
        };
        image.updated_at = self.clock.now();
        writer.update_image(&image).await?;
        let detail = json!({ "number": number, "digest": product.digest });
        self.note(&writer, actor, "image.rollback", ("image", name), image.group.as_ref(), detail).await?;
        writer.commit().await?;
        self.image(actor, name).await
    }

    /// The builds of an image, newest first.
    ///
    /// # Errors
    /// Not allowed, not found.
    pub async fn image_builds(&self, actor: &Actor, name: &str, page: Page) -> Result<Listed<Build>> {
        let image = self.readable_image(actor, name).await?;
        actor.may(Operation::ReadImageBuilds, standing(actor, &image))?;
        let subject = Some(Subject::Image(image.name));
        Ok(self.store.read().builds(&BuildFilter { subject, ..BuildFilter::default() }, page).await?)
    }

    /// A build of an image, by its number.
    ///
    /// # Errors
    /// Not allowed, not found.
    pub async fn image_build(&self, actor: &Actor, name: &str, number: i64) -> Result<Build> {
        let image = self.readable_image(actor, name).await?;
        actor.may(Operation::ReadImageBuilds, standing(actor, &image))?;
        let found = self.store.read().build_numbered(&Subject::Image(image.name), number).await?;
        found.ok_or_else(|| HubError::not_found("revision", &number.to_string()))
    }

    /// A build of an image or a spec.
    ///
    /// # Errors
    /// Not allowed, not found.
    pub async fn build(&self, actor: &Actor, id: &BuildId) -> Result<Build> {
        let missing = || HubError::not_found("build", id.as_str());
        let found = self.store.read().build(id).await?;
        let Some(build) = found else {
            actor.may(Operation::ListImages, actor.standing())?;
            return Err(missing());
        };
        match &build.subject {
            Subject::Spec(_) => {
                actor.may_on(Operation::ReadSpecs, Operation::ReadSpecs, actor.standing(), missing)?;
            }
            Subject::Image(_) if build.orphaned_at.is_some() => {
                let standing =
                    build.group.as_ref().map_or(actor.standing(), |group| actor.standing_in(group));
                let operation = Operation::ReadImageBuilds;
                actor.may_on(operation, operation, standing, missing)?;
            }
            Subject::Image(name) => {
                let image =
                    self.readable_image(actor, name.as_str()).await.map_err(|error| match error.kind() {
                        Kind::NotFound => missing(),
                        _ => error,
                    })?;
                actor.may(Operation::ReadImageBuilds, standing(actor, &image))?;
            }
        }
        Ok(build)
    }

    /// The latest build of an image, whose log is *the* log of the image.
    ///
    /// # Errors
    /// Not allowed, not found; an image that was never built here.
    pub async fn latest_image_build(&self, actor: &Actor, name: &str) -> Result<Build> {
        let image = self.readable_image(actor, name).await?;
        actor.may(Operation::ReadImageBuilds, standing(actor, &image))?;
        let latest = self.store.read().latest_build(&Subject::Image(image.name)).await?;
        latest.ok_or_else(|| HubError::not_found("build of image", name))
    }

    /// Reads a recipe as a build would, for an image of a group (or a system image), without asking for one.
    ///
    /// # Errors
    /// Not allowed; whatever is wrong with the recipe.
    pub async fn check_recipe(
        &self,
        actor: &Actor,
        group: Option<&GroupId>,
        kind: ImageKind,
        recipe: &RecipeInput,
    ) -> Result<BuildSpec> {
        let standing = group.map_or(actor.standing(), |group| actor.standing_in(group));
        let needed = if group.is_some() { Operation::BuildImage } else { Operation::CreateSystemImage };
        actor.may(needed, standing)?;
        Ok(self.read_recipe(actor, group, kind, recipe).await?.1)
    }

    /// All builds that run, and those that wait, in the order in which they were asked for.
    ///
    /// # Errors
    /// Not allowed for others than admins.
    pub async fn queue(&self, actor: &Actor) -> Result<(Vec<Build>, Vec<Build>)> {
        actor.may(Operation::ReadQueue, actor.standing())?;
        let reader = self.store.read();
        Ok((reader.running_builds().await?, reader.queued_builds().await?))
    }

    /// Reads a recipe by the rules that hold for a group, and asks whether its base may be reached.
    pub(super) async fn read_recipe(
        &self,
        actor: &Actor,
        group: Option<&GroupId>,
        kind: ImageKind,
        input: &RecipeInput,
    ) -> Result<(Recipe, BuildSpec)> {
        let group = match group {
            Some(group) => self.store.read().group(group).await?.map(|group| group.name),
            None => None,
        };
        let (recipe, spec) = read_recipe(input, kind, self.recipe_rules(group.as_deref()))?;
        if let Err(refusal) = self.may_reach_registry(recipe.base.registry()).await {
            let problem =
                FieldProblem::new("imageSpec.baseImage", refusal, "choose an image on another registry");
            return Err(HubError::invalid(problem));
        }
        self.may_build_upon(actor, &recipe.base).await?;
        Ok((recipe, spec))
    }

    /// Queues a build, unless that may not be.
    pub(super) async fn enqueue(
        &self,
        writer: &Writer,
        actor: &Actor,
        request: BuildRequest,
    ) -> Result<Build> {
        if !self.is_builder_on() {
            return Err(HubError::new(Kind::Unavailable, "Building images is switched off in this hub")
                .with_hint("register an existing image, or ask an admin to switch the builder on"));
        }
        writer.lock_queue().await?;
        if writer.latest_build(&request.subject).await?.is_some_and(|build| !build.status.is_final()) {
            return Err(HubError::new(
                Kind::Conflict,
                format!("A build of the {} is under way", request.subject),
            )
            .with_hint("wait for its end, or cancel it"));
        }
        let name = match &request.group {
            Some(group) => writer.group(group).await?.map(|group| group.name),
            None => None,
        };
        let limits = self.limits(name.as_deref());
        let waiting = writer.queued_builds().await?;
        let waiting = waiting.iter().filter(|build| build.group == request.group).count();
        if waiting >= limits.queue as usize {
            let message = format!("{waiting} builds wait already, and no more are queued at once");
            return Err(
                HubError::new(Kind::TooMany, message).with_hint("try again when some of them have run")
            );
        }
        if let (Some(group), Some(limit)) = (&request.group, limits.storage) {
            let stored = writer.stored_bytes(group).await?;
            if stored >= limit {
                let message =
                    format!("The images of this group hold {stored} bytes of the {limit} that it may use");
                return Err(HubError::new(Kind::TooMany, message)
                    .with_hint("delete images that are not needed any more, or ask an admin for more"));
            }
        }
        let account = actor.account();
        let build = NewBuild {
            subject: request.subject,
            group: request.group,
            recipe: request.recipe,
            recipe_secret: request.recipe_secret,
            spec_hash: request.spec_hash,
            requested_by: account.map_or_else(|| "hub".to_owned().into(), |account| account.id.clone()),
            requested_by_name: actor.name().to_owned(),
            requested_at: self.clock.now(),
        };
        Ok(writer.enqueue_build(&build).await?)
    }

    /// Asks for the end of a build.
    pub(super) async fn cancel(&self, writer: &Writer, actor: &Actor, build: &Build) -> Result<Build> {
        let cancelled =
            writer.request_cancel(&build.id, self.clock.now()).await?.ok_or_else(nothing_to_cancel)?;
        if cancelled.status.is_final() && cancelled.status != BuildStatus::Cancelled {
            return Err(nothing_to_cancel());
        }
        let detail = json!({ "number": build.number });
        let object = (build.subject.kind(), build.subject.name());
        self.note(writer, actor, "build.cancel", object, build.group.as_ref(), detail).await?;
        Ok(cancelled)
    }
}

/// How an actor who may read an image stands to it: with whom it is shared makes nobody more than a member.
fn standing(actor: &Actor, image: &Image) -> Standing {
    actor.standing_to(image, &[])
}

pub(super) fn nothing_to_cancel() -> HubError {
    HubError::new(Kind::Conflict, "There is no build that waits or runs")
}

fn custom(image: &Image) -> Result<(&Recipe, Option<&SecretId>)> {
    match &image.source {
        ImageSource::Custom { recipe, pull_secret, .. } => Ok((recipe, pull_secret.as_ref())),
        ImageSource::Existing => {
            let message = format!("The image {} is not built here", image.name);
            Err(HubError::new(Kind::Invalid, message).with_hint("make a custom image from it"))
        }
    }
}

/// What was typed for a recipe that is stored.
pub(super) fn input_of(recipe: &Recipe, secret: Option<&SecretId>) -> RecipeInput {
    RecipeInput {
        base: recipe.base.to_string(),
        pull_secret: secret.cloned(),
        apt: recipe.apt.clone(),
        conda: recipe.conda.clone(),
        pip: recipe.pip.clone(),
    }
}
