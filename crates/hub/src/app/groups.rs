//! Groups and their members.

use imagewright_store::groups::{Group, GroupFilter, Member};
use imagewright_store::images::{ImageOwner, ImageQuery};
use imagewright_store::users::UserFilter;
use imagewright_store::{GroupId, Listed, Page, UserId, Writer};
use serde_json::{Map, Value, json};

use super::users::merge;
use crate::access::{Actor, Operation, Standing};
use crate::error::{FieldProblem, HubError, Kind, Result};
use crate::hub::Hub;
use crate::random;

/// The name of the group that everyone is in.
pub const EVERYONE: &str = "everyone";

/// The longest name of a group, and the longest that is shown, in characters.
const LONGEST: usize = 63;
const LONGEST_SHOWN: usize = 200;

/// How many images an error names.
const NAMED_IMAGES: u64 = 5;

/// A group to be made.
#[derive(Debug, Default)]
pub struct NewGroup {
    /// Name.
    pub name: String,
    /// Name that is shown; the name without.
    pub display_name: Option<String>,
    /// Who is in it.
    pub members: Vec<UserId>,
    /// Who of them is an admin of it, by name.
    pub admins: Vec<String>,
    /// What the hub keeps for clients.
    pub attributes: Map<String, Value>,
}

/// What of a group changes.
#[derive(Debug, Default)]
pub struct GroupChange {
    /// Name that is shown.
    pub display_name: Option<String>,
    /// Who comes in.
    pub connect: Vec<UserId>,
    /// Who goes.
    pub disconnect: Vec<UserId>,
    /// Who is an admin of it from now on, by name; nobody else is. Names of who is not in the group are passed over.
    pub admins: Option<Vec<String>>,
    /// What the hub keeps for clients: these fields are written over.
    pub attributes: Map<String, Value>,
}

impl Hub {
    /// The group that everyone is in. It is made with the hub ([`Hub::prepare`]).
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn everyone(&self) -> Result<Group> {
        let found = self.store.read().group_by_name(EVERYONE).await?;
        found.ok_or_else(|| HubError::internal("the group `everyone` is missing"))
    }

