//! `imagewright token`.

use std::process::ExitCode;

use imagewright_engine::error::{BuildError, ErrorKind};
use imagewright_hub::access::Actor;
use imagewright_store::TokenId;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;

use super::users::find;
use super::{configuration, finish, open, shown};
use crate::arguments::{HubArguments, TokenAction};
use crate::display::{out, table};

/// Looks after API tokens.
pub(crate) async fn run(action: TokenAction, arguments: &HubArguments) -> ExitCode {
    finish(attempt(action, arguments).await)
}

async fn attempt(action: TokenAction, arguments: &HubArguments) -> Result<(), BuildError> {
    let hub = open(configuration(arguments)?).await?;
    let actor = Actor::Machine;
    match action {
        TokenAction::Create { user, name, days } => {
            let user = find(&hub, &user).await?;
            let expires_at = days.map(|days| end_in(hub.clock.now(), days)).transpose()?;
            let made = hub.create_token(&actor, Some(&user.id), &name, expires_at).await.map_err(shown)?;
            // Alone on standard output, for scripts; it is seen now and never again.
            out(made.1.expose_secret());
        }
        TokenAction::List { user } => {
            let user = find(&hub, &user).await?;
            let tokens = hub.tokens_of(&actor, &user.id).await.map_err(shown)?;
            let rows = tokens.iter().map(|token| {
                let moment = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
                [token.id.to_string(), token.name.clone(), moment(token.expires_at), moment(token.used_at)]
            });
            table(["ID", "NAME", "EXPIRES", "LAST USED"], rows);
        }
        TokenAction::Revoke { id } => {
            hub.revoke_token(&actor, &TokenId::new(id)).await.map_err(shown)?;
        }
    }
    hub.store.clone().close().await;
    Ok(())
}

fn end_in(now: Timestamp, days: u32) -> Result<Timestamp, BuildError> {
    now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).map_err(|_| {
        BuildError::new(ErrorKind::SpecInvalid, format!("{days} days are more than any calendar has"))
            .with_next_step("choose fewer, or leave --days out for a token without an end")
    })
}
