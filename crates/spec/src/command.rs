//! Takes a pasted shell command off a line: `sudo apt-get install -y curl` is about `curl`.
//!
//! Nothing is ever run: the words of the command are recognised and left out, and whatever is not recognised
//! is an error.

use crate::problem::{Problem, quote};
use crate::text::{Word, split_words};

/// The package manager a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Apt,
    Conda,
    Pip,
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::Apt => "APT",
            Self::Conda => "conda",
            Self::Pip => "pip",
        }
    }
}

/// The part of a line that lists packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The first and the last-but-one character, from 0.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Whether an install command stood before it, so that its harmless flags may follow.
    pub(crate) is_command: bool,
}

/// Verbs that show that a word is the tool and not a package of its name.
const OTHER_VERBS: [&str; 15] = [
    "autoremove",
    "clean",
    "create",
    "dist-upgrade",
    "download",
    "env",
    "freeze",
    "list",
    "purge",
    "remove",
    "search",
    "show",
    "uninstall",
    "update",
    "upgrade",
];

/// Finds what a line asks to install for `tool`. Commands joined with `&&` are taken one by one; those that
/// only refresh or tidy up (`apt-get update`, `conda clean`) ask for nothing.
pub(crate) fn install_segments(characters: &[char], tool: Tool) -> Result<Vec<Segment>, Problem> {
    let words = split_words(characters, 0);
    let whole = Segment { start: 0, end: characters.len(), is_command: false };
    if read_command(&words)?.is_none() {
        return Ok(vec![whole]);
    }
    let mut segments = Vec::new();
    for command in words.split(|word| word.text == "&&" && !word.quoted) {
        let (Some(first), Some(last)) = (command.first(), command.last()) else { continue };
        let Some((found, after)) = read_command(command)? else {
            return Err(Problem::at(
                first.start + 1,
                format!("{} is not an install command", quote(&first.text)),
                "write packages only, one per line",
            ));
        };
        let Some(found) = found else { continue };
        if found != tool {
            return Err(Problem::at(
                first.start + 1,
                format!("this is a command for {}, but these are packages for {}", found.name(), tool.name()),
                format!("move it to the {} packages", found.name()),
            ));
        }
        let end = last.start + last.text.chars().count() + usize::from(last.quoted);
        let start = command.get(after).map_or(end, |word| word.start - usize::from(word.quoted));
        segments.push(Segment { start, end, is_command: true });
    }
    Ok(segments)
}

/// The tool of a command and the index of the first word after `install`; `Some((None, _))` for a command that
/// asks for nothing; `None` if the words are no command.
fn read_command(words: &[Word]) -> Result<Option<(Option<Tool>, usize)>, Problem> {
    let mut index = 0;
    let text = |index: usize| words.get(index).filter(|word| !word.quoted).map(|word| word.text.as_str());
    while let Some(word) = text(index) {
        let is_noise = matches!(word, "$" | "%" | "!" | "RUN" | "sudo" | "-E" | "-H") || is_assignment(word);
        // `-E` and `-H` are sudo's.
        if !is_noise || (word.starts_with('-') && index == 0) {
            break;
        }
        index += 1;
    }
    let Some(name) = text(index).map(|word| word.trim_start_matches(['$', '%', '!'])) else {
        return Ok(None);
    };
    let (tool, mut after) = match name {
        "apt" | "apt-get" | "aptitude" => (Tool::Apt, index + 1),
        "conda" | "mamba" | "micromamba" => (Tool::Conda, index + 1),
        "uv" if text(index + 1) == Some("pip") => (Tool::Pip, index + 2),
        "rm" if text(index + 1).is_some_and(|word| word.starts_with("-r")) => {
            let only_lists =
                words[index + 2..].iter().all(|word| word.text.starts_with("/var/lib/apt/lists"));
            return Ok(only_lists.then_some((None, words.len())));
        }
        _ if is_versioned(name, "pip") => (Tool::Pip, index + 1),
        _ if is_versioned(name, "python")
            && text(index + 1) == Some("-m")
            && text(index + 2) == Some("pip") =>
        {
            (Tool::Pip, index + 3)
        }
        _ => return Ok(None),
    };
    // Options may stand before the verb, as in `apt-get -y install`.
    while text(after).is_some_and(|word| word.starts_with('-')) {
        after += 1;
    }
    match text(after) {
        Some("install") => Ok(Some((Some(tool), after + 1))),
        Some("update" | "clean" | "autoremove" | "autoclean") if tool == Tool::Apt => {
            Ok(Some((None, words.len())))
        }
        Some("clean") if tool == Tool::Conda => Ok(Some((None, words.len()))),
        Some(verb) if OTHER_VERBS.contains(&verb) => Err(Problem::at(
            words[after].start + 1,
            format!("{} cannot be done while an image is built", quote(&format!("{name} {verb}"))),
            "write the packages that the image shall have",
        )),
        _ => Ok(None),
    }
}

