//! Users.

use imagewright_store::groups::Group;
use imagewright_store::users::{User, UserFilter};
use imagewright_store::{GroupId, Listed, Page, UserId, Writer};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::Change;
use super::groups::EVERYONE;
use crate::access::{Actor, Operation};
use crate::error::{FieldProblem, HubError, Kind, Result};
use crate::hub::Hub;
use crate::{password, random};

/// The longest name, in characters.
const LONGEST: usize = 63;

/// A user to be made.
#[derive(Debug, Default)]
pub struct NewUser {
    /// Name to sign in with.
    pub username: String,
    /// Address.
    pub email: Option<String>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Whether an admin of the hub.
    pub is_admin: bool,
    /// Whether the user may come in.
    pub is_enabled: bool,
    /// Password; without one the user cannot sign in by password.
    pub password: Option<SecretString>,
    /// Groups to put the user into.
    pub groups: Vec<GroupId>,
    /// What the hub keeps for clients.
    pub attributes: Map<String, Value>,
}

/// What of a user changes.
#[derive(Debug, Default)]
pub struct UserChange {
    /// Address.
    pub email: Change<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Whether an admin of the hub.
    pub is_admin: Option<bool>,
    /// Whether the user may come in.
    pub is_enabled: Option<bool>,
    /// Groups to put the user into.
    pub connect: Vec<GroupId>,
    /// Groups to take the user out of.
    pub disconnect: Vec<GroupId>,
    /// What the hub keeps for clients: these fields are written over.
    pub attributes: Map<String, Value>,
}

impl Hub {
    /// Users, by name.
    ///
    /// # Errors
    /// Not allowed for others than admins.
    pub async fn users(&self, actor: &Actor, filter: &UserFilter, page: Page) -> Result<Listed<User>> {
        actor.may(Operation::ListUsers, actor.standing())?;
        Ok(self.store.read().users(filter, page).await?)
    }

    /// A user, for admins and for group admins, who put people into their groups.
    ///
    /// # Errors
    /// Not allowed, not found.
    pub async fn user(&self, actor: &Actor, id: &UserId) -> Result<User> {
        actor.may(Operation::FindUser, actor.highest_standing())?;
        self.store.read().user(id).await?.ok_or_else(|| not_found(id))
    }

    /// The user with this name, for the same people.
    ///
    /// # Errors
    /// Not allowed, not found.
    pub async fn user_by_name(&self, actor: &Actor, username: &str) -> Result<User> {
        actor.may(Operation::FindUser, actor.highest_standing())?;
        let found = self.store.read().user_by_name(&username.trim().to_lowercase()).await?;
        found.ok_or_else(|| HubError::not_found("user", username))
    }

    /// The actor's own account, as it is stored.
    ///
    /// # Errors
    /// Not authenticated.
    pub async fn me(&self, actor: &Actor) -> Result<User> {
        actor.may(Operation::ReadMe, actor.standing())?;
        let account = actor.signed_in()?;
        self.store.read().user(&account.id).await?.ok_or_else(HubError::not_authenticated)
    }

    /// The groups of a user, by name, and whether as their admin; `everyone` is not among them. Who is no admin gets
    /// those that both are in.
    ///
    /// # Errors
    /// Not authenticated.
    pub async fn groups_of_user(&self, actor: &Actor, id: &UserId) -> Result<Vec<(Group, bool)>> {
        actor.may(Operation::ReadMe, actor.standing())?;
        let mut groups = self.store.read().groups_of(id).await?;
        groups.retain(|(group, _)| actor.standing_in(&group.id) >= Operation::ReadGroup.needs());
        Ok(groups)
    }

