//! Secrets.

mod input;
mod mutations;
mod object;
mod queries;

pub(super) use mutations::SecretMutations;
pub(super) use queries::SecretQueries;
