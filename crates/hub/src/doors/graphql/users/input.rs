//! What clients say of a user.

use async_graphql::{ID, InputObject, MaybeUndefined};
use imagewright_store::UserId;
use imagewright_store::users::UserFilter;
use serde_json::{Map, Value, json};

use super::super::groups::{GroupCreateManyInput, GroupUpdateManyInput};

/// The user that is meant.
#[derive(InputObject)]
pub(in super::super) struct UserWhereUniqueInput {
    /// The user's identifier.
    pub(in super::super) id: ID,
}

/// A user to be made.
#[derive(InputObject)]
pub(super) struct UserCreateInput {
    /// Name to sign in with.
    pub(super) username: String,
    /// Address.
    pub(super) email: Option<String>,
    /// First name.
    pub(super) first_name: Option<String>,
    /// Last name.
    pub(super) last_name: Option<String>,
    /// Whether an admin of the hub; not without.
    pub(super) is_admin: Option<bool>,
    /// Whether the user may come in; yes without.
    pub(super) enabled: Option<bool>,
    /// Password. Without one the user cannot sign in until `resetPassword` gives one.
    pub(super) password: Option<String>,
    /// GB of the user's volume; the hub keeps it for clients.
    pub(super) volume_capacity: Option<i64>,
    /// Groups to put the user into.
    pub(super) groups: Option<GroupCreateManyInput>,
    /// Must not be true: this hub sends no mail.
    pub(super) send_email: Option<bool>,
    /// Of no use without mail.
    pub(super) reset_actions: Option<Value>,
    /// Of no use without mail.
    pub(super) expires_in: Option<i64>,
}

/// What of a user changes; fields that are left out stay.
#[derive(InputObject)]
pub(super) struct UserUpdateInput {
    /// Must be what it is: the name is fixed.
    pub(super) username: Option<String>,
    /// Address; null or nothing for none.
    pub(super) email: MaybeUndefined<String>,
    /// First name.
    pub(super) first_name: Option<String>,
    /// Last name.
    pub(super) last_name: Option<String>,
    /// Whether an admin of the hub.
    pub(super) is_admin: Option<bool>,
    /// Whether the user may come in.
    pub(super) enabled: Option<bool>,
    /// GB of the user's volume.
    pub(super) volume_capacity: MaybeUndefined<i64>,
    /// Groups to put the user into, and to take the user out of.
    pub(super) groups: Option<GroupUpdateManyInput>,
}

/// What the hub keeps of a user for clients.
pub(super) fn attributes(volume_capacity: MaybeUndefined<i64>) -> Map<String, Value> {
    let mut attributes = Map::new();
    if !volume_capacity.is_undefined() {
        attributes.insert("volumeCapacity".to_owned(), json!(volume_capacity.take()));
    }
    attributes
}

/// What a list of users is narrowed to; all that is given holds.
#[derive(InputObject, Default)]
pub(super) struct UserWhereInput {
    /// This user.
    id: Option<ID>,
    /// The keyword is in the username, the names or the address, whatever its case.
    search: Option<String>,
    /// The username has this in it.
    #[graphql(name = "username_contains")]
    username_contains: Option<String>,
    /// The address has this in it.
    #[graphql(name = "email_contains")]
    email_contains: Option<String>,
}

impl UserWhereInput {
    /// What the database can tell.
    pub(super) fn filter(self) -> UserFilter {
        UserFilter {
            id: self.id.map(|id| UserId::new(id.0)),
            search: self.search.filter(|keyword| !keyword.trim().is_empty()),
            username_contains: self.username_contains,
            email_contains: self.email_contains,
        }
    }
}

/// The order of a list of users: the first field that is given decides, `asc` or `desc`.
#[derive(InputObject)]
pub(super) struct UsersOrderBy {
    /// By username.
    username: Option<String>,
    /// By address.
    email: Option<String>,
    /// By first name.
    first_name: Option<String>,
    /// By last name.
    last_name: Option<String>,
}
