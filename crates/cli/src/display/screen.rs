//! What the output goes to: a terminal with its width, or anything else.

use console::Term;

use super::style::Style;

/// Widest line that is filled with words: longer ones are tiring to read.
const WIDEST: usize = 110;

/// Narrowest width that lines are fitted to.
const NARROWEST: usize = 40;

/// Where lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Colours of the lines.
    pub(crate) style: Style,
    /// Columns that lines are fitted to; `None` where they may have any length.
    pub(crate) width: Option<usize>,
}

impl Screen {
    /// A file or a pipe, or a terminal that wants neither colours nor moving lines.
    pub(crate) const PLAIN: Self = Self { style: Style::PLAIN, width: None };

    /// Standard error as it is now.
    pub(crate) fn of_standard_error() -> Self {
        Self::of(&Term::stderr())
    }

    /// Standard output as it is now.
    pub(crate) fn of_standard_output() -> Self {
        Self::of(&Term::stdout())
    }

    /// True where lines may be drawn anew.
    pub(crate) fn is_lively(self) -> bool {
        self.width.is_some()
    }

    fn of(terminal: &Term) -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let simple = variable("NO_COLOR").is_some() || variable("TERM").is_none_or(|name| name == "dumb");
        if simple || !terminal.is_term() {
            return Self::PLAIN;
        }
        let width = terminal.size_checked().map_or(80, |(_, columns)| usize::from(columns));
        Self::coloured(width.clamp(NARROWEST, WIDEST))
    }

    /// A terminal of this width.
    pub(crate) const fn coloured(width: usize) -> Self {
        Self { style: Style::COLOURED, width: Some(width) }
    }

    /// Breaks a sentence into lines: the first behind `indent` columns that are already taken, the others
    /// behind as many blanks.
    pub(crate) fn wrap(self, text: &str, indent: usize) -> String {
        let Some(width) = self.width else { return text.to_owned() };
        let room = width.saturating_sub(indent).max(20);
        let mut wrapped = String::new();
        let mut used = 0;
        for word in text.split(' ') {
            let length = console::measure_text_width(word);
            if used > 0 && used + 1 + length > room {
                wrapped.push('\n');
                wrapped.push_str(&" ".repeat(indent));
                used = 0;
            } else if used > 0 {
                wrapped.push(' ');
                used += 1;
            }
            wrapped.push_str(word);
            used += length;
        }
        wrapped
    }

    /// Cuts a text to this many columns, where there is a limit.
    pub(crate) fn cut(self, text: &str, taken: usize) -> String {
        self.width.map_or_else(
            || text.to_owned(),
            |width| console::truncate_str(text, width.saturating_sub(taken).max(10), "…").into_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Screen;

    #[test]
    fn sentences_break_between_words_and_only_where_there_is_a_width() {
        let text = "the quick brown fox jumps over the lazy dog and runs away";
        assert_eq!(Screen::PLAIN.wrap(text, 7), text);
        let narrow = Screen::coloured(30).wrap(text, 7);
        assert_eq!(narrow, "the quick brown fox\n       jumps over the lazy dog\n       and runs away");
        assert_eq!(Screen::coloured(24).cut(text, 4), "the quick brown fox…");
    }
}
