//! Showing events: JSON lines for programs, a line that moves for people at a terminal, lines for logs.
//!
//! ```text
//! screen.rs   what the output goes to            style.rs   its colours
//! lively.rs   the moving line                    steps.rs   the lines of steps
//! summary.rs  what a finished build says         planned.rs what a dry run says
//! error.rs    what a failed one says             report.rs  what an image holds      reading.rs  while it is read
//! amount.rs   bytes, numbers and times           escape.rs  texts from outside, made safe
//! ```
//!
//! What a person reads goes to standard error; standard output has the result alone, for scripts.

pub(crate) mod amount;
mod difference;
mod error;
pub(crate) mod escape;
mod lively;
mod planned;
mod reading;
mod report;
mod screen;
mod steps;
mod style;
mod summary;

use std::error::Error as StdError;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};

use imagewright_engine::build::PlannedImage;
use imagewright_engine::error::{BuildError, ErrorKind};
use imagewright_engine::event::Event;
use imagewright_engine::inspect::{ImageDifference, ImageReport};
use serde::Serialize;

use self::lively::Lively;
pub(crate) use self::reading::ReadingDisplay;
pub(crate) use self::screen::Screen;
use crate::arguments::EventFormat;

/// Shows the events of one build.
pub(crate) struct Display {
    form: Form,
    /// The platform whose steps are shown, where there are several.
    platform: Mutex<Option<String>>,
}

enum Form {
    Json,
    Plain,
    Lively(Lively),
}

impl Display {
    /// A display on standard error, or of JSON lines on standard output.
    pub(crate) fn new(format: EventFormat) -> Self {
        let screen = Screen::of_standard_error();
        let form = match format {
            EventFormat::Json => Form::Json,
            EventFormat::Auto if screen.is_lively() && !is_logging() => Form::Lively(Lively::new(screen)),
            EventFormat::Auto => Form::Plain,
        };
        Self { form, platform: Mutex::new(None) }
    }

    /// Shows one event.
    pub(crate) fn show(&self, event: &Event) {
        match &self.form {
            Form::Json => json(event),
            Form::Plain => self.show_to_people(event, None),
            Form::Lively(lively) => self.show_to_people(event, Some(lively)),
        }
    }

    /// Shows what a dry run found.
    pub(crate) fn planned(&self, images: &[PlannedImage]) {
        /// The last of the JSON lines of a dry run.
        #[derive(Serialize)]
        #[serde(tag = "event", rename = "plan")]
        struct Plan<'images> {
            images: &'images [PlannedImage],
        }
        match self.form {
            Form::Json => json(&Plan { images }),
            _ => out_lines(&planned::lines(images)),
        }
    }

    /// Shows why the build failed.
    pub(crate) fn failed(&self, error: &BuildError) {
        match &self.form {
            Form::Json => json(&Event::from(error)),
            Form::Plain => show_error(error),
            Form::Lively(lively) => {
                // Whoever pressed Ctrl-C has the line as it was: the echo of the key keeps it from being taken away.
                if error.kind() == ErrorKind::Cancelled {
                    lively.finish();
                } else {
                    lively.fail();
                }
                show_error(error);
            }
        }
    }

    fn show_to_people(&self, event: &Event, lively: Option<&Lively>) {
        let screen = if lively.is_some() { Screen::of_standard_error() } else { Screen::PLAIN };
        let print = |line: &str| lively.map_or_else(|| error_line(line), |lively| lively.print(line));
        match event {
            Event::StepStarted { step, platform } => {
                if let Some(name) = self.changed_platform(platform.as_deref()) {
                    print(&screen.style.bold(&escape::one_line(&name)));
                }
                match lively {
                    Some(lively) => lively.start(*step, step.title()),
                    None => print(&format!("→ {}", step.title())),
                }
            }
            Event::StepFinished { step, seconds, detail } => {
                if let Some(lively) = lively {
                    lively.finish();
                }
                print(&steps::finished(*step, *seconds, detail, screen));
            }
            Event::Progress { step, done, total, unit } => {
                if let Some(lively) = lively {
                    lively.progress(*step, *done, *total, *unit);
                }
            }
            Event::Log { line } => {
                print(&screen.style.dim(&format!("  {}", screen.wrap(&escape::one_line(line), 2))));
            }
            Event::Output { line } => match lively {
                Some(lively) => lively.output(&escape::one_line(line)),
                None => print(&format!("  {}", escape::one_line(line))),
            },
            Event::Warning { message } => {
                let message = screen.wrap(&escape::one_line(message), "warning: ".len());
                print(&screen.style.yellow(&format!("warning: {message}")));
            }
            Event::Result(summary) => {
                error_lines(&summary::lines(summary, screen));
                out(&summary::pinned(summary));
            }
            // The first is for the supervisor alone; the error itself is at hand where the command ends, with more than
            // the event tells.
            Event::PublishRequested | Event::Error { .. } => {}
        }
    }

    /// The platform that a step is for, when another one was shown before.
    fn changed_platform(&self, platform: Option<&str>) -> Option<String> {
        let platform = platform?;
        let mut shown = self.platform.lock().unwrap_or_else(PoisonError::into_inner);
        let before = shown.replace(platform.to_owned());
        before.is_some_and(|before| before != platform).then(|| platform.to_owned())
    }
}

