//! Custom image specs of the Image Builder.

use imagewright_spec::{ImageKind, SpecName};
use imagewright_store::builds::{Build, BuildFilter, Subject};
use imagewright_store::specs::{CustomSpec, SpecFilter};
use imagewright_store::{BuildId, Listed, Page, SecretId, StoreError, Writer};
use serde_json::json;

use super::Change;
use super::builds::{BuildRequest, input_of, nothing_to_cancel};
use super::images::RecipeInput;
use crate::access::{Actor, Operation};
use crate::error::{FieldProblem, HubError, Kind, Result};
use crate::hub::Hub;

/// A spec with its latest build, whose status is the spec's.
#[derive(Debug, Clone)]
pub struct ListedSpec {
    /// The spec.
    pub spec: CustomSpec,
    /// Its latest build.
    pub latest_build: Option<Build>,
}

/// What of a spec changes. A field of packages that is not given stays.
#[derive(Debug, Clone, Default)]
pub struct SpecChange {
    /// The image to start from.
    pub base: Option<String>,
    /// The secret that pulls it.
    pub pull_secret: Change<SecretId>,
    /// APT packages.
    pub apt: Option<Vec<String>>,
    /// conda packages.
    pub conda: Option<Vec<String>>,
    /// pip packages.
    pub pip: Option<Vec<String>>,
}

impl Hub {
    /// Specs, last changed first.
    ///
    /// # Errors
    /// Not allowed for others than admins.
    pub async fn specs(&self, actor: &Actor, filter: &SpecFilter, page: Page) -> Result<Listed<ListedSpec>> {
        actor.may(Operation::ReadSpecs, actor.standing())?;
        let reader = self.store.read();
        let found = reader.specs(filter, page).await?;
        let names: Vec<&str> = found.rows.iter().map(|spec| spec.name.as_str()).collect();
        let mut builds = reader.latest_builds("spec", &names).await?;
        Ok(found.map(|spec| {
            let latest = builds.iter().position(|build| build.subject.name() == spec.name.as_str());
            ListedSpec { latest_build: latest.map(|index| builds.swap_remove(index)), spec }
        }))
    }

    /// A spec.
    ///
    /// # Errors
    /// Not allowed, not found.
    pub async fn spec(&self, actor: &Actor, name: &str) -> Result<ListedSpec> {
        actor.may(Operation::ReadSpecs, actor.standing())?;
        let reader = self.store.read();
        let spec = match name.parse::<SpecName>() {
            Ok(name) => reader.spec(&name).await?,
            Err(_) => None,
        };
        let spec = spec.ok_or_else(|| not_found(name))?;
        let latest_build = reader.latest_build(&Subject::Spec(spec.name.clone())).await?;
        Ok(ListedSpec { spec, latest_build })
    }

    /// Makes a spec and queues its first build, both or neither.
    ///
    /// # Errors
    /// Not allowed; a name that is taken or makes no sense; whatever is wrong with the recipe.
    pub async fn create_spec(&self, actor: &Actor, name: &str, input: RecipeInput) -> Result<ListedSpec> {
        actor.may(Operation::ManageSpecs, actor.standing())?;
        let name = name.trim().parse::<SpecName>();
        let name = name.map_err(|problem| HubError::invalid(FieldProblem::of("name", &problem)))?;
        let (recipe, read) = self.read_recipe(actor, None, ImageKind::Cpu, &input).await?;
        let now = self.clock.now();
        let spec = CustomSpec {
            name,
            recipe,
            pull_secret: input.pull_secret,
            url: None,
            build: None,
            created_at: now,
            updated_at: now,
        };
        let writer = self.store.write().await?;
        self.check_secret(&writer, actor, None, "useImagePullSecret", spec.pull_secret.as_ref()).await?;
        writer.insert_spec(&spec).await.map_err(|error| match error {
            StoreError::Taken => {
                let message = format!("Resource already exist: there is a custom image spec {}", spec.name);
                HubError::new(Kind::Conflict, message).with_hint("choose another name")
            }
            other => other.into(),
        })?;
        let build = self.enqueue(&writer, actor, request(&spec, read.spec_hash())).await?;
        self.note_spec(&writer, actor, "spec.create", &spec).await?;
        writer.commit().await?;
        self.wake.notify_one();
        Ok(ListedSpec { spec, latest_build: Some(build) })
    }

    /// Changes a spec and queues a build of it; one that changes nothing queues none.
    ///
    /// # Errors
    /// Not allowed, not found; whatever is wrong with the recipe; a build that is under way.
    pub async fn update_spec(&self, actor: &Actor, name: &str, change: SpecChange) -> Result<ListedSpec> {
        self.build_spec_from(actor, name, Some(change)).await
    }

    /// Builds a spec again as it is.
    ///
    /// # Errors
    /// Not allowed, not found; a build that is under way.
    pub async fn rebuild_spec(&self, actor: &Actor, name: &str) -> Result<ListedSpec> {
        self.build_spec_from(actor, name, None).await
    }

