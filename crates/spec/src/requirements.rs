//! pip's lines: typed into a form, pasted from a shell, or a whole `requirements.txt` with its includes.
//!
//! Nothing is read here: the caller hands in an [`IncludeReader`], and is only ever asked for paths that stay
//! inside the folder of the first file.

mod includes;
mod options;

use crate::command::{Segment, Tool, install_segments};
use crate::error::SpecErrors;
use crate::pip::PipRequirement;
use crate::pip::scan::{Part, Scanner};
use crate::pip_request::PipRequest;
use crate::problem::Problem;
use crate::relative_path::RelativePath;
use crate::text::{Line, Place, read_lines};

use includes::Includes;
pub use includes::{IncludeError, IncludeReader, NoIncludes};

/// What pip lines may ask for beyond packages from the configured index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PipPolicy {
    /// Whether `name @ https://…` and `name @ git+https://…` are allowed.
    pub allow_direct_urls: bool,
    /// Whether `--index-url` and `--extra-index-url` are allowed.
    pub allow_index_options: bool,
}

impl PipPolicy {
    /// Everything is allowed: for people who run builds on their own machine.
    pub const OPEN: Self = Self { allow_direct_urls: true, allow_index_options: true };
    /// Only packages from the configured index.
    pub const INDEX_ONLY: Self = Self { allow_direct_urls: false, allow_index_options: false };
}

/// Reads pip lines that are no file: a form field, or the value of `--pip`. They cannot include files.
///
/// # Errors
/// All lines that could not be understood or are not allowed.
pub fn parse_pip(source: &str, text: &str, policy: PipPolicy) -> Result<PipRequest, SpecErrors> {
    parse_pip_at(Place::whole(source), text, policy)
}

pub(crate) fn parse_pip_at(
    place: Place<'_>,
    text: &str,
    policy: PipPolicy,
) -> Result<PipRequest, SpecErrors> {
    let mut no_includes = NoIncludes;
    let mut reader = Reader::new(policy, &mut no_includes);
    reader.read_text(place, text, None, false);
    reader.finish()
}

/// Reads pip lines that stand at several places of the file `file`, whose includes `includes` can read. The bounds
/// on includes hold for all of them together.
pub(crate) fn parse_pip_in_file(
    lines: &[(Place<'_>, String)],
    file: &RelativePath,
    policy: PipPolicy,
    includes: &mut dyn IncludeReader,
) -> Result<PipRequest, SpecErrors> {
    let mut reader = Reader::new(policy, includes);
    for (place, text) in lines {
        reader.read_text(*place, text, Some(file), false);
    }
    reader.finish()
}

/// Reads a `requirements.txt` whose text is `text` and whose path below the given folder is `file`.
///
/// # Errors
/// All lines, in this file and in those it includes, that could not be understood or are not allowed.
pub fn parse_requirements(
    file: &RelativePath,
    text: &str,
    policy: PipPolicy,
    includes: &mut dyn IncludeReader,
) -> Result<PipRequest, SpecErrors> {
    let mut reader = Reader::new(policy, includes);
    reader.includes.enter_root(file);
    reader.read_text(Place::whole(file.as_str()), text, Some(file), false);
    reader.finish()
}

/// Reads texts and the files they include into one request.
struct Reader<'a> {
    policy: PipPolicy,
    includes: Includes<'a>,
    request: PipRequest,
    errors: SpecErrors,
}

impl<'a> Reader<'a> {
    fn new(policy: PipPolicy, reader: &'a mut dyn IncludeReader) -> Self {
        Self {
            policy,
            includes: Includes::new(reader),
            request: PipRequest::default(),
            errors: SpecErrors::default(),
        }
    }

    fn finish(self) -> Result<PipRequest, SpecErrors> {
        self.errors.or_value(self.request)
    }

    /// Reads a text; `as_constraints` says that its packages only limit what others install.
    fn read_text(&mut self, place: Place<'_>, text: &str, file: Option<&RelativePath>, as_constraints: bool) {
        for line in read_lines(place, text, &mut self.errors) {
            match install_segments(line.characters(), Tool::Pip) {
                Ok(segments) => {
                    for segment in segments {
                        self.read_segment(&line, segment, file, as_constraints);
                    }
                }
                Err(problem) => self.errors.push(line.error(problem)),
            }
        }
    }

    fn read_segment(
        &mut self,
        line: &Line,
        segment: Segment,
        file: Option<&RelativePath>,
        as_constraints: bool,
    ) {
        let mut scanner = Scanner::new(line.characters(), segment.start, segment.end);
        let mut latest: Option<PipRequirement> = None;
        while let Some(part) = scanner.next() {
            let result = match part {
                Part::Requirement { start, text } => {
                    self.keep(latest.take(), as_constraints);
                    self.read_requirement(&text)
                        .map(|requirement| latest = Some(requirement))
                        .map_err(|p| p.shifted(start))
                }
                Part::Option { start, flag, value } if flag == "--hash" => {
                    let value = value.or_else(|| scanner.value());
                    add_hash(&mut latest, start, value)
                }
                Part::Option { start, flag, value } => {
                    let option = options::read(start, &flag, value, &mut scanner, segment.is_command);
                    option.and_then(|option| self.apply(option, file, as_constraints))
                }
            };
            if let Err(problem) = result {
                self.errors.push(line.error(problem));
            }
        }
        self.keep(latest, as_constraints);
    }

    fn read_requirement(&self, text: &str) -> Result<PipRequirement, Problem> {
        let requirement: PipRequirement = text.parse()?;
        if requirement.is_direct_url() && !self.policy.allow_direct_urls {
            return Err(Problem::at(
                1,
                "packages can only be installed from the package index here, not from an address",
                format!("write `{}`, or ask an administrator to allow addresses", requirement.name()),
            ));
        }
        Ok(requirement)
    }

    fn keep(&mut self, requirement: Option<PipRequirement>, as_constraints: bool) {
        let list =
            if as_constraints { &mut self.request.constraints } else { &mut self.request.requirements };
        list.extend(requirement);
    }
}

fn add_hash(
    latest: &mut Option<PipRequirement>,
    start: usize,
    value: Option<(usize, String)>,
) -> Result<(), Problem> {
    let Some((value_start, hash)) = value else {
        return Err(Problem::at(
            start + 1,
            "`--hash` has no value",
            "write `--hash=sha256:` and 64 digits 0-9 a-f",
        ));
    };
    let Some(requirement) = latest.take() else {
        return Err(Problem::at(
            start + 1,
            "`--hash` stands behind no requirement",
            "write it behind its requirement, on the same line",
        ));
    };
    *latest = Some(requirement.with_hash(&hash).map_err(|problem| problem.shifted(value_start))?);
    Ok(())
}

#[cfg(test)]
mod tests;
