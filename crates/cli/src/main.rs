//! The `imagewright` command.

mod arguments;
mod commands;
mod configuration;
mod display;
mod input;
mod registry;
mod signals;
mod supervisor;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;

use crate::arguments::{Arguments, Command};

/// How long threads may go on when the command has ended early. What they leave is swept by the next start.
const THREADS_END: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            display::error_line(&format!("the program cannot start its threads: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
        match arguments.command {
            Command::Build(build) => commands::build::run(*build).await,
            Command::Diff(diff) => commands::diff::run(&diff).await,
            Command::Inspect(inspect) => commands::inspect::run(&inspect).await,
            Command::Doctor(doctor) => commands::doctor::run(&doctor).await,
            Command::Cache(cache) => commands::cache::run(&cache),
            Command::Serve(serve) => commands::hub::serve::run(*serve).await,
            Command::CleanUp(hub) => commands::hub::clean_up::run(&hub).await,
            Command::User { action, hub } => commands::hub::users::run(action, &hub).await,
            Command::Group { action, hub } => commands::hub::groups::run(action, &hub).await,
            Command::Token { action, hub } => commands::hub::tokens::run(action, &hub).await,
            Command::Secrets { action, hub } => commands::hub::secrets::run(action, &hub).await,
        }
    });
    runtime.shutdown_timeout(THREADS_END);
    code
}

/// The log for those who look for a defect: off unless `IMAGEWRIGHT_LOG` says otherwise, on standard error.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("IMAGEWRIGHT_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
