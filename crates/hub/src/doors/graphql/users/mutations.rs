//! Making, changing and deleting users.

use async_graphql::{Context, MaybeUndefined, Object, Result, SimpleObject};
use imagewright_store::UserId;
use secrecy::SecretString;

use super::super::asking::{Asking as _, filled, problem};
use super::super::groups::ids;
use super::super::images::change_of;
use super::input::{UserCreateInput, UserUpdateInput, UserWhereUniqueInput, attributes};
use super::object::UserObject;
use crate::app::users::{NewUser, UserChange};

/// Mutations of users.
#[derive(Default)]
pub(in super::super) struct UserMutations;

/// Whom something was done to.
#[derive(SimpleObject)]
pub(super) struct UserActionResponse {
    /// The user's identifier.
    id: Option<String>,
}

#[Object]
impl UserMutations {
    /// Makes a user.
    async fn create_user(&self, ctx: &Context<'_>, data: UserCreateInput) -> Result<UserObject> {
        if data.send_email == Some(true) {
            let suggestion = "leave it out, and tell the user the password of `resetPassword`";
            return Err(problem("sendEmail", "this hub sends no mail", suggestion).into());
        }
        let new = NewUser {
            username: data.username,
            email: filled(data.email),
            first_name: data.first_name.unwrap_or_default(),
            last_name: data.last_name.unwrap_or_default(),
            is_admin: data.is_admin.unwrap_or(false),
            is_enabled: data.enabled.unwrap_or(true),
            password: filled(data.password).map(SecretString::from),
            groups: ids(data.groups.and_then(|groups| groups.connect)),
            attributes: attributes(
                data.volume_capacity.map_or(MaybeUndefined::Undefined, MaybeUndefined::Value),
            ),
        };
        Ok(UserObject::new(ctx.hub().create_user(ctx.actor(), new).await?))
    }

    /// Changes a user.
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        data: UserUpdateInput,
        r#where: UserWhereUniqueInput,
    ) -> Result<Option<UserObject>> {
        let (hub, actor) = (ctx.hub(), ctx.actor());
        let id = UserId::new(r#where.id.0);
        if let Some(username) = data.username
            && hub.user(actor, &id).await?.username != username
        {
            return Err(problem("username", "the name of a user is fixed", "make another user").into());
        }
        let groups = data.groups.unwrap_or_default();
        let change = UserChange {
            email: change_of(data.email),
            first_name: data.first_name,
            last_name: data.last_name,
            is_admin: data.is_admin,
            is_enabled: data.enabled,
            connect: ids(groups.connect),
            disconnect: ids(groups.disconnect),
            attributes: attributes(data.volume_capacity),
        };
        Ok(Some(UserObject::new(hub.update_user(actor, &id, change).await?)))
    }

    /// Deletes a user.
    async fn delete_user(
        &self,
        ctx: &Context<'_>,
        r#where: UserWhereUniqueInput,
    ) -> Result<Option<UserObject>> {
        let user = ctx.hub().delete_user(ctx.actor(), &UserId::new(r#where.id.0)).await?;
        Ok(Some(UserObject::new(user)))
    }

    /// Gives a user another password, and ends the user's tokens. A temporary one must be changed by its user.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        id: Option<String>,
        password: Option<String>,
        temporary: Option<bool>,
    ) -> Result<Option<UserActionResponse>> {
        let id = id.ok_or_else(|| problem("id", "it is missing", "write the identifier of the user"))?;
        let password = password.ok_or_else(|| problem("password", "it is missing", "write a password"))?;
        let password = SecretString::from(password);
        let temporary = temporary.unwrap_or(false);
        let user = ctx.hub().reset_password(ctx.actor(), &UserId::new(id), &password, temporary).await?;
        Ok(Some(UserActionResponse { id: Some(user.id.to_string()) }))
    }
}