    /// Makes what a hub needs in its database to begin with.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn prepare(&self) -> Result<()> {
        if self.store.read().group_by_name(EVERYONE).await?.is_some() {
            return Ok(());
        }
        let writer = self.store.write().await?;
        if writer.group_by_name(EVERYONE).await?.is_none() {
            let now = self.clock.now();
            let group = Group {
                id: GroupId::new(random::identifier()),
                name: EVERYONE.to_owned(),
                display_name: "Everyone".to_owned(),
                attributes: json!({}),
                created_at: now,
                updated_at: now,
            };
            writer.insert_group(&group).await?;
            writer.commit().await?;
        }
        Ok(())
    }

    /// The actor's own groups, by name; `everyone` is not among them.
    ///
    /// # Errors
    /// Not authenticated.
    pub async fn own_groups(&self, actor: &Actor) -> Result<Vec<Group>> {
        actor.may(Operation::ReadMe, actor.standing())?;
        let account = actor.signed_in()?;
        let groups = self.store.read().groups_of(&account.id).await?;
        Ok(groups.into_iter().map(|(group, _)| group).collect())
    }

    /// Groups, by name. `everyone` is among them.
    ///
    /// # Errors
    /// Not allowed for others than admins.
    pub async fn groups(&self, actor: &Actor, filter: &GroupFilter, page: Page) -> Result<Listed<Group>> {
        actor.may(Operation::ListGroups, actor.standing())?;
        Ok(self.store.read().groups(filter, page).await?)
    }

    /// A group.
    ///
    /// # Errors
    /// Not found, also for groups that the actor is not in.
    pub async fn group(&self, actor: &Actor, id: &GroupId) -> Result<Group> {
        let found = self.store.read().group(id).await?.ok_or_else(|| not_found(id))?;
        may_read(actor, &found)?;
        Ok(found)
    }

    /// The group with this name.
    ///
    /// # Errors
    /// Not found, also for groups that the actor is not in.
    pub async fn group_by_name(&self, actor: &Actor, name: &str) -> Result<Group> {
        let missing = || HubError::not_found("group", name);
        let found = self.store.read().group_by_name(name).await?;
        if matches!(actor, Actor::Anonymous { .. }) {
            return Err(HubError::not_authenticated());
        }
        let found = found.ok_or_else(missing)?;
        may_read(actor, &found).map_err(|_| missing())?;
        Ok(found)
    }

    /// Who is in a group, by name; of `everyone`: everyone, for admins.
    ///
    /// # Errors
    /// Not found, also for groups that the actor is not in.
    pub async fn members(&self, actor: &Actor, id: &GroupId) -> Result<Vec<Member>> {
        let group = self.group(actor, id).await?;
        let reader = self.store.read();
        if group.name != EVERYONE {
            return Ok(reader.members(id).await?);
        }
        if actor.standing() < Operation::ListUsers.needs() {
            return Ok(Vec::new());
        }
        let everyone = reader.users(&UserFilter::default(), Page::ALL).await?;
        Ok(everyone.rows.into_iter().map(|user| Member { user, is_admin: false }).collect())
    }

    /// Makes a group.
    ///
    /// # Errors
    /// Not allowed for others than admins; a name that is taken or makes no sense; a member who does not exist.
    pub async fn create_group(&self, actor: &Actor, new: NewGroup) -> Result<Group> {
        actor.may(Operation::ManageGroups, actor.standing())?;
        let name = checked_name(&new.name)?;
        let display_name = checked_display_name(new.display_name.as_deref().unwrap_or_default(), &name)?;
        let now = self.clock.now();
        let group = Group {
            id: GroupId::new(random::identifier()),
            name,
            display_name,
            attributes: Value::Object(new.attributes),
            created_at: now,
            updated_at: now,
        };
        let writer = self.store.write().await?;
        writer.insert_group(&group).await.map_err(|error| match error {
            imagewright_store::StoreError::Taken => {
                let message =
                    format!("There is a group {}, or one whose name looks like it, already", group.name);
                HubError::new(Kind::Conflict, message)
            }
            other => other.into(),
        })?;
        let change = GroupChange { connect: new.members, admins: Some(new.admins), ..GroupChange::default() };
        change_members(&writer, &group.id, &change).await?;
        let detail = json!({ "name": group.name });
        self.note(&writer, actor, "group.create", ("group", group.id.as_str()), Some(&group.id), detail)
            .await?;
        writer.commit().await?;
        Ok(group)
    }

    /// Changes a group. Its admins change who is in it and the name that is shown; all else is the hub's admins'.
    ///
    /// # Errors
    /// Not allowed, not found; a member who does not exist.
    pub async fn update_group(&self, actor: &Actor, id: &GroupId, change: GroupChange) -> Result<Group> {
        let writer = self.store.write().await?;
        let found = writer.group(id).await?;
        let standing = found.as_ref().map_or(actor.standing(), |group| standing(actor, group));
        actor.may_on(Operation::ManageMembers, Operation::ReadGroup, standing, || not_found(id))?;
        let mut group = found.ok_or_else(|| not_found(id))?;
        if !change.attributes.is_empty() {
            actor.may(Operation::ManageGroups, standing)?;
        }
        if group.name == EVERYONE && (!change.connect.is_empty() || !change.disconnect.is_empty()) {
            return Err(HubError::invalid(FieldProblem::new(
                "users",
                "everyone is in this group, always",
                "",
            )));
        }
        if let Some(display_name) = &change.display_name {
            group.display_name = checked_display_name(display_name, &group.name)?;
        }
        merge(&mut group.attributes, change.attributes.clone());
        group.updated_at = self.clock.now();
        writer.update_group(&group).await?;
        change_members(&writer, id, &change).await?;
        let detail = json!({
            "name": group.name, "joined": change.connect, "left": change.disconnect, "admins": change.admins,
        });
        self.note(&writer, actor, "group.update", ("group", id.as_str()), Some(id), detail).await?;
        writer.commit().await?;
        Ok(group)
    }

    /// Deletes a group, unless it owns images: the error names them.
    ///
    /// # Errors
    /// Not allowed for others than admins; not found; in use.
    pub async fn delete_group(&self, actor: &Actor, id: &GroupId) -> Result<Group> {
        actor.may(Operation::ManageGroups, actor.standing())?;
        let writer = self.store.write().await?;
        let group = writer.group(id).await?.ok_or_else(|| not_found(id))?;
        if group.name == EVERYONE {
            return Err(HubError::new(Kind::InUse, "Everyone is in this group: it cannot be deleted"));
        }
        let owned = ImageQuery { owner: ImageOwner::Groups(vec![id.clone()]), ..ImageQuery::default() };
        let owned = writer.images(&owned, Page { offset: 0, limit: NAMED_IMAGES }).await?;
        if owned.total > 0 {
            let mut names: Vec<String> = owned.rows.iter().map(|image| image.name.to_string()).collect();
            if owned.total > NAMED_IMAGES {
                names.push(format!("and {} more", owned.total - NAMED_IMAGES));
            }
            let message = format!("The group {} owns images: {}", group.name, names.join(", "));
            return Err(HubError::new(Kind::InUse, message).with_hint("delete the images first"));
        }
        writer.delete_group(id).await?;
        let detail = json!({ "name": group.name });
        self.note(&writer, actor, "group.delete", ("group", id.as_str()), Some(id), detail).await?;
        writer.commit().await?;
        Ok(group)
    }
}

