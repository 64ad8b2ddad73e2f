//! Finding users.

use async_graphql::{Context, Object};
use imagewright_store::users::User;
use imagewright_store::{Listed, Page, UserId};

use super::super::asking::{Asking as _, if_found, problem};
use super::super::ordering::{OrderBy, sort_by_text};
use super::super::paging::{Connection, Paging, window};
use super::input::{UserWhereInput, UserWhereUniqueInput, UsersOrderBy};
use super::object::UserObject;
use crate::access::Actor;
use crate::error::Result;
use crate::hub::Hub;

/// Queries for users.
#[derive(Default)]
pub(in super::super) struct UserQueries;

#[Object]
impl UserQueries {
    /// A user; null where there is none. Group admins may ask, to put people into their groups.
    async fn user(
        &self,
        ctx: &Context<'_>,
        r#where: UserWhereUniqueInput,
    ) -> async_graphql::Result<Option<UserObject>> {
        let found = if_found(ctx.hub().user(ctx.actor(), &UserId::new(r#where.id.0)).await)?;
        Ok(found.map(UserObject::new))
    }

    /// All users, for admins.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a list in PrimeHub's API")]
    #[graphql(complexity = "20 + child_complexity")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        r#where: Option<UserWhereInput>,
        before: Option<String>,
        after: Option<String>,
        first: Option<u64>,
        last: Option<u64>,
        user_order_by: Option<OrderBy<UsersOrderBy>>,
    ) -> async_graphql::Result<Vec<UserObject>> {
        let paging = Paging::new(None, after, before, first, last)?;
        let listed = found(ctx.hub(), ctx.actor(), r#where, user_order_by, paging.rows()).await?;
        Ok(paging.connection(listed, |user| user.id.to_string(), UserObject::new).into_nodes())
    }

    /// All users in pages of `first` rows (10 without), for admins. `after` is the number of the page, from 0, as
    /// PrimeHub's clients have it; `before` and `last` are there because these declare them, and take nothing.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a list in PrimeHub's API")]
    #[graphql(complexity = "20 + child_complexity")]
    async fn users_connection(
        &self,
        ctx: &Context<'_>,
        r#where: Option<UserWhereInput>,
        before: Option<String>,
        after: Option<String>,
        first: Option<u64>,
        last: Option<u64>,
        user_order_by: Option<OrderBy<UsersOrderBy>>,
    ) -> async_graphql::Result<Connection<UserObject>> {
        if before.is_some() || last.is_some() {
            return Err(
                problem("before", "users are not paged from the end", "use `after` and `first`").into()
            );
        }
        let paging = Paging::counted(after.as_deref(), first)?;
        let listed = found(ctx.hub(), ctx.actor(), r#where, user_order_by, paging.rows()).await?;
        Ok(paging.connection(listed, |user| user.id.to_string(), UserObject::new))
    }
}

async fn found(
    hub: &Hub,
    actor: &Actor,
    filter: Option<UserWhereInput>,
    order: Option<OrderBy<UsersOrderBy>>,
    page: Page,
) -> Result<Listed<User>> {
    let filter = filter.unwrap_or_default().filter();
    let Some((field, is_descending)) = order.as_ref().and_then(OrderBy::first) else {
        return hub.users(actor, &filter, page).await;
    };
    let mut users = hub.users(actor, &filter, Page::ALL).await?.rows;
    sort_by_text(&mut users, is_descending, |user| match field {
        "email" => user.email.clone().unwrap_or_default(),
        "firstName" => user.first_name.clone(),
        "lastName" => user.last_name.clone(),
        _ => user.username.clone(),
    });
    Ok(window(users, page))
}
