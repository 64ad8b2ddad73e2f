//! What people may do with a hub, as every door finds it.

#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod accounts;
mod builds;
mod clean_up;
mod groups;
mod images;
mod permissions;
mod secrets;
mod selection;
mod support;
