//! The line of a step: while it runs, when it has ended, when it has failed.

use imagewright_engine::event::{Step, Unit};

use super::amount::{bytes, count, seconds};
use super::escape;
use super::screen::Screen;

/// Columns of a step's title.
pub(crate) const TITLE_WIDTH: usize = 20;

/// Columns of its time.
pub(crate) const TIME_WIDTH: usize = 7;

/// Columns before what is told of a step: mark, title, time and the blanks between them.
const DETAIL_INDENT: usize = 2 + TITLE_WIDTH + TIME_WIDTH + 2;

/// Below this width what is told of a step starts on a line of its own.
const NARROW: usize = 80;

/// A step that has ended well.
pub(crate) fn finished(step: Step, elapsed: f64, detail: &str, screen: Screen) -> String {
    let detail = escape::one_line(detail);
    let head = head(&screen.style.green("✓"), step, elapsed, screen);
    if detail.is_empty() {
        head
    } else if screen.width.is_some_and(|width| width < NARROW) {
        format!("{head}\n    {}", screen.style.dim(&screen.wrap(&detail, 4)))
    } else {
        format!("{head}  {}", screen.style.dim(&screen.wrap(&detail, DETAIL_INDENT)))
    }
}

/// A step in which the build has failed.
pub(crate) fn failed(step: Step, elapsed: f64, screen: Screen) -> String {
    head(&screen.style.red("✗"), step, elapsed, screen)
}

/// How far a step is: `45.2 MB of 89.2 MB`, `12 of 98 packages`.
pub(crate) fn progress(done: u64, total: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => format!("{} of {}", bytes(done), bytes(total)),
        Unit::Packages => format!("{} of {} packages", count(done), count(total)),
    }
}

fn head(mark: &str, step: Step, elapsed: f64, screen: Screen) -> String {
    let time = screen.style.dim(&format!("{:>TIME_WIDTH$}", seconds(elapsed)));
    format!("{mark} {:<TITLE_WIDTH$}{time}", step.title())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stand_in_columns() {
        let detail = "Debian GNU/Linux 12 (bookworm), 1 layer, 11,726 paths";
        let render = |screen| {
            [
                finished(Step::Base, 1.24, detail, screen),
                finished(Step::Resolve, 0.0, "98 packages to add", screen),
                finished(Step::Layers, 75.0, "", screen),
                failed(Step::Packages, 12.34, screen),
            ]
            .join("\n")
        };
        insta::assert_snapshot!("wide", render(Screen { width: Some(100), ..Screen::PLAIN }));
        insta::assert_snapshot!("narrow", render(Screen { width: Some(50), ..Screen::PLAIN }));
    }

    #[test]
    fn progress_is_told_in_the_unit_of_the_step() {
        assert_eq!(progress(45_200_000, 89_200_000, Unit::Bytes), "45.2 MB of 89.2 MB");
        assert_eq!(progress(12, 1098, Unit::Packages), "12 of 1,098 packages");
    }
}
