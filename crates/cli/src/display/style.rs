//! Colours, where they are wanted.

/// Puts texts into colours, or leaves them as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    coloured: bool,
}

impl Style {
    /// No colours: for files, pipes and simple terminals.
    pub(crate) const PLAIN: Self = Self { coloured: false };
    /// The terminal's own sixteen colours: they suit whatever background it has.
    pub(crate) const COLOURED: Self = Self { coloured: true };

    pub(crate) fn bold(self, text: &str) -> String {
        self.wrapped(text, "1")
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.wrapped(text, "2")
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.wrapped(text, "1;31")
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.wrapped(text, "32")
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.wrapped(text, "33")
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.wrapped(text, "36")
    }

    fn wrapped(self, text: &str, code: &str) -> String {
        if self.coloured && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
