//! Images that the real command builds, in a real registry, run and asked: what a user of them sees.
//!
//! ```text
//! support.rs       a registry, a cache and the command
//! packages.rs      pip knows our packages and the base's own
//! preserved.rs     nothing of the base changes that was not asked to change
//! ```

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod packages;
mod preserved;
mod support;