    /// Makes a user.
    ///
    /// # Errors
    /// Not allowed for others than admins; a name or an address that somebody has, or that makes no sense; a group
    /// that does not exist.
    pub async fn create_user(&self, actor: &Actor, new: NewUser) -> Result<User> {
        actor.may(Operation::ManageUsers, actor.standing())?;
        let username = checked_username(&new.username)?;
        let email = checked_email(new.email)?;
        let password_hash = match new.password {
            Some(password) => Some(password::hash(password, "password").await?),
            None => None,
        };
        let now = self.clock.now();
        let user = User {
            id: UserId::new(random::identifier()),
            username,
            email,
            first_name: new.first_name,
            last_name: new.last_name,
            is_enabled: new.is_enabled,
            is_admin: new.is_admin,
            password_hash,
            must_change_password: false,
            attributes: Value::Object(new.attributes),
            created_at: now,
            updated_at: now,
        };
        let writer = self.store.write().await?;
        refuse_taken(&writer, &user).await?;
        writer.insert_user(&user).await?;
        put_into(&writer, &user.id, &new.groups).await?;
        let detail = json!({ "username": user.username, "isAdmin": user.is_admin });
        self.note(&writer, actor, "user.create", ("user", user.id.as_str()), None, detail).await?;
        writer.commit().await?;
        Ok(user)
    }

    /// Changes a user. Who may not come in any more has no tokens any more. The last admin who may come in stays one.
    ///
    /// # Errors
    /// As for making one; not found.
    pub async fn update_user(&self, actor: &Actor, id: &UserId, change: UserChange) -> Result<User> {
        actor.may(Operation::ManageUsers, actor.standing())?;
        let writer = self.store.write().await?;
        let mut user = writer.user(id).await?.ok_or_else(|| not_found(id))?;
        let was_able_admin = user.is_admin && user.is_enabled;
        match change.email {
            Change::Keep => {}
            Change::Clear => user.email = None,
            Change::Set(email) => user.email = checked_email(Some(email))?,
        }
        user.first_name = change.first_name.unwrap_or(user.first_name);
        user.last_name = change.last_name.unwrap_or(user.last_name);
        user.is_admin = change.is_admin.unwrap_or(user.is_admin);
        user.is_enabled = change.is_enabled.unwrap_or(user.is_enabled);
        merge(&mut user.attributes, change.attributes);
        user.updated_at = self.clock.now();
        refuse_taken(&writer, &user).await?;
        if was_able_admin && !(user.is_admin && user.is_enabled) {
            refuse_last_admin(&writer).await?;
        }
        writer.update_user(&user).await?;
        if !user.is_enabled {
            writer.delete_tokens_of(id).await?;
        }
        put_into(&writer, id, &change.connect).await?;
        for group in &change.disconnect {
            writer.remove_member(group, id).await?;
        }
        let detail = json!({
            "username": user.username, "isAdmin": user.is_admin, "isEnabled": user.is_enabled,
            "joined": change.connect, "left": change.disconnect,
        });
        self.note(&writer, actor, "user.update", ("user", id.as_str()), None, detail).await?;
        writer.commit().await?;
        Ok(user)
    }

    /// Deletes a user. What the user has built stays, under the user's name.
    ///
    /// # Errors
    /// Not allowed, not found; the last admin who may come in.
    pub async fn delete_user(&self, actor: &Actor, id: &UserId) -> Result<User> {
        actor.may(Operation::ManageUsers, actor.standing())?;
        let writer = self.store.write().await?;
        let user = writer.user(id).await?.ok_or_else(|| not_found(id))?;
        if user.is_admin && user.is_enabled {
            refuse_last_admin(&writer).await?;
        }
        writer.delete_user(id).await?;
        let detail = json!({ "username": user.username });
        self.note(&writer, actor, "user.delete", ("user", id.as_str()), None, detail).await?;
        writer.commit().await?;
        Ok(user)
    }

