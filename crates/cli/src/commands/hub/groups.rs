//! `imagewright group`.

use std::process::ExitCode;

use imagewright_engine::error::BuildError;
use imagewright_hub::Hub;
use imagewright_hub::access::Actor;
use imagewright_hub::app::groups::{GroupChange, NewGroup};
use imagewright_store::Page;
use imagewright_store::groups::{Group, GroupFilter};

use super::users::find as find_user;
use super::{configuration, finish, open, shown};
use crate::arguments::{GroupAction, HubArguments};
use crate::display::table;

/// Looks after groups.
pub(crate) async fn run(action: GroupAction, arguments: &HubArguments) -> ExitCode {
    finish(attempt(action, arguments).await)
}

async fn attempt(action: GroupAction, arguments: &HubArguments) -> Result<(), BuildError> {
    let hub = open(configuration(arguments)?).await?;
    let actor = Actor::Machine;
    match action {
        GroupAction::Add { name, display_name } => {
            let new = NewGroup { name, display_name, ..NewGroup::default() };
            hub.create_group(&actor, new).await.map_err(shown)?;
        }
        GroupAction::List { name: None } => {
            let groups = hub.groups(&actor, &GroupFilter::default(), Page::ALL).await.map_err(shown)?;
            let rows = groups.rows.iter().map(|group| [group.name.as_str(), group.display_name.as_str()]);
            table(["NAME", "DISPLAY NAME"], rows);
        }
        GroupAction::List { name: Some(name) } => {
            let group = find(&hub, &name).await?;
            let members = hub.members(&actor, &group.id).await.map_err(shown)?;
            let rows = members.iter().map(|member| {
                [member.user.username.as_str(), if member.is_admin { "group admin" } else { "member" }]
            });
            table(["NAME", "ROLE"], rows);
        }
        GroupAction::Join { group, user, admin } => {
            let group = find(&hub, &group).await?;
            let user = find_user(&hub, &user).await?;
            let members = hub.members(&actor, &group.id).await.map_err(shown)?;
            let mut admins: Vec<String> = members
                .into_iter()
                .filter(|member| member.is_admin && member.user.id != user.id)
                .map(|member| member.user.username)
                .collect();
            if admin {
                admins.push(user.username);
            }
            let change =
                GroupChange { connect: vec![user.id], admins: Some(admins), ..GroupChange::default() };
            hub.update_group(&actor, &group.id, change).await.map_err(shown)?;
        }
        GroupAction::Leave { group, user } => {
            let group = find(&hub, &group).await?;
            let user = find_user(&hub, &user).await?;
            let change = GroupChange { disconnect: vec![user.id], ..GroupChange::default() };
            hub.update_group(&actor, &group.id, change).await.map_err(shown)?;
        }
        GroupAction::Remove { name } => {
            let group = find(&hub, &name).await?;
            hub.delete_group(&actor, &group.id).await.map_err(shown)?;
        }
    }
    hub.store.clone().close().await;
    Ok(())
}

async fn find(hub: &Hub, name: &str) -> Result<Group, BuildError> {
    hub.group_by_name(&Actor::Machine, name).await.map_err(shown)
}
