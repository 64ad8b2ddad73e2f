//! What is wrong with a configuration, where, and what to write instead.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// A configuration that the hub does not start with. It never holds a value that may be secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {message}; {fix}")]
pub struct ConfigError {
    /// Where the mistake is.
    pub place: Place,
    /// What is wrong, as a clause without a full stop.
    pub message: String,
    /// What to do, as an imperative clause without a full stop.
    pub fix: String,
}

/// Where a key was given its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a configuration file.
    File {
        /// The file, as it was named.
        path: PathBuf,
        /// The line, from 1; none for what is wrong with the whole file.
        line: Option<usize>,
    },
    /// In a variable of the environment.
    Variable(String),
    /// Nowhere: it is the default.
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: Some(line) } => {
                write!(formatter, "the configuration file {}, line {line}", path.display())
            }
            Self::File { path, line: None } => write!(formatter, "the configuration file {}", path.display()),
            Self::Variable(name) => write!(formatter, "the variable {name}"),
            Self::Default => formatter.write_str("the default configuration"),
        }
    }
}

/// A mistake whose place is not known where it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) fix: String,
}

impl Wrong {
    pub(super) fn new(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { message: message.into(), fix: fix.into() }
    }

    pub(super) fn at(self, place: Place) -> ConfigError {
        ConfigError { place, message: self.message, fix: self.fix }
    }
}
