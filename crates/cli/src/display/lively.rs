//! A build on a terminal: one line that moves for the step that runs, everything else above it, to stay.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use imagewright_engine::event::{Step, Unit};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::amount;
use super::screen::Screen;
use super::steps::{TIME_WIDTH, TITLE_WIDTH, failed, progress};

/// How often the line of a running step is drawn, per second: enough to be seen alive, too little to disturb.
const FRAMES_PER_SECOND: u8 = 10;

/// Draws the line of the running step.
pub(crate) struct Lively {
    screen: Screen,
    lines: MultiProgress,
    running: Mutex<Option<Running>>,
}

struct Running {
    step: Step,
    line: ProgressBar,
    /// True once it is known how much there is to do.
    measured: bool,
}

impl Lively {
    /// Draws on standard error.
    pub(crate) fn new(screen: Screen) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(FRAMES_PER_SECOND);
        Self { screen, lines: MultiProgress::with_draw_target(target), running: Mutex::new(None) }
    }

    /// A step begins, under these words.
    pub(crate) fn start(&self, step: Step, title: &str) {
        let line = self.lines.add(ProgressBar::no_length());
        line.set_style(style("{spinner:.cyan} {prefix}{seconds}  {msg:.dim}"));
        line.set_prefix(format!("{title:<TITLE_WIDTH$}"));
        line.enable_steady_tick(Duration::from_millis(1000 / u64::from(FRAMES_PER_SECOND)));
        if let Some(before) = self.running().replace(Running { step, line, measured: false }) {
            before.line.finish_and_clear();
        }
    }

    /// A step got further.
    pub(crate) fn progress(&self, step: Step, done: u64, total: u64, unit: Unit) {
        let mut running = self.running();
        let Some(running) = running.as_mut().filter(|running| running.step == step) else { return };
        let bar = bar_width(self.screen);
        if !running.measured && total > 0 {
            running.measured = true;
            running.line.set_style(style(&measured_template(bar)));
        }
        let taken = 2 + TITLE_WIDTH + TIME_WIDTH + 2 + bar + 2;
        running.line.set_message(self.screen.cut(&progress(done, total, unit), taken));
        running.line.set_length(total);
        running.line.set_position(done.min(total));
    }

    /// What a program of the running step says: the next line takes its place.
    pub(crate) fn output(&self, line: &str) {
        if let Some(running) = self.running().as_ref().filter(|running| !running.measured) {
            running.line.set_message(self.screen.cut(line, 2 + TITLE_WIDTH + TIME_WIDTH + 2));
        }
    }

    /// The step that runs has ended: its line goes.
    pub(crate) fn finish(&self) {
        if let Some(running) = self.running().take() {
            running.line.finish_and_clear();
        }
    }

    /// The build has ended, in the middle of a step perhaps: what is left of it stays to be read.
    pub(crate) fn fail(&self) {
        let Some(running) = self.running().take() else { return };
        let elapsed = running.line.elapsed().as_secs_f64();
        running.line.finish_and_clear();
        self.print(&failed(running.step, elapsed, self.screen));
    }

    /// Shows a line that stays, above the one that moves.
    pub(crate) fn print(&self, line: &str) {
        // A terminal that is gone: nobody is left to be told.
        let _ = self.lines.println(line);
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Columns of the bar; none where there is no room for it.
fn bar_width(screen: Screen) -> usize {
    match screen.width {
        Some(80..) => 28,
        Some(60..) => 8,
        _ => 0,
    }
}

/// The line of a step that tells how far it is.
fn measured_template(bar: usize) -> String {
    let bar = if bar == 0 { String::new() } else { format!("{{bar:{bar}.cyan/dim}}  ") };
    format!("{{spinner:.cyan}} {{prefix}}{{seconds}}  {bar}{{msg:.dim}}")
}

fn style(template: &str) -> ProgressStyle {
    let time = |state: &ProgressState, output: &mut dyn std::fmt::Write| {
        let _ = write!(output, "{:>TIME_WIDTH$}", amount::seconds(state.elapsed().as_secs_f64()));
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .with_key("seconds", time)
        .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
        .progress_chars("━╸─")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_valid() {
        for bar in [0, 8, 28] {
            ProgressStyle::with_template(&measured_template(bar)).unwrap();
        }
    }
}
