//! Pull secrets, and others that clients keep here. What is in one goes in and, but for builds, never comes out.

use imagewright_spec::RepositoryReference;
use imagewright_store::builds::BuildStatus;
use imagewright_store::secrets::{Secret, SecretFilter, SecretKind};
use imagewright_store::{GroupId, Listed, Page, SecretId, StoreError, Writer};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::access::{Actor, Operation, Standing};
use crate::error::{FieldProblem, HubError, Kind, Result};
use crate::hub::Hub;

/// What clients see and send instead of what is in a secret.
const MASK: &str = "******";
/// The longest name, and the longest secret, in bytes.
const LONGEST: usize = 63;
const LONGEST_SECRET: usize = 64 << 10;

/// A secret to be made.
#[derive(Debug)]
pub struct NewSecret {
    /// Name.
    pub name: String,
    /// Name that is shown; the name without.
    pub display_name: Option<String>,
    /// What it is for.
    pub kind: SecretKind,
    /// The registry, of a pull secret.
    pub registry_host: Option<String>,
    /// The user, of a pull secret.
    pub username: Option<String>,
    /// The password, or whatever is secret of an opaque one.
    pub password: SecretString,
    /// The groups that may use it; all without.
    pub groups: Option<Vec<GroupId>>,
}

/// What of a secret changes.
#[derive(Debug, Default)]
pub struct SecretChange {
    /// Name that is shown.
    pub display_name: Option<String>,
    /// The registry.
    pub registry_host: Option<String>,
    /// The user.
    pub username: Option<String>,
    /// The password.
    pub password: Option<SecretString>,
    /// The groups that may use it: all, or these.
    pub groups: Option<Option<Vec<GroupId>>>,
}

impl Hub {
    /// The secrets that the actor may use for a group's images (or those of any of the actor's groups), by name: pull
    /// secrets alone, and never what is in them. Who is an admin of no group gets none.
    ///
    /// # Errors
    /// Not authenticated.
    pub async fn usable_secrets(&self, actor: &Actor, group: Option<&GroupId>) -> Result<Vec<Secret>> {
        actor.may(Operation::ReadMe, actor.standing())?;
        let offered_to = match (actor.standing(), group) {
            (Standing::Admin, None) => None,
            (_, Some(group)) => {
                actor.may(Operation::UseSecret, actor.standing_in(group))?;
                Some(vec![group.clone()])
            }
            (_, None) => {
                let administered = actor.signed_in()?.administered();
                if administered.is_empty() {
                    return Ok(Vec::new());
                }
                Some(administered)
            }
        };
        let filter = SecretFilter { kind: Some(SecretKind::Pull), offered_to };
        Ok(self.store.read().secrets(&filter, Page::ALL).await?.rows)
    }

    /// All secrets, by name.
    ///
    /// # Errors
    /// Not allowed for others than admins.
    pub async fn secrets(&self, actor: &Actor, filter: &SecretFilter, page: Page) -> Result<Listed<Secret>> {
        actor.may(Operation::ListSecrets, actor.standing())?;
        Ok(self.store.read().secrets(filter, page).await?)
    }

    /// A secret.
    ///
    /// # Errors
    /// Not allowed, not found.
    pub async fn secret(&self, actor: &Actor, id: &SecretId) -> Result<Secret> {
        actor.may(Operation::ListSecrets, actor.standing())?;
        self.store.read().secret(id).await?.ok_or_else(|| not_found(id))
    }

    /// The groups that a secret is offered to; nothing when it is to all.
    ///
    /// # Errors
    /// Not allowed, not found.
    pub async fn secret_groups(&self, actor: &Actor, id: &SecretId) -> Result<Option<Vec<GroupId>>> {
        let secret = self.secret(actor, id).await?;
        if secret.is_offered_to_all {
            return Ok(None);
        }
        Ok(Some(self.store.read().secret_groups(id).await?))
    }