    async fn build_spec_from(
        &self,
        actor: &Actor,
        name: &str,
        change: Option<SpecChange>,
    ) -> Result<ListedSpec> {
        actor.may(Operation::ManageSpecs, actor.standing())?;
        let before = self.spec(actor, name).await?;
        let mut input = input_of(&before.spec.recipe, before.spec.pull_secret.as_ref());
        let is_rebuild = change.is_none();
        if let Some(change) = change {
            input.base = change.base.filter(|base| !base.trim().is_empty()).unwrap_or(input.base);
            change.pull_secret.apply(&mut input.pull_secret);
            input.apt = change.apt.unwrap_or(input.apt);
            input.conda = change.conda.unwrap_or(input.conda);
            input.pip = change.pip.unwrap_or(input.pip);
        }
        let (recipe, read) = self.read_recipe(actor, None, ImageKind::Cpu, &input).await?;
        let is_same = recipe == before.spec.recipe && input.pull_secret == before.spec.pull_secret;
        if is_same && !is_rebuild {
            return Ok(before);
        }
        let writer = self.store.write().await?;
        let mut spec = writer.spec(&before.spec.name).await?.ok_or_else(|| not_found(name))?;
        self.check_secret(&writer, actor, None, "useImagePullSecret", input.pull_secret.as_ref()).await?;
        spec.recipe = recipe;
        spec.pull_secret = input.pull_secret;
        spec.updated_at = self.clock.now();
        writer.update_spec(&spec).await?;
        let build = self.enqueue(&writer, actor, request(&spec, read.spec_hash())).await?;
        self.note_spec(&writer, actor, if is_rebuild { "spec.build" } else { "spec.update" }, &spec).await?;
        writer.commit().await?;
        self.wake.notify_one();
        Ok(ListedSpec { spec, latest_build: Some(build) })
    }

    /// Deletes a spec, ends its builds, and leaves what they pushed to the clean-up.
    ///
    /// # Errors
    /// Not allowed, not found.
    pub async fn delete_spec(&self, actor: &Actor, name: &str) -> Result<CustomSpec> {
        actor.may(Operation::ManageSpecs, actor.standing())?;
        let spec = self.spec(actor, name).await?.spec;
        let writer = self.store.write().await?;
        self.end_builds(&writer, &Subject::Spec(spec.name.clone())).await?;
        if !writer.delete_spec(&spec.name).await? {
            return Err(not_found(name));
        }
        self.note_spec(&writer, actor, "spec.delete", &spec).await?;
        writer.commit().await?;
        self.wake.notify_one();
        Ok(spec)
    }

    /// The builds of a spec, or of all specs, newest first.
    ///
    /// # Errors
    /// Not allowed, not found.
    pub async fn spec_builds(&self, actor: &Actor, name: Option<&str>, page: Page) -> Result<Listed<Build>> {
        actor.may(Operation::ReadSpecs, actor.standing())?;
        let subject = match name {
            Some(name) => Some(Subject::Spec(self.spec(actor, name).await?.spec.name)),
            None => None,
        };
        let filter = BuildFilter { subject, of_specs: Some(true), ..BuildFilter::default() };
        Ok(self.store.read().builds(&filter, page).await?)
    }

    /// Ends a build of a spec that waits or runs.
    ///
    /// # Errors
    /// Not allowed, not found; nothing that could be ended.
    pub async fn cancel_spec_build(&self, actor: &Actor, id: &BuildId) -> Result<Build> {
        actor.may(Operation::ManageSpecs, actor.standing())?;
        let writer = self.store.write().await?;
        let found = writer.build(id).await?.filter(|build| matches!(build.subject, Subject::Spec(_)));
        let build = found.ok_or_else(|| HubError::not_found("build", id.as_str()))?;
        if build.status.is_final() {
            return Err(nothing_to_cancel());
        }
        let cancelled = self.cancel(&writer, actor, &build).await?;
        writer.commit().await?;
        self.wake.notify_one();
        Ok(cancelled)
    }

    async fn note_spec(&self, writer: &Writer, actor: &Actor, action: &str, spec: &CustomSpec) -> Result<()> {
        let detail = json!({ "base": spec.recipe.base });
        self.note(writer, actor, action, ("spec", spec.name.as_str()), None, detail).await
    }
}

fn request(spec: &CustomSpec, spec_hash: imagewright_spec::SpecHash) -> BuildRequest {
    BuildRequest {
        subject: Subject::Spec(spec.name.clone()),
        group: None,
        recipe: spec.recipe.clone(),
        recipe_secret: spec.pull_secret.clone(),
        spec_hash,
    }
}

fn not_found(name: &str) -> HubError {
    HubError::not_found("imagespecs.primehub.io", name)
}
