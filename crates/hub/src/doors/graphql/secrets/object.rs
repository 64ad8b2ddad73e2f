//! A secret, as clients see it: never what is in it.

use async_graphql::{ComplexObject, Context, Enum, ID, Result, SimpleObject};
use imagewright_store::secrets::{Secret, SecretKind};
use jiff::Timestamp;

use super::super::asking::Asking as _;

/// What stands where the password would.
pub(super) const HIDDEN: &str = "******";

/// What a secret is for.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretType {
    /// Something that clients keep here. Never offered for pulling.
    #[graphql(name = "opaque")]
    Opaque,
    /// Pulling images from a registry.
    #[graphql(name = "kubernetes")]
    Kubernetes,
}

impl From<SecretKind> for SecretType {
    fn from(kind: SecretKind) -> Self {
        match kind {
            SecretKind::Opaque => Self::Opaque,
            SecretKind::Pull => Self::Kubernetes,
        }
    }
}

impl From<SecretType> for SecretKind {
    fn from(kind: SecretType) -> Self {
        match kind {
            SecretType::Opaque => Self::Opaque,
            SecretType::Kubernetes => Self::Pull,
        }
    }
}

/// A secret. What is in it cannot be read.
#[derive(SimpleObject)]
#[graphql(name = "Secret", complex)]
pub(in super::super) struct SecretObject {
    /// Identifier.
    id: ID,
    /// Name; fixed.
    name: String,
    /// Name that is shown.
    display_name: String,
    /// What it is for; fixed.
    r#type: SecretType,
    /// The registry, of a pull secret.
    registry_host: Option<String>,
    /// The user, of a pull secret.
    username: Option<String>,
    /// Asterisks, of a pull secret.
    password: Option<&'static str>,
    /// Asterisks, of an opaque secret.
    secret: Option<&'static str>,
    /// When it was made.
    created_at: Timestamp,
    /// When it was last changed.
    updated_at: Timestamp,
    #[graphql(skip)]
    stored: Secret,
}

impl SecretObject {
    /// A secret.
    pub(super) fn new(stored: Secret) -> Self {
        let is_pull_secret = stored.kind == SecretKind::Pull;
        Self {
            id: ID(stored.id.to_string()),
            name: stored.name.clone(),
            display_name: stored.display_name.clone(),
            r#type: stored.kind.into(),
            registry_host: stored.registry_host.clone(),
            username: stored.username.clone(),
            password: is_pull_secret.then_some(HIDDEN),
            secret: (!is_pull_secret).then_some(HIDDEN),
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            stored,
        }
    }
}

#[ComplexObject]
impl SecretObject {
    /// The identifiers of the groups that it is offered to; null when it is offered to all. For admins.
    async fn offered_to(&self, ctx: &Context<'_>) -> Result<Option<Vec<ID>>> {
        let groups = ctx.hub().secret_groups(ctx.actor(), &self.stored.id).await?;
        Ok(groups.map(|groups| groups.into_iter().map(|group| ID(group.to_string())).collect()))
    }
}
