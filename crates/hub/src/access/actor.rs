//! Who asks.

use imagewright_store::groups::Group;
use imagewright_store::users::User;
use imagewright_store::{GroupId, TokenId, UserId};

/// Who asks for something, and from where.
#[derive(Debug, Clone)]
pub enum Actor {
    /// Somebody who has not signed in.
    Anonymous {
        /// From this address.
        address: Option<String>,
    },
    /// A user.
    User(Box<Account>),
    /// A command on the machine of the hub, or the hub itself: whoever is there could write to the database anyway.
    Machine,
}

/// A user who has signed in, with what decides about permissions, as it was when the request came in.
#[derive(Debug, Clone)]
pub struct Account {
    /// Identifier.
    pub id: UserId,
    /// Name.
    pub username: String,
    /// Whether an admin of the hub.
    pub is_admin: bool,
    /// The groups.
    pub groups: Vec<Membership>,
    /// From which address.
    pub address: Option<String>,
    /// By which token.
    pub token: Option<TokenId>,
}

/// A group that a user is in.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The group.
    pub group: Group,
    /// Whether as an admin of the group.
    pub is_admin: bool,
}

impl Account {
    /// An account as the database has it.
    pub fn new(user: &User, groups: Vec<(Group, bool)>) -> Self {
        Self {
            id: user.id.clone(),
            username: user.username.clone(),
            is_admin: user.is_admin,
            groups: groups.into_iter().map(|(group, is_admin)| Membership { group, is_admin }).collect(),
            address: None,
            token: None,
        }
    }

    /// What the account is in a group, if it is in it.
    pub fn membership(&self, group: &GroupId) -> Option<&Membership> {
        self.groups.iter().find(|membership| membership.group.id == *group)
    }

    /// The groups of the account.
    pub fn group_ids(&self) -> Vec<GroupId> {
        self.groups.iter().map(|membership| membership.group.id.clone()).collect()
    }

    /// The groups that the account is an admin of.
    pub fn administered(&self) -> Vec<GroupId> {
        let administered = self.groups.iter().filter(|membership| membership.is_admin);
        administered.map(|membership| membership.group.id.clone()).collect()
    }
}

impl Actor {
    /// The account of a user.
    pub fn account(&self) -> Option<&Account> {
        match self {
            Self::User(account) => Some(account),
            Self::Anonymous { .. } | Self::Machine => None,
        }
    }

    /// The account, or the error that nobody is signed in.
    ///
    /// # Errors
    /// Not authenticated.
    pub fn signed_in(&self) -> crate::error::Result<&Account> {
        self.account().ok_or_else(crate::error::HubError::not_authenticated)
    }

    /// The name for the audit.
    pub fn name(&self) -> &str {
        match self {
            Self::Anonymous { .. } => "anonymous",
            Self::User(account) => &account.username,
            Self::Machine => "hub",
        }
    }

    /// The address for the audit.
    pub fn address(&self) -> Option<&str> {
        match self {
            Self::Anonymous { address } => address.as_deref(),
            Self::User(account) => account.address.as_deref(),
            Self::Machine => None,
        }
    }
}
