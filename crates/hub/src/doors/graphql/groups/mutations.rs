//! Making, changing and deleting groups.

use async_graphql::{Context, Object, Result};
use imagewright_store::GroupId;

use super::super::asking::{Asking as _, filled, problem};
use super::input::{GroupCreateInput, GroupUpdateInput, GroupWhereUniqueInput, names, user_ids};
use super::object::GroupObject;
use crate::app::groups::{GroupChange, NewGroup};

/// Mutations of groups.
#[derive(Default)]
pub(in super::super) struct GroupMutations;

#[Object]
impl GroupMutations {
    /// Makes a group.
    async fn create_group(&self, ctx: &Context<'_>, data: GroupCreateInput) -> Result<GroupObject> {
        let new = NewGroup {
            name: data.name,
            display_name: filled(data.display_name),
            members: user_ids(data.users.and_then(|users| users.connect)),
            admins: names(data.admins.as_deref().unwrap_or_default()),
            attributes: data.attributes.given(),
        };
        Ok(GroupObject::plain(ctx.hub().create_group(ctx.actor(), new).await?))
    }

    /// Changes a group. Its admins may change who is in it and the name that is shown, admins everything.
    async fn update_group(
        &self,
        ctx: &Context<'_>,
        data: GroupUpdateInput,
        r#where: GroupWhereUniqueInput,
    ) -> Result<Option<GroupObject>> {
        let (hub, actor) = (ctx.hub(), ctx.actor());
        let id = GroupId::new(r#where.id.0);
        if let Some(name) = data.name
            && hub.group(actor, &id).await?.name != name
        {
            return Err(problem("name", "the name of a group is fixed", "change `displayName`").into());
        }
        let users = data.users.unwrap_or_default();
        let change = GroupChange {
            display_name: filled(data.display_name),
            connect: user_ids(users.connect),
            disconnect: user_ids(users.disconnect),
            admins: data.admins.as_deref().map(names),
            attributes: data.attributes.given(),
        };
        Ok(Some(GroupObject::plain(hub.update_group(actor, &id, change).await?)))
    }

    /// Deletes a group that owns no images.
    async fn delete_group(
        &self,
        ctx: &Context<'_>,
        r#where: GroupWhereUniqueInput,
    ) -> Result<Option<GroupObject>> {
        let group = ctx.hub().delete_group(ctx.actor(), &GroupId::new(r#where.id.0)).await?;
        Ok(Some(GroupObject::plain(group)))
    }
}
