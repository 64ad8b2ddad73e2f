//! `imagewright serve`.

use std::process::ExitCode;

use imagewright_engine::error::{BuildError, ErrorKind};
use imagewright_hub::config::HubConfig;
use imagewright_hub::service::Service;
use tokio::net::TcpListener;

use super::{configuration, finish};
use crate::arguments::ServeArguments;
use crate::display::{error_line, out};
use crate::signals::cancelled_by_signals;

/// Runs the hub until it is told to end.
pub(crate) async fn run(arguments: ServeArguments) -> ExitCode {
    if arguments.print_config {
        out(HubConfig::default_toml().trim_end());
        return ExitCode::SUCCESS;
    }
    finish(Box::pin(attempt(arguments)).await)
}

async fn attempt(arguments: ServeArguments) -> Result<(), BuildError> {
    let shutdown = cancelled_by_signals()
        .map_err(|error| BuildError::internal("signals cannot be waited for").with_source(error))?;
    let mut config = configuration(&arguments.hub)?;
    if let Some(listen) = arguments.listen {
        config.listen = listen;
    }
    let program = std::env::current_exe()
        .map_err(|error| BuildError::internal("the program does not know where it is").with_source(error))?;
    // Before anything is started: a port that is taken is told at once.
    let address = config.listen;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        BuildError::new(ErrorKind::Internal, format!("nobody can be answered on {address}: {error}"))
            .with_next_step("choose another address and port with --listen")
    })?;
    let service = Service::start(config, program, |name| std::env::var_os(name)).await.map_err(|error| {
        BuildError::new(ErrorKind::Internal, error.to_string()).with_next_step(error.fix()).with_source(error)
    })?;
    let address = listener.local_addr().unwrap_or(address);
    error_line(&service.describe_registry());
    error_line(&format!("the hub listens on http://{address}"));
    service.run(listener, shutdown).await.map_err(|error| {
        BuildError::new(ErrorKind::Internal, format!("the hub has ended: {error}"))
            .with_next_step("start it again; IMAGEWRIGHT_LOG=info tells more")
    })
}
