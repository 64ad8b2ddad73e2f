//! Why sources could not be built, in words: the lines that matter first, and the package that would help.

use super::missing;
use super::room::RoomOutcome;
use crate::error::{BuildError, ErrorKind};

/// Lines that an explanation shows, and the characters of each.
const SHOWN_LINES: usize = 16;
const SHOWN_CHARACTERS: usize = 300;

/// The signal of the kernel's when memory runs out, and as the exit status of a shell.
const KILLED: i32 = 9;

/// What the driver says, or the way it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The backend could not be imported.
    Backend,
    /// The backend failed.
    Hook,
    /// The backend's process ended without a word.
    Ended,
    /// There is no folder of this name in the sources.
    NoFolder,
    /// The backend left no wheel.
    NoWheel,
    /// The driver itself failed.
    Driver,
}

impl Failure {
    /// Reads the driver's word.
    pub(super) fn read(word: &str) -> Self {
        match word {
            "backend" => Self::Backend,
            "hook" => Self::Hook,
            "ended" => Self::Ended,
            "no_folder" => Self::NoFolder,
            "no_wheel" => Self::NoWheel,
            _ => Self::Driver,
        }
    }
}

/// The error for sources (`seqeval 1.2.2`) that could not be built with a backend.
pub(super) fn failed(what: &str, backend: &str, failure: Failure, outcome: &RoomOutcome) -> BuildError {
    let lines = without_frames_of_tools(outcome.lines.iter().map(|line| clean(line)));
    if let Some((line, found)) = missing::find(&lines) {
        let message = format!("{what} could not be built: {} is missing in the image", found.what);
        return error(message, &lines, Some(line)).with_next_step(found.next_step());
    }
    let killed = outcome.signal == Some(KILLED) || outcome.exit_code == Some(128 + KILLED);
    let memory = [
        "MemoryError",
        "Cannot allocate memory",
        "Killed signal terminated program",
        "needed more memory than",
    ];
    if killed || lines.iter().any(|line| memory.iter().any(|word| line.contains(word))) {
        return error(format!("{what} could not be built: the memory ran out"), &lines, None).with_next_step(
            "choose a version with a wheel, or ask the operator for more memory in the sandbox",
        );
    }
    let full = lines.iter().position(|line| line.contains("No space left on device"));
    if full.is_some() {
        return error(format!("{what} could not be built: the disk is full"), &lines, full).with_next_step(
            "free some space on this machine, or ask the operator for more disk in the sandbox",
        );
    }
    let network =
        ["Temporary failure in name resolution", "Could not resolve host", "Network is unreachable"];
    let network = lines.iter().position(|line| network.iter().any(|word| line.contains(word)));
    if network.is_some() {
        return error(
            format!("{what} could not be built: its build downloads something, and could not"),
            &lines,
            network,
        )
        .with_next_step("choose a version with a wheel, or one whose build needs no network");
    }
    let cause = lines.iter().rposition(|line| is_exception(line));
    match failure {
        Failure::Backend => error(
            format!("{what} could not be built: its build backend {} cannot be imported", clean(backend)),
            &lines,
            cause,
        )
        .with_next_step(
            "choose another version: what this one declares as `requires` in pyproject.toml does not have its backend",
        ),
        Failure::NoFolder => error(format!("{what} could not be built: the sources have no such folder"), &lines, None)
            .with_next_step("check `#subdirectory=` of the address"),
        Failure::NoWheel => {
            error(format!("{what} could not be built: {} left no wheel", clean(backend)), &lines, None)
                .with_next_step("choose another version, or tell its authors")
        }
        Failure::Driver => error(
            format!("{what} could not be built: the image's Python could not run the build"),
            &lines,
            cause,
        )
        .with_next_step("check that the Python of the base works; a complete standard library is needed"),
        Failure::Hook | Failure::Ended => {
            let old = lines.iter().rposition(|line| {
                line.contains("No module named 'pkg_resources'")
                    || line.contains("No module named 'distutils")
                    || line.contains("use_2to3 is invalid")
            });
            let message = format!("{what} could not be built: its own build failed");
            match old {
                Some(line) => error(message, &lines, Some(line)).with_next_step(
                    "choose a newer version: this one does not know today's setuptools, or the Python of the image",
                ),
                None => error(message, &lines, cause).with_next_step(
                    "read the lines above; another version, or one with a wheel, may be the way out",
                ),
            }
        }
    }
}

/// The lines without the frames of a traceback that are in what the package is built with: setuptools alone fills
/// a page with them. A frame is a line that names the file, and lines with more indentation that show its code.
fn without_frames_of_tools(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut in_frame = false;
    lines
        .filter(|line| {
            if line.starts_with("  File \"") {
                in_frame = line.contains("/environment/site/") || line.contains("<frozen importlib.");
            } else if !line.starts_with("    ") {
                in_frame = false;
            }
            !in_frame
        })
        .collect()
}

