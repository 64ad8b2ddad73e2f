//! Builds that a hub runs with the real command: from the request to an image in use, and through everything that may
//! come in between.

#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

#[path = "../failures/support/base.rs"]
#[expect(dead_code, reason = "another suite uses all of it")]
mod base;
mod builds;
mod interrupted;
mod scene;
