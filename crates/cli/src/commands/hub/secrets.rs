//! `imagewright secrets`.

use std::process::ExitCode;

use imagewright_engine::error::BuildError;

use super::{configuration, finish, open, shown};
use crate::arguments::{HubArguments, SecretsAction};
use crate::display::out;

/// Looks after the key of the secrets.
pub(crate) async fn run(action: SecretsAction, arguments: &HubArguments) -> ExitCode {
    finish(attempt(action, arguments).await)
}

async fn attempt(action: SecretsAction, arguments: &HubArguments) -> Result<(), BuildError> {
    let hub = open(configuration(arguments)?).await?;
    match action {
        SecretsAction::RotateKey => {
            let count = hub.rotate_key().await.map_err(shown)?;
            out(&format!("{count} secret{} sealed with a new key", if count == 1 { "" } else { "s" }));
        }
    }
    hub.store.clone().close().await;
    Ok(())
}
