//! One's own account: signing in, tokens, the password.

mod mutations;
mod queries;
mod token;

pub(super) use mutations::AccountMutations;
pub(super) use queries::AccountQueries;
