//! `imagewright user`.

use std::io::Read as _;
use std::process::ExitCode;

use imagewright_engine::error::{BuildError, ErrorKind};
use imagewright_hub::Hub;
use imagewright_hub::access::Actor;
use imagewright_hub::app::users::{NewUser, UserChange};
use imagewright_store::Page;
use imagewright_store::users::{User, UserFilter};
use secrecy::{ExposeSecret as _, SecretString};

use super::{configuration, finish, open, shown};
use crate::arguments::{HubArguments, UserAction};
use crate::display::{out, table};

/// Longest password that is read, in bytes.
const PASSWORD_SIZE_LIMIT: u64 = 4096;

/// Looks after users.
pub(crate) async fn run(action: UserAction, arguments: &HubArguments) -> ExitCode {
    finish(attempt(action, arguments).await)
}

async fn attempt(action: UserAction, arguments: &HubArguments) -> Result<(), BuildError> {
    let hub = open(configuration(arguments)?).await?;
    let actor = Actor::Machine;
    match action {
        UserAction::Add { name, admin, email, password_stdin } => {
            let (password, is_made) = password(password_stdin)?;
            let new = NewUser {
                username: name,
                email,
                is_admin: admin,
                is_enabled: true,
                password: Some(password.clone()),
                ..NewUser::default()
            };
            hub.create_user(&actor, new).await.map_err(shown)?;
            show_password(&password, is_made);
        }
        UserAction::List => {
            let users = hub.users(&actor, &UserFilter::default(), Page::ALL).await.map_err(shown)?;
            let rows = users.rows.iter().map(|user| {
                let state = if user.is_enabled { "" } else { "disabled" };
                let role = if user.is_admin { "admin" } else { "" };
                [user.username.as_str(), user.email.as_deref().unwrap_or_default(), role, state]
            });
            table(["NAME", "EMAIL", "ROLE", "STATE"], rows);
        }
        UserAction::Password { name, password_stdin } => {
            let user = find(&hub, &name).await?;
            let (password, is_made) = password(password_stdin)?;
            hub.reset_password(&actor, &user.id, &password, false).await.map_err(shown)?;
            show_password(&password, is_made);
        }
        UserAction::Disable { name } => set_enabled(&hub, &name, false).await?,
        UserAction::Enable { name } => set_enabled(&hub, &name, true).await?,
        UserAction::Remove { name } => {
            let user = find(&hub, &name).await?;
            hub.delete_user(&actor, &user.id).await.map_err(shown)?;
        }
    }
    hub.store.clone().close().await;
    Ok(())
}

/// The user with a name.
pub(super) async fn find(hub: &Hub, name: &str) -> Result<User, BuildError> {
    hub.user_by_name(&Actor::Machine, name).await.map_err(shown)
}

async fn set_enabled(hub: &Hub, name: &str, is_enabled: bool) -> Result<(), BuildError> {
    let user = find(hub, name).await?;
    let change = UserChange { is_enabled: Some(is_enabled), ..UserChange::default() };
    hub.update_user(&Actor::Machine, &user.id, change).await.map_err(shown)?;
    Ok(())
}

/// The password on standard input, or one that is made; and whether it was made.
fn password(from_input: bool) -> Result<(SecretString, bool), BuildError> {
    if !from_input {
        return Ok((imagewright_hub::generated_password(), true));
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().take(PASSWORD_SIZE_LIMIT).read_to_string(&mut text);
    read.map_err(|error| {
        BuildError::new(ErrorKind::SpecInvalid, format!("no password can be read: {error}"))
            .with_next_step("write it to standard input, in one line")
    })?;
    let line = text.lines().next().unwrap_or_default().to_owned();
    Ok((SecretString::from(line), false))
}

/// Prints a password that was made, alone on standard output: it is seen now and never again.
fn show_password(password: &SecretString, is_made: bool) {
    if is_made {
        out(password.expose_secret());
    }
}