/// True when the log for those who look for a defect goes to standard error: lines that move would tear it.
fn is_logging() -> bool {
    std::env::var_os("IMAGEWRIGHT_LOG").is_some_and(|value| !value.is_empty())
}

/// Writes a line to standard output. Nobody reads it any more: nothing to be done.
pub(crate) fn out(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Writes rows below a heading to standard output, each column as wide as its widest cell. What users wrote cannot steer
/// the terminal.
pub(crate) fn table<const COLUMNS: usize, C: AsRef<str>>(
    heading: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [C; COLUMNS]>,
) {
    let mut lines = vec![heading.map(str::to_owned)];
    lines.extend(rows.into_iter().map(|row| row.map(|cell| escape::one_line(cell.as_ref()))));
    let mut widths = [0; COLUMNS];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(console::measure_text_width(cell));
        }
    }
    for line in lines {
        let padded = line
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - console::measure_text_width(cell))));
        out(padded.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// Writes a line to standard error.
pub(crate) fn error_line(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Writes lines to standard output.
pub(crate) fn out_lines(lines: &[String]) {
    for line in lines {
        out(line);
    }
}

/// Writes lines to standard error.
fn error_lines(lines: &[String]) {
    for line in lines {
        error_line(line);
    }
}

/// Writes a value as one line of JSON to standard output.
pub(crate) fn json(value: &impl Serialize) {
    if let Ok(line) = serde_json::to_string(value) {
        out(&escape::json(&line));
    }
}

/// Writes a document as it is; to a terminal, without what could move its cursor.
pub(crate) fn raw(bytes: &[u8]) {
    let mut output = std::io::stdout().lock();
    let text = String::from_utf8_lossy(bytes);
    let written = if output.is_terminal() {
        text.lines().try_for_each(|line| writeln!(output, "{}", escape::json(line)))
    } else {
        output.write_all(bytes)
    };
    // Who reads may have had enough.
    let _ = written.and_then(|()| output.flush());
}

/// Shows what an image holds.
pub(crate) fn show_report(report: &ImageReport, all: bool) {
    out_lines(&report::lines(report, all, Screen::of_standard_output()));
}

/// Shows what tells two images apart.
pub(crate) fn show_difference(difference: &ImageDifference) {
    out_lines(&difference::lines(difference, Screen::of_standard_output()));
}

/// Shows an error with what explains it.
pub(crate) fn show_error(error: &BuildError) {
    error_lines(&error::lines(error, Screen::of_standard_error()));
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
