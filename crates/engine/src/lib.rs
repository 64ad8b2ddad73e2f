//! The steps that turn a build plan into a pushed image: index the base, resolve, assemble, push.

pub mod assemble;
pub mod base;
pub mod build;
pub mod cache;
pub mod cancel;
pub mod conda;
pub mod error;
pub mod event;
pub mod inspect;
pub mod lock;
pub mod packages;
pub mod papers;
pub mod patience;
pub mod pip;
pub mod plan;
pub mod publish;
pub mod python;
mod registry_error;
pub mod sandbox;
pub mod scope;
pub mod step;
pub mod summary;
pub mod system;
pub mod wheel;
pub mod words;
