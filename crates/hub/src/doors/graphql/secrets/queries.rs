//! Finding secrets.

use async_graphql::{Context, Object, Result};
use imagewright_store::secrets::{Secret, SecretFilter, SecretKind};
use imagewright_store::{GroupId, Page, SecretId};

use super::super::asking::Asking as _;
use super::super::ordering::{OrderBy, sort_by_text};
use super::super::paging::{Connection, Paging, window};
use super::input::{SecretOrderByInput, SecretWhereInput, SecretWhereUniqueInput};
use super::object::SecretObject;

/// Queries for secrets.
#[derive(Default)]
pub(in super::super) struct SecretQueries;

#[Object]
impl SecretQueries {
    /// A secret, for admins.
    async fn secret(&self, ctx: &Context<'_>, r#where: SecretWhereUniqueInput) -> Result<SecretObject> {
        let secret = ctx.hub().secret(ctx.actor(), &SecretId::new(r#where.id.0)).await?;
        Ok(SecretObject::new(secret))
    }

    /// The pull secrets that who asks may use for images.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a list in PrimeHub's API")]
    #[graphql(complexity = "20 + child_complexity")]
    async fn secrets(
        &self,
        ctx: &Context<'_>,
        r#where: Option<SecretWhereInput>,
        page: Option<i64>,
        order_by: Option<OrderBy<SecretOrderByInput>>,
        before: Option<String>,
        after: Option<String>,
        first: Option<u64>,
        last: Option<u64>,
    ) -> Result<Vec<SecretObject>> {
        let paging = Paging::new(page, after, before, first, last)?;
        let filter = r#where.unwrap_or_default();
        let group = filter.group.map(|group| GroupId::new(group.0));
        let mut secrets = ctx.hub().usable_secrets(ctx.actor(), group.as_ref()).await?;
        let kind = filter.if_docker_config_json.map(kind_of);
        secrets.retain(|secret| kind.is_none_or(|kind| secret.kind == kind));
        secrets.retain(|secret| filter.id.as_ref().is_none_or(|id| secret.id.as_str() == id.as_str()));
        sort(&mut secrets, order_by.as_ref());
        let listed = window(secrets, paging.rows());
        Ok(paging.connection(listed, |secret| secret.id.to_string(), SecretObject::new).into_nodes())
    }

    /// All secrets, for admins: in pages if a page is asked for, else all at once.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a list in PrimeHub's API")]
    #[graphql(complexity = "20 + child_complexity")]
    async fn secrets_connection(
        &self,
        ctx: &Context<'_>,
        r#where: Option<SecretWhereInput>,
        page: Option<i64>,
        order_by: Option<OrderBy<SecretOrderByInput>>,
        before: Option<String>,
        after: Option<String>,
        first: Option<u64>,
        last: Option<u64>,
    ) -> Result<Connection<SecretObject>> {
        let paging = Paging::new(page, after, before, first, last)?;
        let given = r#where.unwrap_or_default();
        let filter = SecretFilter {
            kind: given.if_docker_config_json.map(kind_of),
            offered_to: given.group.map(|group| vec![GroupId::new(group.0)]),
        };
        let mut secrets = ctx.hub().secrets(ctx.actor(), &filter, Page::ALL).await?.rows;
        secrets.retain(|secret| given.id.as_ref().is_none_or(|id| secret.id.as_str() == id.as_str()));
        sort(&mut secrets, order_by.as_ref());
        let listed = window(secrets, paging.rows());
        Ok(paging.connection(listed, |secret| secret.id.to_string(), SecretObject::new))
    }
}

fn kind_of(is_pull_secret: bool) -> SecretKind {
    if is_pull_secret { SecretKind::Pull } else { SecretKind::Opaque }
}

fn sort(secrets: &mut [Secret], order: Option<&OrderBy<SecretOrderByInput>>) {
    let Some((field, is_descending)) = order.and_then(OrderBy::first) else { return };
    sort_by_text(secrets, is_descending, |secret| match field {
        "displayName" => secret.display_name.clone(),
        "type" => secret.kind.name().to_owned(),
        _ => secret.name.clone(),
    });
}