/// `DEBIAN_FRONTEND=noninteractive` before a command. Package lines have lower-case names.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    })
}

/// `pip`, `pip3`, `pip3.12`.
fn is_versioned(word: &str, name: &str) -> bool {
    word.strip_prefix(name)
        .is_some_and(|version| version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// Flags of an install command that change nothing here: the answer to questions is always yes, output is ours,
/// caches are never part of an image.
pub(crate) fn is_harmless_flag(tool: Tool, word: &str) -> bool {
    let word = word.split_once('=').map_or(word, |(flag, _)| flag);
    match tool {
        Tool::Apt => matches!(
            word,
            "-y" | "-yq"
                | "-yqq"
                | "-qy"
                | "-qqy"
                | "--yes"
                | "--assume-yes"
                | "-q"
                | "-qq"
                | "--quiet"
                | "-f"
                | "--fix-broken"
                | "--fix-missing"
                | "--no-install-recommends"
                | "--no-install-suggests"
                | "-V"
                | "--verbose-versions"
        ),
        Tool::Conda => matches!(
            word,
            "-y" | "--yes"
                | "-q"
                | "--quiet"
                | "-v"
                | "-vv"
                | "--verbose"
                | "--freeze-installed"
                | "--no-update-deps"
                | "-S"
                | "--satisfied-skip-solve"
                | "--update-specs"
                | "--solver"
                | "--json"
                | "--no-channel-priority"
                | "--strict-channel-priority"
        ),
        Tool::Pip => matches!(
            word,
            "-U" | "--upgrade"
                | "-q"
                | "-qq"
                | "--quiet"
                | "-v"
                | "--verbose"
                | "--no-cache-dir"
                | "--no-cache"
                | "--user"
                | "--system"
                | "-y"
                | "--yes"
                | "--no-input"
                | "--disable-pip-version-check"
                | "--root-user-action"
                | "--break-system-packages"
                | "--no-warn-script-location"
                | "--prefer-binary"
                | "-I"
                | "--ignore-installed"
                | "--force-reinstall"
                | "--default-timeout"
                | "--timeout"
                | "--retries"
                | "--progress-bar"
                | "--no-color"
                | "--upgrade-strategy"
                | "--no-compile"
                | "--compile"
                | "--use-pep517"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remaining(text: &str, tool: Tool) -> Result<Vec<String>, Problem> {
        let characters: Vec<char> = text.chars().collect();
        let segments = install_segments(&characters, tool)?;
        Ok(segments.iter().map(|segment| characters[segment.start..segment.end].iter().collect()).collect())
    }

    #[test]
    fn commands_are_taken_off() {
        for (text, tool, rest) in [
            ("sudo apt-get install -y curl git", Tool::Apt, "-y curl git"),
            ("apt-get -y install curl", Tool::Apt, "curl"),
            ("RUN DEBIAN_FRONTEND=noninteractive apt install curl", Tool::Apt, "curl"),
            (
                "apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*",
                Tool::Apt,
                "-y curl",
            ),
            ("conda install -c conda-forge numpy", Tool::Conda, "-c conda-forge numpy"),
            ("%conda install numpy", Tool::Conda, "numpy"),
            ("! pip install numpy", Tool::Pip, "numpy"),
            ("!pip3.11 install 'x>=1'", Tool::Pip, "'x>=1'"),
            ("python3 -m pip install numpy", Tool::Pip, "numpy"),
            ("$ uv pip install numpy", Tool::Pip, "numpy"),
            ("pip install", Tool::Pip, ""),
            // Packages that are called like the tools.
            ("pip", Tool::Conda, "pip"),
            ("python 3.9", Tool::Conda, "python 3.9"),
            ("conda numpy", Tool::Conda, "conda numpy"),
        ] {
            assert_eq!(remaining(text, tool).unwrap(), [rest], "{text}");
        }
    }

    #[test]
    fn other_commands_are_refused() {
        assert_eq!(
            remaining("pip install numpy", Tool::Apt).unwrap_err().message,
            "this is a command for pip, but these are packages for APT"
        );
        assert_eq!(remaining("conda remove numpy", Tool::Conda).unwrap_err().column, 7);
        assert_eq!(remaining("apt install curl && curl evil", Tool::Apt).unwrap_err().column, 21);
        assert_eq!(remaining("apt-get update", Tool::Apt).unwrap().len(), 0);
    }
}
