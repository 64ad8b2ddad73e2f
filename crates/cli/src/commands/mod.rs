//! The subcommands.

pub(crate) mod build;
pub(crate) mod cache;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod hub;
pub(crate) mod inspect;
