//! Making, changing and deleting secrets.

use async_graphql::{Context, Object, Result};
use imagewright_store::SecretId;
use imagewright_store::secrets::SecretKind;
use secrecy::SecretString;

use super::super::asking::{Asking as _, filled, problem};
use super::input::{SecretCreateInput, SecretUpdateInput, SecretWhereUniqueInput, groups, typed};
use super::object::SecretObject;
use crate::app::secrets::{NewSecret, SecretChange};

/// Mutations of secrets.
#[derive(Default)]
pub(in super::super) struct SecretMutations;

#[Object]
impl SecretMutations {
    /// Makes a secret.
    async fn create_secret(&self, ctx: &Context<'_>, data: SecretCreateInput) -> Result<SecretObject> {
        let kind = data.r#type.map_or(SecretKind::Opaque, SecretKind::from);
        let content = match kind {
            SecretKind::Pull => data.password,
            SecretKind::Opaque => data.secret,
        };
        let new = NewSecret {
            name: data.name,
            display_name: filled(data.display_name),
            kind,
            registry_host: filled(data.registry_host),
            username: filled(data.username),
            password: SecretString::from(content.unwrap_or_default()),
            groups: data.offered_to.map(groups),
        };
        Ok(SecretObject::new(ctx.hub().create_secret(ctx.actor(), new).await?))
    }

    /// Changes a secret.
    async fn update_secret(
        &self,
        ctx: &Context<'_>,
        data: SecretUpdateInput,
        r#where: SecretWhereUniqueInput,
    ) -> Result<Option<SecretObject>> {
        let (hub, actor) = (ctx.hub(), ctx.actor());
        let id = SecretId::new(r#where.id.0);
        let kind = hub.secret(actor, &id).await?.kind;
        if data.r#type.is_some_and(|given| SecretKind::from(given) != kind) {
            return Err(problem("type", "the type of a secret is fixed", "make another secret").into());
        }
        let content = match kind {
            SecretKind::Pull => data.password,
            SecretKind::Opaque => data.secret,
        };
        let change = SecretChange {
            display_name: filled(data.display_name),
            registry_host: filled(data.registry_host),
            username: filled(data.username),
            password: typed(content).map(SecretString::from),
            groups: if data.offered_to.is_undefined() {
                None
            } else {
                Some(data.offered_to.take().map(groups))
            },
        };
        Ok(Some(SecretObject::new(hub.update_secret(actor, &id, change).await?)))
    }

    /// Deletes a secret that nothing uses.
    async fn delete_secret(
        &self,
        ctx: &Context<'_>,
        r#where: SecretWhereUniqueInput,
    ) -> Result<Option<SecretObject>> {
        let secret = ctx.hub().delete_secret(ctx.actor(), &SecretId::new(r#where.id.0)).await?;
        Ok(Some(SecretObject::new(secret)))
    }
}