    /// Makes a secret.
    ///
    /// # Errors
    /// Not allowed for others than admins; a name that is taken; fields that make no sense.
    pub async fn create_secret(&self, actor: &Actor, new: NewSecret) -> Result<Secret> {
        actor.may(Operation::ManageSecrets, actor.standing())?;
        let name = checked_name(&new.name)?;
        let id = SecretId::new(match new.kind {
            SecretKind::Pull => format!("image-{name}"),
            SecretKind::Opaque => format!("gitsync-secret-{name}"),
        });
        let (registry_host, username) = match new.kind {
            SecretKind::Opaque => (None, None),
            SecretKind::Pull => {
                let host = required("registryHost", new.registry_host.as_deref())?;
                (Some(checked_host(&host)?), Some(required("username", new.username.as_deref())?))
            }
        };
        checked_password(&new.password)?;
        let now = self.clock.now();
        let display_name = new.display_name.filter(|name| !name.trim().is_empty());
        let mut secret = Secret {
            // Sealed in the transaction below, so that no key is forgotten in between.
            sealed: String::new(),
            id,
            display_name: display_name.unwrap_or_else(|| name.clone()),
            name,
            kind: new.kind,
            registry_host,
            username,
            is_offered_to_all: new.groups.is_none(),
            created_at: now,
            updated_at: now,
        };
        let writer = self.store.write().await?;
        secret.sealed = self.seal(&secret.id, &new.password)?;
        writer.insert_secret(&secret).await.map_err(|error| match error {
            StoreError::Taken => {
                let message = format!("Resource already exist: there is a secret {}", secret.name);
                HubError::new(Kind::Conflict, message).with_hint("choose another name")
            }
            other => other.into(),
        })?;
        if let Some(groups) = &new.groups {
            offer(&writer, &secret.id, groups).await?;
        }
        self.note_secret(&writer, actor, "secret.create", &secret).await?;
        writer.commit().await?;
        Ok(secret)
    }

    /// Changes a secret; its kind is fixed.
    ///
    /// # Errors
    /// Not allowed, not found; fields that make no sense.
    pub async fn update_secret(&self, actor: &Actor, id: &SecretId, change: SecretChange) -> Result<Secret> {
        actor.may(Operation::ManageSecrets, actor.standing())?;
        // What clients have read and send back is no password.
        let password = change.password.filter(|password| !matches!(password.expose_secret(), MASK | ""));
        if let Some(password) = &password {
            checked_password(password)?;
        }
        let writer = self.store.write().await?;
        let mut secret = writer.secret(id).await?.ok_or_else(|| not_found(id))?;
        let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        secret.display_name = given(change.display_name).unwrap_or(secret.display_name);
        if secret.kind == SecretKind::Pull {
            if let Some(host) = given(change.registry_host) {
                secret.registry_host = Some(checked_host(&host)?);
            }
            secret.username = given(change.username).or(secret.username);
        }
        if let Some(password) = &password {
            secret.sealed = self.seal(id, password)?;
        }
        if let Some(groups) = &change.groups {
            secret.is_offered_to_all = groups.is_none();
            offer(&writer, id, groups.as_deref().unwrap_or_default()).await?;
        }
        secret.updated_at = self.clock.now();
        writer.update_secret(&secret).await?;
        self.note_secret(&writer, actor, "secret.update", &secret).await?;
        writer.commit().await?;
        Ok(secret)
    }

    /// Deletes a secret, unless something uses it: the error names that.
    ///
    /// # Errors
    /// Not allowed, not found; in use.
    pub async fn delete_secret(&self, actor: &Actor, id: &SecretId) -> Result<Secret> {
        actor.may(Operation::ManageSecrets, actor.standing())?;
        let writer = self.store.write().await?;
        let secret = writer.secret(id).await?.ok_or_else(|| not_found(id))?;
        let users = users_of(&writer, id).await?;
        if !users.is_empty() {
            let message = format!("The secret {} is used by {}", secret.name, users.join(", "));
            return Err(HubError::new(Kind::InUse, message).with_hint("give these another secret first"));
        }
        writer.delete_secret(id).await?;
        self.note_secret(&writer, actor, "secret.delete", &secret).await?;
        writer.commit().await?;
        Ok(secret)
    }

    /// Makes a new key, seals all secrets with it, and forgets the old ones once nothing needs them. Gives the number
    /// of secrets. May run while the hub does, and again where it was interrupted.
    ///
    /// # Errors
    /// A key file that cannot be replaced; a secret that no key opens.
    pub async fn rotate_key(&self) -> Result<u64> {
        self.vault.rotate().map_err(HubError::internal)?;
        let mut count = 0;
        for secret in self.store.read().secrets(&SecretFilter::default(), Page::ALL).await?.rows {
            if !self.vault.needs_resealing(&secret.sealed) {
                continue;
            }
            let writer = self.store.write().await?;
            let password = self.unseal(&secret)?;
            let sealed = self.seal(&secret.id, &password)?;
            writer.reseal_secret(&secret.id, &secret.sealed, &sealed).await?;
            writer.commit().await?;
            count += 1;
        }
        // While this transaction writes, nobody seals anything with an old key.
        let writer = self.store.write().await?;
        let detail = json!({ "sealed": count });
        self.note(&writer, &Actor::Machine, "secret.rotate", ("key", "secrets"), None, detail).await?;
        let all = writer.secrets(&SecretFilter::default(), Page::ALL).await?.rows;
        if all.iter().all(|secret| !self.vault.needs_resealing(&secret.sealed)) {
            self.vault.drop_old_keys().map_err(HubError::internal)?;
        }
        writer.commit().await?;
        Ok(count)
    }

