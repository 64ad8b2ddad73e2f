//! Pull secrets, and others that clients keep here.

use imagewright_store::secrets::{Secret, SecretFilter, SecretKind};
use imagewright_store::{GroupId, Listed, Page, SecretId};
use secrecy::SecretString;

use crate::access::Actor;
use crate::error::Result;
use crate::hub::Hub;

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
    /// The secrets that the actor may use for a group's images (or any of the actor's groups), by name: pull secrets
    /// alone, and never what is in them. Nobody but group admins and admins may use any: others get none.
    pub async fn usable_secrets(&self, actor: &Actor, group: Option<&GroupId>) -> Result<Vec<Secret>> {
        todo!()
    }

    /// All secrets, by name.
    pub async fn secrets(&self, actor: &Actor, filter: &SecretFilter, page: Page) -> Result<Listed<Secret>> {
        todo!()
    }

    /// A secret.
    pub async fn secret(&self, actor: &Actor, id: &SecretId) -> Result<Secret> {
        todo!()
    }

    /// The groups that a secret is offered to; nothing when it is to all.
    pub async fn secret_groups(&self, actor: &Actor, id: &SecretId) -> Result<Option<Vec<GroupId>>> {
        todo!()
    }

    /// Makes a secret.
    pub async fn create_secret(&self, actor: &Actor, new: NewSecret) -> Result<Secret> {
        todo!()
    }

    /// Changes a secret; its kind is fixed.
    pub async fn update_secret(&self, actor: &Actor, id: &SecretId, change: SecretChange) -> Result<Secret> {
        todo!()
    }

    /// Deletes a secret, unless something uses it: the error names that.
    pub async fn delete_secret(&self, actor: &Actor, id: &SecretId) -> Result<Secret> {
        todo!()
    }
}
