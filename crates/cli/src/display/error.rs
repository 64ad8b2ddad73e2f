//! How an error is shown: what happened, why, and what to do now.

use imagewright_engine::error::BuildError;

use super::escape;
use super::screen::Screen;

/// Most lines of an explanation that are shown; uv explains a large conflict in hundreds.
const MOST_LINES: usize = 120;

/// The lines of an error.
pub(crate) fn lines(error: &BuildError, screen: Screen) -> Vec<String> {
    let style = screen.style;
    let message = screen.wrap(&escape::one_line(error.message()), "error: ".len());
    let mut lines = vec![format!("{} {}", style.red("error:"), style.bold(&message))];
    if let Some(explanation) = error.explanation() {
        let mut explained = escape::lines(explanation);
        lines.push(String::new());
        lines.extend(explained.by_ref().take(MOST_LINES).map(|line| indented(&line, screen)));
        let rest = explained.count();
        if rest > 0 {
            lines.push(format!("  … and {rest} more lines"));
        }
        lines.push(String::new());
    }
    if let Some(next_step) = error.next_step() {
        let next_step = screen.wrap(&escape::one_line(next_step), "next: ".len());
        lines.push(format!("{} {next_step}", style.cyan("next:")));
    }
    lines
}

/// A line of an explanation. A quoted line and the caret below it (`1 | numpy=1`) are not broken: they would lose
/// their places.
fn indented(line: &str, screen: Screen) -> String {
    let indent = 2 + line.chars().take_while(|character| *character == ' ').count();
    match line {
        "" => String::new(),
        quoted if quoted.contains(" | ") => format!("  {quoted}"),
        words => format!("{}{}", " ".repeat(indent), screen.wrap(words.trim_start(), indent)),
    }
}

#[cfg(test)]
mod tests {
    use imagewright_engine::error::{BuildError, ErrorKind};
    use imagewright_spec::{PipPolicy, parse_pip};

    use super::*;

    #[test]
    fn an_error_says_what_why_and_what_now() {
        let error = BuildError::new(ErrorKind::Conflict, "no versions of these packages fit together")
            .with_explanation(
                "Because a==1 depends on b>=2 and you require b<2, we can conclude:\n\n  \
                 they cannot be satisfied, whatever else is chosen instead.\n\n\
                 1 | a==1, b<2, and words that make the line long\n  |       ^",
            )
            .with_next_step("loosen one of the requirements that the explanation names, and build again");
        insta::assert_snapshot!("plain", lines(&error, Screen::PLAIN).join("\n"));
        let narrow = Screen { width: Some(50), ..Screen::PLAIN };
        insta::assert_snapshot!("narrow", lines(&error, narrow).join("\n"));
    }

    #[test]
    fn refused_lines_have_carets_below_what_is_wrong() {
        let errors = parse_pip("--pip", "numpy=1.26\nrequests >> 2", PipPolicy::OPEN).unwrap_err();
        let error = crate::input::invalid_lines(&errors);
        insta::assert_snapshot!(lines(&error, Screen::PLAIN).join("\n"));
    }

    #[test]
    fn what_a_server_says_cannot_steer_the_terminal_or_flood_it() {
        let error = BuildError::new(ErrorKind::Unreachable, "it said \u{1b}]0;owned\u{7}")
            .with_explanation("x\u{9b}2J\n".repeat(1000))
            .with_next_step("\u{1b}[31mno");
        let shown = lines(&error, Screen::PLAIN);
        assert!(shown.iter().all(|line| !line.chars().any(char::is_control)), "{shown:?}");
        assert_eq!(shown[shown.len() - 3], "  … and 880 more lines");
    }
}