    /// What is in a secret: for builds alone.
    pub(crate) fn unseal(&self, secret: &Secret) -> Result<SecretString> {
        self.vault.open_sealed(secret.id.as_str(), &secret.sealed).map_err(HubError::internal)
    }

    fn seal(&self, id: &SecretId, password: &SecretString) -> Result<String> {
        self.vault.seal(id.as_str(), password).map_err(HubError::internal)
    }

    async fn note_secret(&self, writer: &Writer, actor: &Actor, action: &str, secret: &Secret) -> Result<()> {
        let detail = json!({
            "name": secret.name, "registryHost": secret.registry_host, "username": secret.username,
            "isOfferedToAll": secret.is_offered_to_all,
        });
        self.note(writer, actor, action, ("secret", secret.id.as_str()), None, detail).await
    }
}

fn not_found(id: &SecretId) -> HubError {
    HubError::not_found("secret", id.as_str())
}

/// What uses a secret, in words.
async fn users_of(writer: &Writer, id: &SecretId) -> Result<Vec<String>> {
    let mut users: Vec<String> =
        writer.images_with_secret(id).await?.iter().map(|image| format!("image {}", image.name)).collect();
    users.extend(
        writer.specs_with_secret(id).await?.iter().map(|spec| format!("custom image spec {}", spec.name)),
    );
    // A build that waits or runs pulls its base with it; the images and specs above need not any more.
    for build in writer.running_builds().await?.into_iter().chain(writer.queued_builds().await?) {
        if build.recipe_secret.as_ref() == Some(id) && build.status != BuildStatus::Succeeded {
            users.push(format!("build {}", build.id));
        }
    }
    Ok(users)
}

async fn offer(writer: &Writer, id: &SecretId, groups: &[GroupId]) -> Result<()> {
    for group in groups {
        if writer.group(group).await?.is_none() {
            return Err(HubError::not_found("group", group.as_str()));
        }
    }
    Ok(writer.set_secret_groups(id, groups).await?)
}

/// The rule of Kubernetes for names, since clients make these there too.
fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    let is_good = |character: char| {
        character.is_ascii_lowercase() || character.is_ascii_digit() || matches!(character, '-' | '.')
    };
    let ends = |character: Option<char>| character.is_some_and(|character| character.is_ascii_alphanumeric());
    if name.len() > LONGEST
        || !name.chars().all(is_good)
        || !ends(name.chars().next())
        || !ends(name.chars().next_back())
    {
        let message = format!(
            "a secret's name has 1 to {LONGEST} lower-case letters, digits, `-` and `.`, and begins and ends with a letter or digit"
        );
        return Err(HubError::invalid(FieldProblem::new("name", message, "write one like `team-registry`")));
    }
    Ok(name.to_owned())
}

/// A registry's host, however people write it: `https://` and a path are left out.
fn checked_host(text: &str) -> Result<String> {
    let text = text.trim();
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let host = host.split('/').next().unwrap_or_default();
    let read = format!("{host}/x").parse::<RepositoryReference>();
    match read {
        Ok(repository)
            if repository.registry() == host.to_ascii_lowercase() || host.contains("docker.io") =>
        {
            Ok(repository.registry().to_owned())
        }
        _ => {
            let message = "this is no host of a registry";
            let suggestion =
                "write a host and, if needed, a port, as in `registry.example.com` or `localhost:5000`";
            Err(HubError::invalid(FieldProblem::new("registryHost", message, suggestion)))
        }
    }
}

fn required(field: &'static str, text: Option<&str>) -> Result<String> {
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => Ok(text.to_owned()),
        None => {
            Err(HubError::invalid(FieldProblem::new(field, "this cannot be empty for a pull secret", "")))
        }
    }
}

fn checked_password(password: &SecretString) -> Result<()> {
    let length = password.expose_secret().len();
    if (1..=LONGEST_SECRET).contains(&length) {
        return Ok(());
    }
    let message = format!("a secret has 1 to {LONGEST_SECRET} bytes");
    Err(HubError::invalid(FieldProblem::new("password", message, "give the password or token")))
}
