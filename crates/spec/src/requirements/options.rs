//! The options that pip knows in a requirements file or behind `pip install`.

use super::Reader;
use super::includes::Include;
use crate::command::{Tool, is_harmless_flag};
use crate::index_url::IndexUrl;
use crate::pip::parse_name;
use crate::pip::scan::Scanner;
use crate::problem::{Problem, quote};
use crate::relative_path::RelativePath;
use crate::text::Place;

/// An understood option, with the columns that errors about it point to.
pub(super) enum PipOption {
    /// Asks for nothing here.
    Harmless,
    Include {
        start: usize,
        path: String,
        as_constraints: bool,
    },
    IndexUrl {
        start: usize,
        url: IndexUrl,
    },
    ExtraIndexUrl {
        start: usize,
        url: IndexUrl,
    },
    Pre,
    NoBinary(Vec<String>),
    OnlyBinary(Vec<String>),
}

/// Flags that [`is_harmless_flag`] accepts and that take a value.
const HARMLESS_WITH_VALUE: [&str; 6] = [
    "--default-timeout",
    "--timeout",
    "--retries",
    "--progress-bar",
    "--upgrade-strategy",
    "--root-user-action",
];

/// Reads one option whose `flag` starts at `start`; its value may be the scanner's next word.
pub(super) fn read(
    start: usize,
    flag: &str,
    value: Option<(usize, String)>,
    scanner: &mut Scanner<'_>,
    is_command: bool,
) -> Result<PipOption, Problem> {
    // pip takes the value of a short option without a blank, too.
    let (flag, value) = match flag.char_indices().nth(2) {
        Some((split, _)) if is_short_with_value(&flag[..split]) => {
            let mut glued = flag[split..].to_owned();
            if let Some((_, after)) = &value {
                glued = format!("{glued}={after}");
            }
            (&flag[..split], Some((start + 2, glued)))
        }
        _ => (flag, value),
    };
    let mut value = || -> Result<(usize, String), Problem> {
        value.clone().or_else(|| scanner.value()).filter(|(_, text)| !text.is_empty()).ok_or_else(|| {
            Problem::at(start + 1, format!("{} has no value", quote(flag)), "write the value behind it")
        })
    };
    let option = match flag {
        "-r" | "--requirement" | "--requirements" => {
            let (start, path) = value()?;
            PipOption::Include { start, path, as_constraints: false }
        }
        "-c" | "--constraint" | "--constraints" => {
            let (start, path) = value()?;
            PipOption::Include { start, path, as_constraints: true }
        }
        "-i" | "--index-url" | "--pypi-url" | "--default-index" => {
            let (start, url) = read_url(value()?)?;
            PipOption::IndexUrl { start, url }
        }
        "--extra-index-url" | "--index" => {
            let (start, url) = read_url(value()?)?;
            PipOption::ExtraIndexUrl { start, url }
        }
        "--pre" => PipOption::Pre,
        "--no-binary" => PipOption::NoBinary(read_names(value()?)?),
        "--only-binary" => PipOption::OnlyBinary(read_names(value()?)?),
        flag if is_command && is_harmless_flag(Tool::Pip, flag) => {
            if HARMLESS_WITH_VALUE.contains(&flag) {
                value()?;
            }
            PipOption::Harmless
        }
        other => return Err(refuse(start, other, &mut value)),
    };
    Ok(option)
}

fn is_short_with_value(flag: &str) -> bool {
    matches!(flag, "-r" | "-c" | "-i" | "-f" | "-e")
}

/// Why an option is refused. Its value is skipped, so that it is not reported as a package too.
fn refuse(start: usize, flag: &str, value: &mut dyn FnMut() -> Result<(usize, String), Problem>) -> Problem {
    let mut skip_value = || {
        let _ = value();
    };
    let (message, suggestion) = match flag {
        "-e" | "--editable" => {
            skip_value();
            (
                "nothing from your computer can be installed",
                "publish the package, or write `name @ git+https://…`",
            )
        }
        "-f" | "--find-links" => {
            skip_value();
            (
                "`--find-links` is not supported: such lists of files cannot be verified",
                "use an index, with `--extra-index-url`",
            )
        }
        "--no-index" => ("`--no-index` leaves nowhere to install from", "leave it out"),
        "--trusted-host" => {
            skip_value();
            (
                "connections are always verified",
                "leave it out, and give the host's certificate with `--ca-bundle`",
            )
        }
        "--require-hashes" => {
            ("`--require-hashes` is not needed", "leave it out: hashes that are written are always checked")
        }
        "-t" | "--target" | "--prefix" | "--root" | "--src" | "--python" | "--config-settings"
        | "--global-option" => {
            skip_value();
            ("this option would change how or where packages are installed", "leave it out")
        }
        _ => ("this option is not known here", "leave it out"),
    };
    let message =
        if message.contains('`') { message.to_owned() } else { format!("{}: {message}", quote(flag)) };
    Problem::at(start + 1, message, suggestion)
}

fn read_url((start, text): (usize, String)) -> Result<(usize, IndexUrl), Problem> {
    text.parse().map(|url| (start, url)).map_err(|problem: Problem| problem.shifted(start))
}

/// Reads `:all:`, `:none:` or names between commas.
fn read_names((start, text): (usize, String)) -> Result<Vec<String>, Problem> {
    let mut names = Vec::new();
    for (offset, name) in crate::apt_text::split_at_commas(&text) {
        match name {
            ":all:" => names.push(name.to_owned()),
            // `:none:` takes back what was said before it.
            ":none:" => names.clear(),
            _ => names.push(parse_name(name).map_err(|problem| problem.shifted(start + offset))?.to_string()),
        }
    }
    Ok(names)
}

impl Reader<'_> {
    /// Does what an option asks for.
    pub(super) fn apply(
        &mut self,
        option: PipOption,
        file: Option<&RelativePath>,
        inside_constraints: bool,
    ) -> Result<(), Problem> {
        match option {
            PipOption::Harmless => {}
            PipOption::Pre => self.request.pre = true,
            PipOption::NoBinary(names) => self.request.no_binary.extend(names),
            PipOption::OnlyBinary(names) => self.request.only_binary.extend(names),
            PipOption::IndexUrl { start, url } => {
                self.check_index_allowed(start)?;
                self.request.index_url = Some(url);
            }
            PipOption::ExtraIndexUrl { start, url } => {
                self.check_index_allowed(start)?;
                self.request.extra_index_urls.push(url);
            }
            PipOption::Include { start, path, as_constraints } => {
                let as_constraints = as_constraints || inside_constraints;
                let include = self
                    .includes
                    .open(file, &path, as_constraints)
                    .map_err(|problem| problem.shifted(start))?;
                if let Include::Text { path, text } = include {
                    self.read_text(Place::whole(path.as_str()), &text, Some(&path), as_constraints);
                    self.includes.close();
                }
            }
        }
        Ok(())
    }

    fn check_index_allowed(&self, start: usize) -> Result<(), Problem> {
        if self.policy.allow_index_options {
            return Ok(());
        }
        Err(Problem::at(
            start + 1,
            "packages can only be installed from the configured index here",
            "leave the option out, or ask an administrator to allow other indexes",
        ))
    }
}
