//! The hub through its doors, as programs find it.

#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod api;
mod authorization;
mod figures;
mod images;
mod logs;
mod selection;
mod server;
#[path = "../app/support.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
mod transport;
