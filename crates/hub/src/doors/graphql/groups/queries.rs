//! Finding groups.

use async_graphql::{Context, Object};
use imagewright_store::groups::{Group, GroupFilter};
use imagewright_store::{GroupId, Listed, Page};

use super::super::asking::{Asking as _, if_found, problem};
use super::super::ordering::{OrderBy, sort_by, sort_by_text};
use super::super::paging::{Connection, Paging, window};
use super::input::{GroupOrderByInput, GroupWhereInput, GroupWhereUniqueInput};
use super::object::GroupObject;
use crate::access::{Actor, Standing};
use crate::error::{HubError, Result};
use crate::hub::Hub;

/// Queries for groups.
#[derive(Default)]
pub(in super::super) struct GroupQueries;

#[Object]
impl GroupQueries {
    /// A group; null where there is none, or not for who asks.
    async fn group(
        &self,
        ctx: &Context<'_>,
        r#where: GroupWhereUniqueInput,
    ) -> async_graphql::Result<Option<GroupObject>> {
        let found = if_found(ctx.hub().group(ctx.actor(), &GroupId::new(r#where.id.0)).await)?;
        Ok(found.map(GroupObject::plain))
    }

    /// All groups, for admins.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a list in PrimeHub's API")]
    #[graphql(complexity = "20 + child_complexity")]
    async fn groups(
        &self,
        ctx: &Context<'_>,
        r#where: Option<GroupWhereInput>,
        page: Option<i64>,
        order_by: Option<OrderBy<GroupOrderByInput>>,
        before: Option<String>,
        after: Option<String>,
        first: Option<u64>,
        last: Option<u64>,
    ) -> async_graphql::Result<Vec<GroupObject>> {
        let paging = Paging::new(page, after, before, first, last)?;
        let listed = found(ctx.hub(), ctx.actor(), r#where, order_by, paging.rows()).await?;
        Ok(paging.connection(listed, |group| group.id.to_string(), GroupObject::plain).into_nodes())
    }

    /// All groups in pages, for admins.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a list in PrimeHub's API")]
    #[graphql(complexity = "20 + child_complexity")]
    async fn groups_connection(
        &self,
        ctx: &Context<'_>,
        r#where: Option<GroupWhereInput>,
        page: Option<i64>,
        order_by: Option<OrderBy<GroupOrderByInput>>,
        before: Option<String>,
        after: Option<String>,
        first: Option<u64>,
        last: Option<u64>,
    ) -> async_graphql::Result<Connection<GroupObject>> {
        let paging = Paging::new(page, after, before, first, last)?;
        let listed = found(ctx.hub(), ctx.actor(), r#where, order_by, paging.rows()).await?;
        Ok(paging.connection(listed, |group| group.id.to_string(), GroupObject::plain))
    }
}

async fn found(
    hub: &Hub,
    actor: &Actor,
    filter: Option<GroupWhereInput>,
    order: Option<OrderBy<GroupOrderByInput>>,
    page: Page,
) -> Result<Listed<Group>> {
    let filter = filter.unwrap_or_default();
    let order = order.as_ref().and_then(OrderBy::first);
    if order.is_none() && filter.display_name_contains.is_none() {
        return hub.groups(actor, &filter.filter(), page).await;
    }
    let mut groups = hub.groups(actor, &filter.filter(), Page::ALL).await?.rows;
    if let Some(part) = &filter.display_name_contains {
        groups.retain(|group| group.display_name.contains(part));
    }
    match order {
        None => {}
        Some(("name", is_descending)) => sort_by_text(&mut groups, is_descending, |group| group.name.clone()),
        Some(("displayName", is_descending)) => {
            sort_by_text(&mut groups, is_descending, |group| group.display_name.clone());
        }
        Some((attribute, is_descending)) => {
            let number = |group: &Group| group.attributes[attribute].as_f64().unwrap_or(f64::NEG_INFINITY);
            sort_by(&mut groups, is_descending, |one, other| number(one).total_cmp(&number(other)));
        }
    }
    Ok(window(groups, page))
}

/// The group of this very name. Who is no admin learns nothing about groups that they are not in.
pub(in super::super) async fn group_named(hub: &Hub, actor: &Actor, name: &str) -> Result<Group> {
    if let Some(group) = hub.own_groups(actor).await?.into_iter().find(|group| group.name == name) {
        return Ok(group);
    }
    if actor.standing() != Standing::Admin {
        return Err(HubError::not_allowed());
    }
    let filter = GroupFilter { name_contains: Some(name.to_owned()), ..GroupFilter::default() };
    let groups = hub.groups(actor, &filter, Page::ALL).await?.rows;
    let found = groups.into_iter().find(|group| group.name == name);
    found.ok_or_else(|| {
        problem("groupName", format!("there is no group `{name}`"), "write the name of a group")
    })
}
