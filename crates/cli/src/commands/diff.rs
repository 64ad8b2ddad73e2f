//! `imagewright diff`.

use std::process::ExitCode;

use imagewright_engine::error::BuildError;
use imagewright_engine::inspect::{ImageDifference, difference};

use super::inspect::{Inspection, read};
use crate::arguments::DiffArguments;
use crate::display::{self, ReadingDisplay};

/// Shows what tells two images apart.
pub(crate) async fn run(arguments: &DiffArguments) -> ExitCode {
    let reading = ReadingDisplay::new();
    let outcome = compare(arguments, &reading).await;
    reading.finish();
    match outcome {
        Ok(difference) => {
            if arguments.json {
                display::json(&difference);
            } else {
                display::show_difference(&difference);
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(error = display::chain(&error), "the images cannot be compared");
            display::show_error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

async fn compare(arguments: &DiffArguments, reading: &ReadingDisplay) -> Result<ImageDifference, BuildError> {
    let inspection = |reference| Inspection {
        reference,
        platform: arguments.platform.as_ref(),
        registry: &arguments.registry,
        owner: arguments.owner.as_ref(),
        cache_dir: arguments.cache_dir.as_deref(),
    };
    let from = read(&inspection(&arguments.from), reading).await?;
    let to = read(&inspection(&arguments.to), reading).await?;
    Ok(difference(&from, &to))
}
