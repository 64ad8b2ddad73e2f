//! The Image Builder: custom image specs and their jobs.

mod input;
mod mutations;
mod object;
mod queries;

pub(super) use mutations::SpecMutations;
pub(super) use queries::SpecQueries;
