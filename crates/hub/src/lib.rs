//! The hub: what people may do with images, groups, secrets and builds, and the doors to it.

pub mod config;
mod private_file;
pub mod registry;
pub mod vault;
