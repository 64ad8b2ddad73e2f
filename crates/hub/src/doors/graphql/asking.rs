//! Who asks which hub: what comes with every request.

use async_graphql::Context;

use crate::access::Actor;
use crate::error::{HubError, Kind, Result};
use crate::hub::Hub;

/// What the request of a field brought along.
pub(super) trait Asking {
    /// The hub that is asked.
    fn hub(&self) -> &Hub;

    /// Who asks.
    fn actor(&self) -> &Actor;
}

impl Asking for Context<'_> {
    fn hub(&self) -> &Hub {
        self.data_unchecked::<Hub>()
    }

    fn actor(&self) -> &Actor {
        self.data_unchecked::<Actor>()
    }
}

/// Nothing in place of the error that there is no such thing: PrimeHub's clients expect that of queries for one.
pub(super) fn if_found<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Text in which nothing is the same as nothing at all: what forms send for fields that were left empty.
pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// A problem with one field of what was given.
pub(super) fn problem(
    field: &'static str,
    message: impl Into<String>,
    suggestion: impl Into<String>,
) -> HubError {
    HubError::invalid(crate::error::FieldProblem::new(field, message, suggestion))
}