    /// Gives a user another password, and ends the user's tokens. A temporary one must be changed by its user.
    ///
    /// # Errors
    /// Not allowed, not found; a password that is too easy to guess.
    pub async fn reset_password(
        &self,
        actor: &Actor,
        id: &UserId,
        password: &SecretString,
        is_temporary: bool,
    ) -> Result<User> {
        actor.may(Operation::ManageUsers, actor.standing())?;
        let hash = password::hash(password.clone(), "password").await?;
        let writer = self.store.write().await?;
        let mut user = writer.user(id).await?.ok_or_else(|| not_found(id))?;
        user.password_hash = Some(hash);
        user.must_change_password = is_temporary;
        user.updated_at = self.clock.now();
        writer.update_user(&user).await?;
        writer.delete_tokens_of(id).await?;
        self.throttle.forget(&format!("user {}", user.username));
        let detail = json!({ "username": user.username, "isTemporary": is_temporary });
        self.note(&writer, actor, "password.reset", ("user", id.as_str()), None, detail).await?;
        writer.commit().await?;
        Ok(user)
    }
}

fn not_found(id: &UserId) -> HubError {
    HubError::not_found("user", id.as_str())
}

/// The name in its one form.
fn checked_username(text: &str) -> Result<String> {
    let username = text.trim().to_lowercase();
    let is_good = |character: char| character.is_ascii_alphanumeric() || "._-@+".contains(character);
    if username.is_empty() || username.len() > LONGEST || !username.chars().all(is_good) {
        let message = format!("a user name has 1 to {LONGEST} letters, digits and `. _ - @ +`");
        return Err(HubError::invalid(FieldProblem::new("username", message, "write one like `ann.lee`")));
    }
    Ok(username)
}

/// Nothing, or an address. Whether anybody reads what is sent there is not asked.
fn checked_email(email: Option<String>) -> Result<Option<String>> {
    let Some(email) = email.map(|email| email.trim().to_owned()).filter(|email| !email.is_empty()) else {
        return Ok(None);
    };
    let parts = email.split_once('@');
    let is_good = parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && email.len() <= 254
        && !email.chars().any(|character| character.is_whitespace() || character.is_control());
    if !is_good {
        let problem =
            FieldProblem::new("email", "this is no mail address", "write one like `ann@example.org`");
        return Err(HubError::invalid(problem));
    }
    Ok(Some(email))
}

async fn refuse_taken(writer: &Writer, user: &User) -> Result<()> {
    let is_other = |found: Option<User>| found.is_some_and(|found| found.id != user.id);
    if is_other(writer.user_by_name(&user.username).await?) {
        let message = format!("There is a user {} already", user.username);
        return Err(HubError::new(Kind::Conflict, message));
    }
    if let Some(email) = &user.email
        && is_other(writer.user_by_email(email).await?)
    {
        return Err(HubError::new(Kind::Conflict, format!("Another user has the address {email}")));
    }
    Ok(())
}

/// A hub without an admin could not be administered any more.
async fn refuse_last_admin(writer: &Writer) -> Result<()> {
    if writer.count_enabled_admins().await? > 1 {
        return Ok(());
    }
    Err(HubError::new(Kind::InUse, "This is the last admin who can sign in")
        .with_hint("make somebody else an admin first"))
}

async fn put_into(writer: &Writer, user: &UserId, groups: &[GroupId]) -> Result<()> {
    for group in groups {
        let found = writer.group(group).await?;
        let found = found.ok_or_else(|| HubError::not_found("group", group.as_str()))?;
        // Everyone is in that one.
        if found.name == EVERYONE {
            continue;
        }
        let is_in = writer.groups_of(user).await?.iter().any(|(other, _)| other.id == *group);
        if !is_in {
            writer.set_member(group, user, false).await?;
        }
    }
    Ok(())
}

/// Writes fields over those that are there.
pub(super) fn merge(attributes: &mut Value, fields: Map<String, Value>) {
    if let Value::Object(existing) = attributes {
        existing.extend(fields);
    } else {
        *attributes = Value::Object(fields);
    }
}
