//! uv's words, made fit for people: without our temporary paths, and cut to the cause.

/// The parts of an error of uv.
///
/// ```text
/// error: No solution found when resolving dependencies
///   cause: Because there is no version of six==99 and you require six==99, …
///          And because …
///
/// hint: …
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Explanation {
    /// The first line, without `error:`.
    pub(super) headline: String,
    /// What stands behind each `cause:`, lines joined as they were.
    pub(super) causes: Vec<String>,
    /// What stands behind each `hint:`.
    pub(super) hints: Vec<String>,
}

/// The most lines of an explanation that are shown: derivations of uv can go on for hundreds.
const MOST_LINES: usize = 24;

impl Explanation {
    /// Takes the standard error of uv apart.
    pub(super) fn read(text: &str) -> Self {
        let mut explanation = Self::default();
        for line in text.lines() {
            let trimmed = line.trim();
            if trimmed.is_empty() {
                continue;
            }
            let line = cleaned(trimmed);
            if let Some(cause) = line.strip_prefix("cause: ") {
                explanation.causes.push(cause.to_owned());
            } else if let Some(hint) = line.strip_prefix("hint: ") {
                explanation.hints.push(hint.to_owned());
            } else if let Some(headline) = line.strip_prefix("error: ") {
                headline.clone_into(&mut explanation.headline);
            } else if line.starts_with("warning: ") {
                // Warnings stand before the error and do not explain it.
            } else if let Some(last) = explanation.hints.last_mut().or(explanation.causes.last_mut()) {
                last.push('\n');
                last.push_str(&line);
            } else if explanation.headline.is_empty() {
                explanation.headline = line;
            }
        }
        explanation
    }

    /// The causes as they are shown; the headline when there are none.
    pub(super) fn shown(&self) -> String {
        if self.causes.is_empty() {
            return self.headline.clone();
        }
        shortened(&self.causes.join("\n"))
    }

    /// Headline, causes and hints in one text, to look for words in.
    pub(super) fn everything(&self) -> String {
        let parts = [&self.headline].into_iter().chain(&self.causes).chain(&self.hints);
        parts.map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// A line without addresses of files: the stubs' folder and other temporary places of ours say nothing to anyone.
fn cleaned(line: &str) -> String {
    let mut words = Vec::new();
    for word in line.split(' ') {
        let bare = word.trim_matches(|character: char| "`'\"(),;:".contains(character));
        if bare.starts_with("file://") || (bare.starts_with('/') && bare.len() > 1) {
            let name = bare.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            words.push(word.replace(bare, name));
        } else {
            words.push(word.to_owned());
        }
    }
    words.join(" ")
}

/// The first and the last lines of a long text: how it begins, and the contradiction it ends with.
fn shortened(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= MOST_LINES {
        return lines.join("\n");
    }
    let half = MOST_LINES / 2;
    let left_out = format!("… ({} lines left out) …", lines.len() - 2 * half);
    let (first, last) = (&lines[..half], &lines[lines.len() - half..]);
    first
        .iter()
        .copied()
        .chain([left_out.as_str()])
        .chain(last.iter().copied())
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_ours_are_reduced_to_names() {
        let text = "error: Failed to read `/tmp/x9/stubs/torch-2.3-py3-none-any.whl`\n  cause: see \
                    file:///tmp/x9/stubs/a.whl, please";
        let explanation = Explanation::read(text);
        assert_eq!(explanation.headline, "Failed to read `torch-2.3-py3-none-any.whl`");
        assert_eq!(explanation.causes, ["see a.whl, please"]);
    }

    #[test]
    fn long_derivations_keep_their_ends() {
        let text = (0..100).map(|number| format!("line {number}")).collect::<Vec<_>>().join("\n");
        let short = shortened(&text);
        assert!(short.starts_with("line 0\n") && short.ends_with("line 99"));
        assert!(short.contains("(76 lines left out)"));
    }
}
