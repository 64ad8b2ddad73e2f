//! What clients say of a group.

use async_graphql::{ID, InputObject};
use imagewright_store::groups::GroupFilter;
use imagewright_store::{GroupId, UserId};

use super::super::users::UserWhereUniqueInput;
use super::attributes::GroupAttributesInput;

/// The group that is meant.
#[derive(InputObject)]
pub(in super::super) struct GroupWhereUniqueInput {
    /// Its identifier.
    pub(in super::super) id: ID,
}

/// Groups of something new.
#[derive(InputObject, Default)]
pub(in super::super) struct GroupCreateManyInput {
    /// These.
    pub(in super::super) connect: Option<Vec<GroupWhereUniqueInput>>,
}

/// Groups to be added and taken away. Both are done once, however often they are asked for.
#[derive(InputObject, Default)]
pub(in super::super) struct GroupUpdateManyInput {
    /// To be added.
    pub(in super::super) connect: Option<Vec<GroupWhereUniqueInput>>,
    /// To be taken away.
    pub(in super::super) disconnect: Option<Vec<GroupWhereUniqueInput>>,
}

/// The identifiers of groups.
pub(in super::super) fn ids(groups: Option<Vec<GroupWhereUniqueInput>>) -> Vec<GroupId> {
    groups.unwrap_or_default().into_iter().map(|group| GroupId::new(group.id.0)).collect()
}

/// Users of a new group.
#[derive(InputObject, Default)]
pub(super) struct UserCreateManyInput {
    /// These.
    pub(super) connect: Option<Vec<UserWhereUniqueInput>>,
}

/// Users to be added and taken away.
#[derive(InputObject, Default)]
pub(super) struct UserUpdateManyInput {
    /// To be added.
    pub(super) connect: Option<Vec<UserWhereUniqueInput>>,
    /// To be taken away.
    pub(super) disconnect: Option<Vec<UserWhereUniqueInput>>,
}

/// The identifiers of users.
pub(super) fn user_ids(users: Option<Vec<UserWhereUniqueInput>>) -> Vec<UserId> {
    users.unwrap_or_default().into_iter().map(|user| UserId::new(user.id.0)).collect()
}

/// A group to be made.
#[derive(InputObject)]
pub(super) struct GroupCreateInput {
    /// Name.
    pub(super) name: String,
    /// Name that is shown; the name without one.
    pub(super) display_name: Option<String>,
    /// Who is in it.
    pub(super) users: Option<UserCreateManyInput>,
    /// The names of those of them who are its admins, joined by commas.
    pub(super) admins: Option<String>,
    #[graphql(flatten)]
    pub(super) attributes: GroupAttributesInput,
}

/// What of a group changes; fields that are left out stay.
#[derive(InputObject)]
pub(super) struct GroupUpdateInput {
    /// Must be what it is: the name is fixed.
    pub(super) name: Option<String>,
    /// Name that is shown.
    pub(super) display_name: Option<String>,
    /// Who comes in and who goes.
    pub(super) users: Option<UserUpdateManyInput>,
    /// The names of those who are its admins from now on, joined by commas. Who is not in the group is passed over.
    pub(super) admins: Option<String>,
    #[graphql(flatten)]
    pub(super) attributes: GroupAttributesInput,
}

/// Names that are joined by commas, as clients send them: with empty ones among them, and some more than once.
pub(super) fn names(joined: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in joined.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if !names.iter().any(|other| other == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// What a list of groups is narrowed to; all that is given holds.
#[derive(InputObject, Default)]
pub(super) struct GroupWhereInput {
    /// This group.
    id: Option<ID>,
    /// The keyword is in the name or in the name that is shown, whatever its case.
    search: Option<String>,
    /// The name has this in it.
    #[graphql(name = "name_contains")]
    name_contains: Option<String>,
    /// The name that is shown has this in it.
    #[graphql(name = "displayName_contains")]
    pub(super) display_name_contains: Option<String>,
}

impl GroupWhereInput {
    /// What the database can tell.
    pub(super) fn filter(&self) -> GroupFilter {
        GroupFilter {
            ids: self.id.as_ref().map(|id| vec![GroupId::new(id.0.clone())]),
            search: self.search.clone().filter(|keyword| !keyword.trim().is_empty()),
            name_contains: self.name_contains.clone(),
        }
    }
}

/// The order of a list of groups: the first field that is given decides, `asc` or `desc`.
#[derive(InputObject)]
pub(super) struct GroupOrderByInput {
    /// By name.
    name: Option<String>,
    /// By the name that is shown, whatever its case.
    display_name: Option<String>,
    /// By GB of the shared volume.
    shared_volume_capacity: Option<String>,
    /// By cores that a user may have.
    quota_cpu: Option<String>,
    /// By GPUs that a user may have.
    quota_gpu: Option<String>,
    /// By cores that the group may have.
    project_quota_cpu: Option<String>,
    /// By GPUs that the group may have.
    project_quota_gpu: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admins_come_with_commas_and_twice() {
        assert_eq!(names(",alice"), ["alice"]);
        assert_eq!(names("alice, bob,alice,"), ["alice", "bob"]);
        assert_eq!(names(""), Vec::<String>::new());
    }
}
