//! `imagewright build`.

use std::process::ExitCode;
use std::sync::Arc;

use imagewright_engine::build::{BuildContext, build, dry_run};
use imagewright_engine::cache::Cache;
use imagewright_engine::error::BuildError;
use imagewright_engine::event::Events;
use imagewright_engine::publish::PublishGate;

use crate::arguments::BuildArguments;
use crate::configuration::Configuration;
use crate::display::{self, Display};
use crate::input;
use crate::registry::RegistryAccess;
use crate::signals::cancelled_by_signals;
use crate::supervisor::Supervisor;

/// Builds, shows what happens, and gives the documented exit code.
pub(crate) async fn run(arguments: BuildArguments) -> ExitCode {
    let display = Arc::new(Display::new(arguments.events));
    let shown = Arc::clone(&display);
    let events = Events::new(move |event| shown.show(&event));
    match Box::pin(attempt(&arguments, events, &display)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = display::chain(&error), "the build failed");
            display.failed(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

async fn attempt(arguments: &BuildArguments, events: Events, display: &Display) -> Result<(), BuildError> {
    let cancellation = cancelled_by_signals()
        .map_err(|error| BuildError::internal("signals cannot be waited for").with_source(error))?;
    let configuration = Configuration::read(arguments.config.as_deref())?;
    let (mut plan, publish_gate) = if arguments.supervised {
        let supervisor = Supervisor::of_build(arguments, &cancellation).await?;
        (input::plan_of_json(&supervisor.plan, arguments)?, supervisor.publish_gate)
    } else {
        (input::plan(arguments)?, PublishGate::open())
    };
    plan.conda.on_machine(configuration.conda());
    let context = BuildContext {
        cache: Cache::open(&arguments.cache_dir.clone().unwrap_or_else(Cache::default_root))?,
        registry: Arc::new(RegistryAccess::of_plan(&plan).client()?),
        layer_registry: RegistryAccess::of_layers(&plan)?,
        events,
        cancellation,
        publish_gate,
        sandbox: configuration.sandbox(),
    };
    if arguments.dry_run {
        let planned = dry_run(&plan, &context).await?;
        display.planned(&planned);
    } else {
        Box::pin(build(&plan, &context)).await?;
    }
    Ok(())
}
