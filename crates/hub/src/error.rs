//! Errors of the hub, for three readers: people get a safe sentence and what to do next, programs a stable code, the
//! log the whole chain, once.

use std::error::Error as StdError;
use std::fmt;

use imagewright_spec::{Problem, SpecError};
use imagewright_store::StoreError;

/// What kind of error it is: all that programs need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nobody is signed in, or with a token that is not good.
    NotAuthenticated,
    /// Who is signed in may not do this.
    NotAllowed,
    /// It does not exist, or not for who is asking.
    NotFound,
    /// It exists already.
    Conflict,
    /// Something else needs it.
    InUse,
    /// What was given makes no sense.
    Invalid,
    /// More than is allowed, or too often.
    TooMany,
    /// Larger than is accepted.
    TooLarge,
    /// It is switched off, or what it needs does not work now.
    Unavailable,
    /// It took too long.
    Timeout,
    /// A defect of ours, or of the machine.
    Internal,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::NotAuthenticated,
        Self::NotAllowed,
        Self::NotFound,
        Self::Conflict,
        Self::InUse,
        Self::Invalid,
        Self::TooMany,
        Self::TooLarge,
        Self::Unavailable,
        Self::Timeout,
        Self::Internal,
    ];

    /// The HTTP status and the stable code of the API: the one table of both. The codes are PrimeHub's where it has
    /// one.
    pub fn codes(self) -> (u16, &'static str) {
        match self {
            Self::NotAuthenticated => (401, "UNAUTHENTICATED"),
            Self::NotAllowed => (403, "NOT_AUTH"),
            Self::NotFound => (404, "RESOURCE_NOT_FOUND"),
            Self::Conflict => (409, "RESOURCE_CONFLICT"),
            Self::InUse => (409, "RESOURCE_IN_USE"),
            Self::Invalid => (400, "BAD_USER_INPUT"),
            Self::TooMany => (429, "TOO_MANY"),
            Self::TooLarge => (413, "PAYLOAD_TOO_LARGE"),
            Self::Unavailable => (503, "UNAVAILABLE"),
            Self::Timeout => (504, "TIMEOUT"),
            Self::Internal => (500, "INTERNAL_ERROR"),
        }
    }
}

/// Something wrong with one field of what was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field, as the API calls it: `displayName`, `imageSpec.packages.pip`.
    pub field: &'static str,
    /// The line in the field, from 1, where it has several.
    pub line: Option<usize>,
    /// The column in the line, from 1, where that is known.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead, or nothing.
    pub suggestion: String,
}

impl FieldProblem {
    /// A problem with a field as a whole.
    pub fn new(field: &'static str, message: impl Into<String>, suggestion: impl Into<String>) -> Self {
        Self { field, line: None, column: None, message: message.into(), suggestion: suggestion.into() }
    }

    /// What a type says of the text that it was to be read from.
    pub fn of(field: &'static str, problem: &Problem) -> Self {
        let column = Some(problem.column);
        Self { column, ..Self::new(field, problem.message.clone(), problem.suggestion.clone()) }
    }

    /// What is wrong with a line of packages.
    pub fn of_line(field: &'static str, error: &SpecError) -> Self {
        Self {
            line: Some(error.line),
            column: Some(error.column),
            ..Self::new(field, error.message.clone(), error.suggestion.clone())
        }
    }
}

impl fmt::Display for FieldProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.field)?;
        if let Some(line) = self.line {
            write!(formatter, ", line {line}")?;
        }
        write!(formatter, ": {}", self.message)?;
        if !self.suggestion.is_empty() {
            write!(formatter, "; {}", self.suggestion)?;
        }
        Ok(())
    }
}

/// An error of the hub.
#[derive(Debug)]
pub struct HubError {
    kind: Kind,
    message: String,
    hint: Option<String>,
    problems: Vec<FieldProblem>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What app functions give.
pub type Result<T, E = HubError> = std::result::Result<T, E>;

impl HubError {
    /// An error with a sentence that its reader may see.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, problems: Vec::new(), source: None }
    }

    /// Nobody is signed in.
    pub fn not_authenticated() -> Self {
        Self::new(Kind::NotAuthenticated, "You are not signed in, or your token is not valid any more")
            .with_hint("sign in, or send a valid API token")
    }

    /// Who is signed in may not do this.
    pub fn not_allowed() -> Self {
        Self::new(Kind::NotAllowed, "Not authorise")
            .with_hint("ask an admin of the group, or an admin of the hub")
    }

    /// There is no such thing for who is asking. The sentence is what PrimeHub's client looks for:
    /// `images.primehub.io "NAME" not found`.
    pub fn not_found(resource: &str, name: &str) -> Self {
        Self::new(Kind::NotFound, format!("{resource} \"{name}\" not found"))
    }

    /// One field is wrong.
    pub fn invalid(problem: FieldProblem) -> Self {
        Self::invalid_fields(vec![problem])
    }

    /// Fields are wrong, all of them at once.
    pub fn invalid_fields(problems: Vec<FieldProblem>) -> Self {
        let sentences: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Self { problems, ..Self::new(Kind::Invalid, sentences.join("\n")) }
    }

    /// A defect of ours; the reader learns no more than that.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Kind::Internal, "Something went wrong in the hub")
            .with_hint("try again; if it stays, tell an admin the time and the request id")
            .with_source(source)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what only the log gets.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// What is wrong, field by field.
    pub fn problems(&self) -> &[FieldProblem] {
        &self.problems
    }
}

impl fmt::Display for HubError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl StdError for HubError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<StoreError> for HubError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken => Self::new(Kind::Conflict, "Resource already exist").with_source(error),
            StoreError::Referred => {
                Self::new(Kind::InUse, "Something else refers to it, or it refers to what does not exist")
                    .with_source(error)
            }
            StoreError::Database(_) => Self::new(Kind::Unavailable, "The hub's database does not answer")
                .with_hint("try again in a moment")
                .with_source(error),
            other => Self::internal(other),
        }
    }
}

/// An error with its causes in one line, for the log.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut words = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(current) = cause {
        words.push(current.to_string());
        cause = current.source();
    }
    words.dedup();
    words.join(": ")
}
