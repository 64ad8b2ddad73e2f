//! The store on SQLite and on PostgreSQL: every test runs on both.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

mod audit;
mod builds;
mod cancelled;
mod groups;
mod image_lists;
mod images;
mod migrations;
mod queue;
mod searches;
mod secrets;
mod specs;
mod together;
mod tokens;
mod users;
