//! One part that builds use.

use serde::Serialize;

use crate::display::Screen;
use crate::display::escape::one_line;

/// A part, and whether this machine has it. Serialised for `--json`: fields are added, never renamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Part {
    /// What it is called.
    pub(super) name: &'static str,
    /// What it is for.
    purpose: &'static str,
    /// False for what only some builds use.
    pub(super) required: bool,
    /// True when it is there and usable.
    pub(super) found: bool,
    /// Its version or place; what is wrong where it is not found.
    detail: String,
    /// The one line that installs it, where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    install: Option<String>,
}

impl Part {
    /// A part that every build needs.
    pub(super) fn required(name: &'static str, purpose: &'static str) -> Self {
        Self { name, purpose, required: true, found: false, detail: String::new(), install: None }
    }

    /// A part that some builds use.
    pub(super) fn optional(name: &'static str, purpose: &'static str) -> Self {
        Self { required: false, ..Self::required(name, purpose) }
    }

    /// It is there.
    pub(super) fn present(self, detail: impl Into<String>) -> Self {
        Self { found: true, detail: detail.into(), ..self }
    }

    /// It is not there, or not usable.
    pub(super) fn missing(self, detail: impl Into<String>, install: impl Into<String>) -> Self {
        Self { found: false, detail: detail.into(), install: Some(install.into()), ..self }
    }

    /// The lines that people see of it.
    pub(super) fn lines(&self, name_width: usize, screen: Screen) -> Vec<String> {
        let style = screen.style;
        let (mark, state) = match (self.found, self.required) {
            (true, _) => (style.green("✓"), String::new()),
            (false, true) => (style.red("✗"), style.red("missing: ")),
            (false, false) => (style.dim("·"), "optional: ".to_owned()),
        };
        let indent = name_width + 4;
        let blanks = " ".repeat(indent);
        let label = format!("{:<name_width$}", self.name);
        let taken = indent + console::measure_text_width(&state);
        let detail = screen.wrap(&one_line(&self.detail), taken);
        let mut lines = vec![
            format!("{mark} {label}  {state}{detail}"),
            format!("{blanks}{}", style.dim(&screen.wrap(self.purpose, indent))),
        ];
        if let Some(install) = self.install.as_ref().filter(|_| !self.found) {
            lines.push(format!("{blanks}{}", style.cyan(install)));
        }
        lines
    }
}