fn not_found(id: &GroupId) -> HubError {
    HubError::not_found("group", id.as_str())
}

/// Everyone is a member of `everyone`.
fn standing(actor: &Actor, group: &Group) -> Standing {
    match actor.standing_in(&group.id) {
        Standing::SignedIn if group.name == EVERYONE => Standing::Member,
        other => other,
    }
}

fn may_read(actor: &Actor, group: &Group) -> Result<()> {
    let standing = standing(actor, group);
    actor.may_on(Operation::ReadGroup, Operation::ReadGroup, standing, || not_found(&group.id))
}

/// `PrimeHub`'s rule: letters, digits, `-` and `_`, beginning and ending with a letter or digit.
fn checked_name(name: &str) -> Result<String> {
    let is_good = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    let ends = |character: Option<char>| character.is_some_and(|character| character.is_ascii_alphanumeric());
    let name = name.trim();
    if name.len() > LONGEST
        || !name.chars().all(is_good)
        || !ends(name.chars().next())
        || !ends(name.chars().next_back())
    {
        let message = format!(
            "a group's name has 1 to {LONGEST} letters, digits, `-`, `_` and `.`, and begins and ends with a letter or digit"
        );
        return Err(HubError::invalid(FieldProblem::new("name", message, "write one like `data-science`")));
    }
    Ok(name.to_owned())
}

fn checked_display_name(display_name: &str, name: &str) -> Result<String> {
    let display_name = display_name.trim();
    if display_name.chars().count() > LONGEST_SHOWN || display_name.chars().any(char::is_control) {
        let message = format!("a display name has at most {LONGEST_SHOWN} characters, and no line breaks");
        return Err(HubError::invalid(FieldProblem::new("displayName", message, "write a shorter one")));
    }
    Ok(if display_name.is_empty() { name } else { display_name }.to_owned())
}

async fn change_members(writer: &Writer, group: &GroupId, change: &GroupChange) -> Result<()> {
    let before = writer.members(group).await?;
    for user in &change.connect {
        if writer.user(user).await?.is_none() {
            return Err(HubError::not_found("user", user.as_str()));
        }
        // Who is in it already stays as what that is.
        if !before.iter().any(|member| member.user.id == *user) {
            writer.set_member(group, user, false).await?;
        }
    }
    for user in &change.disconnect {
        writer.remove_member(group, user).await?;
    }
    let Some(admins) = &change.admins else { return Ok(()) };
    for member in writer.members(group).await? {
        let is_admin = admins.iter().any(|name| name.trim().eq_ignore_ascii_case(&member.user.username));
        if is_admin != member.is_admin {
            writer.set_member(group, &member.user.id, is_admin).await?;
        }
    }
    Ok(())
}
