//! From a build as it was asked for to the plan that its process gets.

use std::time::Duration;

use imagewright_engine::conda::{ChannelCredentials, ChannelSecret};
use imagewright_engine::plan::BuildPlan;
use imagewright_spec::{ImageReference, IndexCredentials, Owner};
use imagewright_store::SecretId;
use imagewright_store::builds::{Build, Failure, Subject};
use imagewright_store::groups::Group;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::app::images::RecipeInput;
use crate::app::read_recipe;
use crate::config::{Destination, Purpose};
use crate::error::HubError;
use crate::hub::Hub;
use crate::launcher::{Launcher, Order, RegistryCredential, Room};
use crate::logs::Scrubber;

/// The owner of what belongs to no group.
const HUB: &str = "hub";

/// A build that can be started.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) order: Order,
    /// Its credentials, for as long as it runs.
    pub(super) room: Room,
    pub(super) scrubber: Scrubber,
}

/// Prepares a build.
pub(super) async fn prepare(hub: &Hub, launcher: &Launcher, build: &Build) -> Result<Prepared, Failure> {
    let group = match &build.group {
        Some(group) => {
            hub.store.read().group(group).await.map_err(HubError::from).map_err(|error| told(&error))?
        }
        None => None,
    };
    let (spec, limits) =
        (read(hub, build, group.as_ref())?, hub.limits(group.as_ref().map(|group| group.name.as_str())));
    let section = &hub.config.registry;
    let destination = section.destination().ok_or_else(|| {
        failure(
            "unavailable",
            "the hub has no registry to push images to",
            "ask an admin to configure [registry]",
        )
    })?;
    let purpose = match &build.subject {
        Subject::Image(_) => Purpose::Images,
        Subject::Spec(_) => Purpose::Specs,
    };
    let to = destination.image(purpose, build.subject.name(), &build.tag);
    let to = to.map_err(|problem| failure("spec_invalid", &problem.message, &problem.suggestion))?;

    let mut plan = BuildPlan::new(spec, to);
    plan.owner = Some(owner(build)?);
    plan.layer_repository = section.layer_repository();
    let sources = &hub.config.sources;
    plan.conda = sources.conda_settings();
    plan.conda.credentials.clear();
    if plan.spec.pip.index_url.is_none() {
        plan.spec.pip.index_url.clone_from(&sources.index_url);
    }
    plan.spec.pip.extra_index_urls.extend(sources.extra_index_urls.iter().cloned());
    plan.insecure_registries.clone_from(&sources.insecure_registries);
    if section.insecure {
        plan.insecure_registries.push(destination.registry().to_owned());
    }
    plan.ca_bundles.extend(section.ca_bundle.iter().chain(&sources.ca_bundle).cloned());

    let pushing = pushing(hub, &destination);
    let mut credentials: Vec<RegistryCredential> = pushing.iter().cloned().collect();
    credentials.extend(pulling(hub, build, &plan.spec.base).await?);
    let room = Room::make(launcher, build.id.as_str()).map_err(|error| no_room(&error))?;
    plan.auth_file =
        Some(room.auth_file(launcher, "auth.json", &credentials).map_err(|error| no_room(&error))?);
    if plan.layer_repository.is_some() {
        plan.layer_auth_file = Some(
            room.auth_file(launcher, "layers.json", pushing.as_slice()).map_err(|error| no_room(&error))?,
        );
    }

    let secrets = credentials.iter().map(|one| (Some(one.user.as_str()), &one.password));
    let of_indexes = sources.index_credentials.iter().map(|one| (Some(one.username.as_str()), &one.password));
    let of_channels = sources.channel_credentials.iter().map(|one| match &one.secret {
        ChannelSecret::Basic { user, password } => (Some(user.as_str()), password),
        ChannelSecret::Token { token } => (None, token),
        ChannelSecret::Bearer { bearer } => (None, bearer),
    });
    Ok(Prepared {
        scrubber: Scrubber::new(secrets.chain(of_indexes).chain(of_channels)),
        order: Order {
            plan: with_credentials(&plan, &sources.index_credentials, &sources.channel_credentials)?,
            limit: Duration::from_secs(limits.build_seconds),
        },
        room,
    })
}

/// The recipe, read again: what is allowed may have changed since it was asked for.
fn read(hub: &Hub, build: &Build, group: Option<&Group>) -> Result<imagewright_spec::BuildSpec, Failure> {
    let input = RecipeInput {
        // Layers of an image of ours are mounted, not copied, where it is named as it was pushed.
        base: hub.config.registry.as_pushed(&build.recipe.base).to_string(),
        pull_secret: build.recipe_secret.clone(),
        apt: build.recipe.apt.clone(),
        conda: build.recipe.conda.clone(),
        pip: build.recipe.pip.clone(),
    };
    let rules = hub.recipe_rules(group.map(|group| group.name.as_str()));
    Ok(read_recipe(&input, build.recipe.kind, rules).map_err(|error| told(&error))?.1)
}

