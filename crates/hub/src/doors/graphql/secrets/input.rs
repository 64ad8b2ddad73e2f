//! What clients say of a secret.

use async_graphql::{ID, InputObject, MaybeUndefined};
use imagewright_store::GroupId;

use super::object::{HIDDEN, SecretType};

/// The secret that is meant.
#[derive(InputObject)]
pub(super) struct SecretWhereUniqueInput {
    /// Its identifier.
    pub(super) id: ID,
}

/// A secret to be made.
#[derive(InputObject)]
pub(super) struct SecretCreateInput {
    /// Name.
    pub(super) name: String,
    /// What it is for; `opaque` without.
    pub(super) r#type: Option<SecretType>,
    /// Name that is shown; the name without one.
    pub(super) display_name: Option<String>,
    /// What is secret, of an opaque one.
    pub(super) secret: Option<String>,
    /// The registry, of a pull secret.
    pub(super) registry_host: Option<String>,
    /// The user, of a pull secret.
    pub(super) username: Option<String>,
    /// The password, of a pull secret.
    pub(super) password: Option<String>,
    /// The identifiers of the groups that it is offered to; null for all.
    pub(super) offered_to: Option<Vec<ID>>,
}

/// What of a secret changes; fields that are left out stay, and so does a password of asterisks.
#[derive(InputObject)]
pub(super) struct SecretUpdateInput {
    /// Name that is shown.
    pub(super) display_name: Option<String>,
    /// Must be what it is.
    pub(super) r#type: Option<SecretType>,
    /// What is secret, of an opaque one.
    pub(super) secret: Option<String>,
    /// The registry, of a pull secret.
    pub(super) registry_host: Option<String>,
    /// The user, of a pull secret.
    pub(super) username: Option<String>,
    /// The password, of a pull secret.
    pub(super) password: Option<String>,
    /// The identifiers of the groups that it is offered to; null for all.
    pub(super) offered_to: MaybeUndefined<Vec<ID>>,
}

/// The groups with these identifiers.
pub(super) fn groups(ids: Vec<ID>) -> Vec<GroupId> {
    ids.into_iter().map(|id| GroupId::new(id.0)).collect()
}

/// What was typed into a field that shows asterisks; nothing where it was left alone.
pub(super) fn typed(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty() && text != HIDDEN)
}

/// What a list of secrets is narrowed to; all that is given holds.
#[derive(InputObject, Default)]
pub(super) struct SecretWhereInput {
    /// This secret.
    pub(super) id: Option<ID>,
    /// Whether pull secrets (true) or opaque ones (false).
    pub(super) if_docker_config_json: Option<bool>,
    /// Those that may be used for images of the group with this identifier.
    pub(super) group: Option<ID>,
}

/// The order of a list of secrets: the first field that is given decides, `asc` or `desc`.
#[derive(InputObject)]
pub(super) struct SecretOrderByInput {
    /// By name.
    name: Option<String>,
    /// By the name that is shown, whatever its case.
    display_name: Option<String>,
    /// By what it is for.
    r#type: Option<String>,
}
