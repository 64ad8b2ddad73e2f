//! Files that a requirements file includes: bounded in number and depth, each read once, never in a circle.

use thiserror::Error;

use crate::problem::{Problem, quote};
use crate::relative_path::RelativePath;

const MOST_FILES: usize = 64;
const DEEPEST: usize = 16;

/// Why a file could not be read, as a clause for people: `there is no such file`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct IncludeError(pub String);

impl IncludeError {
    /// An error that shows `message`.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Reads the files that others include. Closures `|path| …` are readers, too.
pub trait IncludeReader {
    /// The text of the file at `path` below the given folder. Implementations bound the size of what they read
    /// (1 MiB is all that is understood) and do not follow links out of the folder.
    fn read(&mut self, path: &RelativePath) -> Result<String, IncludeError>;
}

impl<F: FnMut(&RelativePath) -> Result<String, IncludeError>> IncludeReader for F {
    fn read(&mut self, path: &RelativePath) -> Result<String, IncludeError> {
        self(path)
    }
}

/// For texts that stand alone, such as a form field.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoIncludes;

impl IncludeReader for NoIncludes {
    fn read(&mut self, _: &RelativePath) -> Result<String, IncludeError> {
        Err(IncludeError::new("other files cannot be included here"))
    }
}

/// What an include gave.
pub(super) enum Include {
    /// The file's text; [`Includes::close`] is called when it is read through.
    Text { path: RelativePath, text: String },
    /// The file was read before in the same role.
    Known,
}

/// Keeps book of the files that are open and of those that were read.
pub(super) struct Includes<'a> {
    reader: &'a mut dyn IncludeReader,
    open: Vec<RelativePath>,
    read: Vec<(RelativePath, bool)>,
}

impl<'a> Includes<'a> {
    pub(super) fn new(reader: &'a mut dyn IncludeReader) -> Self {
        Self { reader, open: Vec::new(), read: Vec::new() }
    }

    /// Notes the first file, so that one that includes it again is found out.
    pub(super) fn enter_root(&mut self, file: &RelativePath) {
        self.open.push(file.clone());
    }

    /// Opens the file that `path` means in `file`.
    pub(super) fn open(
        &mut self,
        file: Option<&RelativePath>,
        path: &str,
        as_constraints: bool,
    ) -> Result<Include, Problem> {
        let path = match file {
            Some(file) => file.resolve(path)?,
            None => path.parse()?,
        };
        if self.open.contains(&path) {
            let circle: Vec<&str> = self.open.iter().chain([&path]).map(RelativePath::as_str).collect();
            return Err(Problem::at(
                1,
                format!("the files include each other in a circle: {}", circle.join(" → ")),
                "leave this include out",
            ));
        }
        let key = (path, as_constraints);
        if self.read.contains(&key) {
            return Ok(Include::Known);
        }
        if self.open.len() > DEEPEST || self.read.len() >= MOST_FILES {
            return Err(Problem::at(
                1,
                format!("at most {MOST_FILES} files can be included, {DEEPEST} deep"),
                "write the requirements into fewer files",
            ));
        }
        let text = self.reader.read(&key.0).map_err(|error| {
            Problem::at(
                1,
                format!("{} cannot be included: {error}", quote(key.0.as_str())),
                "write its requirements here, or correct the path",
            )
        })?;
        let path = key.0.clone();
        self.read.push(key);
        self.open.push(path.clone());
        Ok(Include::Text { path, text })
    }

    /// Notes that the file opened last is read through.
    pub(super) fn close(&mut self) {
        self.open.pop();
    }
}