/// Groups have identifiers that outlive their names: what one group was kept does not come to another of its name.
fn owner(build: &Build) -> Result<Owner, Failure> {
    let name = build.group.as_ref().map_or_else(|| HUB.to_owned(), |group| format!("group-{group}"));
    name.parse().map_err(|_| failure("internal", "the group has no proper identifier", ""))
}

/// What pushes: for what is below the hub's own place alone, since other parts of the registry are not the hub's.
fn pushing(hub: &Hub, destination: &Destination) -> Option<RegistryCredential> {
    let section = &hub.config.registry;
    let (user, password) = section.push_user.clone().zip(section.push_password.clone())?;
    Some(RegistryCredential { scope: destination.to_string(), user, password })
}

/// What pulls the base, if it takes a secret.
async fn pulling(
    hub: &Hub,
    build: &Build,
    base: &ImageReference,
) -> Result<Option<RegistryCredential>, Failure> {
    let Some(id) = &build.recipe_secret else { return Ok(None) };
    let found = hub.store.read().secret(id).await.map_err(HubError::from).map_err(|error| told(&error))?;
    let secret = found.ok_or_else(|| {
        failure(
            "unauthorized",
            "the pull secret of the base image is gone",
            "choose another one, and build again",
        )
    })?;
    let (host, user) = (secret.registry_host.clone().unwrap_or_default(), secret.username.clone());
    if host != base.registry() {
        let message =
            format!("the pull secret {} is for {host}, and the base is on {}", secret.name, base.registry());
        return Err(failure("unauthorized", &message, "choose a pull secret for the registry of the base"));
    }
    let password = hub.unseal(&secret).map_err(|error| told(&error))?;
    // For the base alone: more could be opened with it than was meant.
    let scope = base.repository_reference().to_string();
    Ok(Some(RegistryCredential { scope, user: user.unwrap_or_default(), password }))
}

/// The plan in one line, with what a plan that is stored does not have.
fn with_credentials(
    plan: &BuildPlan,
    indexes: &[IndexCredentials],
    channels: &[ChannelCredentials],
) -> Result<SecretString, Failure> {
    let odd = |_| failure("internal", "the plan of the build cannot be written", "");
    let mut value = serde_json::to_value(plan).map_err(odd)?;
    value["index_credentials"] = indexes
        .iter()
        .map(|one| json!({ "url": one.url, "username": one.username, "password": one.password.expose_secret() }))
        .collect();
    value["conda"]["credentials"] = channels.iter().map(exposed).collect();
    Ok(SecretString::from(serde_json::to_string(&value).map_err(odd)?))
}

fn exposed(one: &ChannelCredentials) -> Value {
    match &one.secret {
        ChannelSecret::Basic { user, password } => {
            json!({ "url": one.url, "user": user, "password": password.expose_secret() })
        }
        ChannelSecret::Token { token } => json!({ "url": one.url, "token": token.expose_secret() }),
        ChannelSecret::Bearer { bearer } => json!({ "url": one.url, "bearer": bearer.expose_secret() }),
    }
}

/// The secret that pulls what the hub builds: the one that the configuration names.
pub(super) async fn product_secret(hub: &Hub) -> Option<SecretId> {
    let name = hub.config.registry.pull_secret.as_ref()?;
    let id = SecretId::new(format!("image-{name}"));
    match hub.store.read().secret(&id).await {
        Ok(Some(secret)) => Some(secret.id),
        Ok(None) => {
            tracing::warn!(name, "the pull secret that [registry] names is not stored in the hub");
            None
        }
        Err(error) => {
            tracing::error!(%error, "the pull secret of built images cannot be looked up");
            None
        }
    }
}

pub(super) fn failure(kind: &str, message: &str, next_step: &str) -> Failure {
    Failure {
        kind: kind.to_owned(),
        message: message.to_owned(),
        explanation: None,
        next_step: (!next_step.is_empty()).then(|| next_step.to_owned()),
    }
}

fn told(error: &HubError) -> Failure {
    tracing::error!(error = crate::error::chain(error), "a build cannot be prepared");
    failure("spec_invalid", error.message(), error.hint().unwrap_or_default())
}

fn no_room(error: &std::io::Error) -> Failure {
    tracing::error!(%error, "a build's folder cannot be made");
    failure("internal", "the hub cannot make a folder for the build", "tell an admin: the hub's log says why")
}
