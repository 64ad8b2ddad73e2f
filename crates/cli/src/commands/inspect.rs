//! `imagewright inspect`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use imagewright_engine::cache::Cache;
use imagewright_engine::error::BuildError;
use imagewright_engine::inspect::{ImageReport, InspectContext, Paper, inspect, paper};
use imagewright_engine::lock::{Lock, LockFormat};
use imagewright_spec::{Architecture, ImageReference, Owner, Platform};

use crate::arguments::{InspectArguments, LockForm, RegistryArguments};
use crate::display::{self, ReadingDisplay};
use crate::registry::RegistryAccess;
use crate::signals::cancelled_by_signals;

/// Shows what an image holds.
pub(crate) async fn run(arguments: &InspectArguments) -> ExitCode {
    let wanted = [(arguments.papers.lock, Paper::Lock), (arguments.papers.sbom, Paper::Bill)];
    if let Some((_, wanted)) = wanted.into_iter().find(|(is_wanted, _)| *is_wanted) {
        return print_paper(arguments, wanted).await;
    }
    let reading = ReadingDisplay::new();
    let outcome = report(arguments, &reading).await;
    reading.finish();
    match outcome {
        Ok(report) if arguments.json => {
            display::json(&report);
            ExitCode::SUCCESS
        }
        Ok(report) => {
            display::show_report(&report, arguments.all);
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(error = display::chain(&error), "the image cannot be inspected");
            display::show_error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// Prints a paper as it is in the registry.
async fn print_paper(arguments: &InspectArguments, wanted: Paper) -> ExitCode {
    let outcome = async {
        let registry = RegistryAccess::of_arguments(&arguments.registry).client()?;
        let platform = arguments.platform.clone().unwrap_or_else(own_platform);
        let paper = paper(&registry, &arguments.reference, &platform.into(), wanted).await?;
        let Some(form) = arguments.papers.format else { return Ok(paper) };
        let format = match form {
            LockForm::Conda => LockFormat::CondaExplicit,
            LockForm::Pylock => LockFormat::Pylock,
            LockForm::Apt => LockFormat::Apt,
        };
        Ok(Lock::from_bytes(&paper)?.export(format)?.into())
    };
    match outcome.await {
        Ok(bytes) => {
            display::raw(&bytes);
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(error = display::chain(&error), "the paper cannot be read");
            display::show_error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

async fn report(arguments: &InspectArguments, reading: &ReadingDisplay) -> Result<ImageReport, BuildError> {
    let inspection = Inspection {
        reference: &arguments.reference,
        platform: arguments.platform.as_ref(),
        registry: &arguments.registry,
        owner: arguments.owner.as_ref(),
        cache_dir: arguments.cache_dir.as_deref(),
    };
    read(&inspection, reading).await
}

/// One image to look into.
pub(super) struct Inspection<'arguments> {
    pub(super) reference: &'arguments ImageReference,
    pub(super) platform: Option<&'arguments Platform>,
    pub(super) registry: &'arguments RegistryArguments,
    pub(super) owner: Option<&'arguments Owner>,
    pub(super) cache_dir: Option<&'arguments Path>,
}

/// Reads what an image holds.
pub(super) async fn read(
    inspection: &Inspection<'_>,
    reading: &ReadingDisplay,
) -> Result<ImageReport, BuildError> {
    let cancellation = cancelled_by_signals()
        .map_err(|error| BuildError::internal("signals cannot be waited for").with_source(error))?;
    let context = InspectContext {
        cache: Cache::open(&inspection.cache_dir.map_or_else(Cache::default_root, Path::to_owned))?,
        owner: inspection.owner.cloned().unwrap_or_default(),
        registry: Arc::new(RegistryAccess::of_arguments(inspection.registry).client()?),
        events: reading.events(),
        cancellation,
    };
    let platform = inspection.platform.cloned().unwrap_or_else(own_platform);
    inspect(inspection.reference, &platform.into(), &context).await
}

/// The platform of this machine.
fn own_platform() -> Platform {
    Platform::new(if cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::Amd64 })
}
