//! Users.

mod input;
mod mutations;
mod object;
mod queries;

pub(super) use input::UserWhereUniqueInput;
pub(super) use mutations::UserMutations;
pub(super) use queries::UserQueries;

pub(super) use object::UserObject;
