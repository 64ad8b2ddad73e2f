//! Who may do what.

mod actor;
mod table;

pub use actor::{Account, Actor, Membership};
pub use table::{Operation, Standing, TABLE, markdown};

use imagewright_store::GroupId;
use imagewright_store::images::Image;

use crate::error::{HubError, Result};

impl Actor {
    /// How the actor stands to the hub as a whole.
    pub fn standing(&self) -> Standing {
        match self {
            Self::Anonymous { .. } => Standing::Anonymous,
            Self::User(account) if account.is_admin => Standing::Admin,
            Self::User(_) => Standing::SignedIn,
            Self::Machine => Standing::Admin,
        }
    }

    /// How the actor stands to a group, and to what belongs to it.
    pub fn standing_in(&self, group: &GroupId) -> Standing {
        let Self::User(account) = self else { return self.standing() };
        match account.membership(group) {
            _ if account.is_admin => Standing::Admin,
            Some(membership) if membership.is_admin => Standing::GroupAdmin,
            Some(_) => Standing::Member,
            None => Standing::SignedIn,
        }
    }

    /// How the actor stands to an image, which is shared with these groups if it is a system image. Nobody but an
    /// admin is more than a member to one of those.
    pub fn standing_to(&self, image: &Image, shared_with: &[GroupId]) -> Standing {
        if let Some(group) = &image.group {
            return self.standing_in(group);
        }
        let Self::User(account) = self else { return self.standing() };
        let may_use = image.is_global || shared_with.iter().any(|group| account.membership(group).is_some());
        match self.standing() {
            Standing::SignedIn if may_use => Standing::Member,
            other => other,
        }
    }

    /// Refuses an operation for which the actor does not stand high enough.
    ///
    /// # Errors
    /// Not authenticated for who has not signed in, not allowed for others.
    pub fn may(&self, operation: Operation, standing: Standing) -> Result<()> {
        if standing >= operation.needs() {
            return Ok(());
        }
        Err(match self {
            Self::Anonymous { .. } => HubError::not_authenticated(),
            Self::User(_) | Self::Machine => HubError::not_allowed(),
        })
    }

    /// The same for what the actor must not even learn the existence of, unless it may be read: not found then.
    ///
    /// # Errors
    /// As [`Actor::may`], or `hidden` where `reading` is not allowed either.
    pub fn may_on(
        &self,
        operation: Operation,
        reading: Operation,
        standing: Standing,
        hidden: impl FnOnce() -> HubError,
    ) -> Result<()> {
        match self.may(operation, standing) {
            Err(_) if matches!(self, Self::User(_)) && standing < reading.needs() => Err(hidden()),
            outcome => outcome,
        }
    }
}

impl Actor {
    /// The highest standing that the actor has in any group: for what an admin of some group may do.
    pub fn highest_standing(&self) -> Standing {
        let Self::User(account) = self else { return self.standing() };
        let in_groups = account.groups.iter().map(|membership| self.standing_in(&membership.group.id));
        in_groups.max().unwrap_or(Standing::SignedIn).max(self.standing())
    }
}
