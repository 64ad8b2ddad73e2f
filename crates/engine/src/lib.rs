//! The steps that turn a build plan into a pushed image: index the base, resolve, assemble, push.

pub mod error;
pub mod python;
pub mod wheel;
