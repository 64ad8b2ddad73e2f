//! A user, as clients see them.

use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};
use imagewright_store::users::User;
use jiff::Timestamp;

use super::super::asking::Asking as _;
use super::super::groups::GroupObject;

/// A user.
#[derive(SimpleObject)]
#[graphql(name = "User", complex)]
pub(in super::super) struct UserObject {
    /// Identifier.
    id: ID,
    /// Name to sign in with.
    username: String,
    /// Address.
    email: Option<String>,
    /// First name.
    first_name: String,
    /// Last name.
    last_name: String,
    /// Whether the user may come in.
    enabled: bool,
    /// Whether an admin of the hub.
    is_admin: bool,
    /// GB of the user's volume; the hub keeps it for clients.
    volume_capacity: Option<i64>,
    /// Whether the password was set by somebody else, for one use.
    must_change_password: bool,
    /// Milliseconds since 1970 when the account was made.
    created_timestamp: i64,
    /// When the account was made.
    created_at: Timestamp,
    #[graphql(skip)]
    user: User,
}

impl UserObject {
    /// A user.
    pub(in super::super) fn new(user: User) -> Self {
        Self {
            id: ID(user.id.to_string()),
            username: user.username.clone(),
            email: user.email.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            enabled: user.is_enabled,
            is_admin: user.is_admin,
            volume_capacity: user.attributes["volumeCapacity"].as_i64(),
            must_change_password: user.must_change_password,
            created_timestamp: user.created_at.as_millisecond(),
            created_at: user.created_at,
            user,
        }
    }
}

#[ComplexObject]
impl UserObject {
    /// The groups, `everyone` among them, each with its own images.
    #[graphql(complexity = "5 + child_complexity")]
    async fn groups(&self, ctx: &Context<'_>) -> Result<Vec<GroupObject>> {
        let hub = ctx.hub();
        let groups = hub.groups_of_user(ctx.actor(), &self.user.id).await?;
        let groups = groups.into_iter().map(|(group, _)| group).chain([hub.everyone().await?]);
        Ok(groups.map(GroupObject::plain).collect())
    }

    /// The groups without `everyone`, each with all images that its members may use.
    #[graphql(complexity = "5 + child_complexity")]
    async fn effective_groups(&self, ctx: &Context<'_>) -> Result<Vec<GroupObject>> {
        let groups = ctx.hub().groups_of_user(ctx.actor(), &self.user.id).await?;
        Ok(groups.into_iter().map(|(group, _)| GroupObject::effective(group)).collect())
    }
}
