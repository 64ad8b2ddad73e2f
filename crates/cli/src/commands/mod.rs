//! The subcommands.

pub(crate) mod build;
pub(crate) mod cache;
