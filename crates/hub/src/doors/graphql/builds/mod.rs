//! Builds: revisions of images, and what waits and runs.

mod check;
mod difference;
mod object;
mod packages;
mod queries;

pub(super) use object::{job_log_endpoint, phase_of};
pub(super) use queries::BuildQueries;

pub(super) use object::BuildObject;
