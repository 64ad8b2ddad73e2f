//! The commands that look after a hub. They work on its database, whether or not the hub runs.

pub(crate) mod clean_up;
pub(crate) mod groups;
pub(crate) mod secrets;
pub(crate) mod serve;
pub(crate) mod tokens;
pub(crate) mod users;

use std::process::ExitCode;

use imagewright_engine::error::{BuildError, ErrorKind};
use imagewright_hub::config::{ConfigError, HubConfig};
use imagewright_hub::error::{HubError, Kind};
use imagewright_hub::{Clock, Hub, OpenError};

use crate::arguments::HubArguments;
use crate::display;

/// The configuration that the options, a file and the variables give, in this order of strength.
pub(crate) fn configuration(arguments: &HubArguments) -> Result<HubConfig, BuildError> {
    let mut config =
        HubConfig::load(arguments.config.as_deref(), std::env::vars_os()).map_err(misconfigured)?;
    if let Some(folder) = &arguments.data_dir {
        config.data_dir.clone_from(folder);
    }
    Ok(config)
}

/// The hub that is configured.
pub(crate) async fn open(config: HubConfig) -> Result<Hub, BuildError> {
    Hub::open(config, Clock::of_machine()).await.map_err(|error| {
        let next_step = match &error {
            OpenError::Folder { .. } => "name a folder that you may write, with --data-dir",
            OpenError::Store(_) => "check database_url, and that the server of the database runs",
            OpenError::Vault(_) | OpenError::Prepare(_) => "correct this, then run the command again",
        };
        BuildError::new(ErrorKind::Internal, error.to_string()).with_next_step(next_step).with_source(error)
    })
}

fn misconfigured(error: ConfigError) -> BuildError {
    BuildError::new(ErrorKind::SpecInvalid, format!("{}: {}", error.place, error.message))
        .with_next_step(error.fix)
}

/// An error of the hub as the command line shows it.
pub(crate) fn shown(error: HubError) -> BuildError {
    let kind = match error.kind() {
        Kind::NotFound => ErrorKind::NotFound,
        Kind::NotAuthenticated | Kind::NotAllowed => ErrorKind::Unauthorized,
        Kind::Unavailable => ErrorKind::Unreachable,
        Kind::Timeout => ErrorKind::Timeout,
        Kind::TooLarge => ErrorKind::TooLarge,
        Kind::Internal => ErrorKind::Internal,
        Kind::Conflict | Kind::InUse | Kind::Invalid | Kind::TooMany => ErrorKind::SpecInvalid,
    };
    let shown = BuildError::new(kind, error.message().to_owned());
    let shown = match error.hint() {
        Some(hint) => shown.with_next_step(hint.to_owned()),
        None => shown,
    };
    shown.with_source(error)
}

/// The exit code of a command, after its error was shown.
pub(crate) fn finish(outcome: Result<(), BuildError>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = display::chain(&error), "the command failed");
            display::show_error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}