/// The last lines, as they are shown.
pub(super) fn tail(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| clean(line)).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}

fn error(message: String, lines: &[String], cause: Option<usize>) -> BuildError {
    let mut shown: Vec<&str> = Vec::new();
    if let Some(cause) = cause.and_then(|cause| lines.get(cause)) {
        shown.push(cause.trim());
    }
    let rest: Vec<&str> = lines
        .iter()
        .enumerate()
        .filter(|(at, line)| Some(*at) != cause && !line.trim().is_empty())
        .map(|(_, line)| line.as_str())
        .collect();
    shown.extend(&rest[rest.len().saturating_sub(SHOWN_LINES - shown.len())..]);
    let error = BuildError::new(ErrorKind::SandboxFailed, message);
    if shown.is_empty() { error } else { error.with_explanation(shown.join("\n")) }
}

/// The last line of a traceback, `ValueError: …`, or what setuptools says, `error: …`.
fn is_exception(line: &str) -> bool {
    let Some((name, _)) = line.split_once(':') else { return false };
    let last = name.rsplit('.').next().unwrap_or(name);
    let plain = name.chars().all(|character| character.is_ascii_alphanumeric() || "_.".contains(character));
    let named =
        ["Error", "Exception", "Exit", "Interrupt"].iter().any(|end| last.strip_suffix(end).is_some());
    plain && (named || line.starts_with("error: "))
}

/// A line without escape sequences and control characters, cut where it goes on for too long.
fn clean(line: &str) -> String {
    let mut text = String::new();
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' && characters.next_if_eq(&'[').is_some() {
            // A colour: everything up to its letter.
            while characters.next_if(|next| !next.is_ascii_alphabetic()).is_some() {}
            characters.next();
        } else if character == '\t' {
            text.push_str("    ");
        } else if character.is_control() || is_invisible(character) {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    if text.chars().count() > SHOWN_CHARACTERS {
        text = text.chars().take(SHOWN_CHARACTERS).chain(['…']).collect();
    }
    text
}

/// Characters that turn the direction of a line around.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(failure: Failure, lines: &[&str]) -> String {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        let outcome = RoomOutcome { exit_code: Some(0), signal: None, lines };
        let error = failed("demo 1.0", "setuptools.build_meta", failure, &outcome);
        format!(
            "{}: {error}\n{}\n→ {}",
            error.kind(),
            error.explanation().unwrap_or("-"),
            error.next_step().unwrap_or("-")
        )
    }

    #[test]
    fn a_missing_compiler_names_its_package() {
        insta::assert_snapshot!(seen(
            Failure::Hook,
            &[
                "building 'demo' extension",
                "error: command 'gcc' failed: No such file or directory",
                "Traceback (most recent call last):",
                "SystemExit: 1",
            ]
        ));
    }

    #[test]
    fn missing_headers_and_tools_name_their_packages() {
        let texts: Vec<String> = [
            "demo.c:1:10: fatal error: Python.h: No such file or directory",
            "src/x.h:3:10: fatal error: libpq-fe.h: No such file or directory",
            "Error: pg_config executable not found.",
            "/bin/sh: 1: pkg-config: not found",
            "error: can't find Rust compiler",
            "/usr/bin/ld: cannot find -lcurl: No such file or directory",
            "../meson.build:1:0: ERROR: Unknown compiler(s): [['cc'], ['gcc'], ['clang']]",
            "LookupError: setuptools-scm was unable to detect version for /run/imagewright/work/build-1/source.",
            "x.c:1:10: fatal error: strange/thing.h: No such file or directory",
        ]
        .iter()
        .map(|line| seen(Failure::Hook, &[line]))
        .collect();
        insta::assert_snapshot!(texts.join("\n\n"));
    }

    #[test]
    fn a_failing_setup_shows_its_exception_first() {
        insta::assert_snapshot!(seen(
            Failure::Hook,
            &[
                "Traceback (most recent call last):",
                "  File \"/run/imagewright/build-1/environment/site/setuptools/build_meta.py\", line 1, in run_setup",
                "    exec(code, locals())",
                "    ^^^^^^^^^^^^^^^^^^^^",
                "  File \"setup.py\", line 3, in <module>",
                "    raise ValueError(\"no\")",
                "ValueError: \u{1b}[31mno\u{1b}[0m \u{7}",
            ]
        ));
        insta::assert_snapshot!(seen(Failure::Backend, &["ModuleNotFoundError: No module named 'poetry'"]));
    }
}
