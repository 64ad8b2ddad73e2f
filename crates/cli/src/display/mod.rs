//! Showing events: JSON lines for programs, lines for logs.

use std::error::Error as StdError;
use std::io::Write as _;

use imagewright_engine::build::PlannedImage;
use imagewright_engine::error::BuildError;
use imagewright_engine::event::Event;

use crate::arguments::EventFormat;

/// Shows the events of one build.
pub(crate) struct Display {
    format: EventFormat,
}

impl Display {
    pub(crate) fn new(format: EventFormat) -> Self {
        Self { format }
    }

    /// Shows one event.
    pub(crate) fn show(&self, event: &Event) {
        match self.format {
            EventFormat::Json => {
                if let Ok(line) = serde_json::to_string(event) {
                    out(&line);
                }
            }
            EventFormat::Auto => error_line(&format!("{event:?}")),
        }
    }

    /// Shows what a dry run found.
    pub(crate) fn planned(&self, planned: &[PlannedImage]) {
        if let Ok(text) = serde_json::to_string_pretty(planned) {
            out(&text);
        }
    }
}

/// Writes a line to standard output. Nobody reads it any more: nothing to be done.
pub(crate) fn out(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Writes a line to standard error.
pub(crate) fn error_line(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Shows an error with what explains it.
pub(crate) fn error(error: &BuildError) {
    error_line(&format!("error: {error}"));
    for line in error.explanation().into_iter().flat_map(str::lines) {
        error_line(&format!("  {line}"));
    }
    if let Some(next_step) = error.next_step() {
        error_line(&format!("next: {next_step}"));
    }
}

/// An error and all its causes, for the log.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// A number of bytes for people: `1.4 GB`.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::DecimalBytes(count).to_string()
}
