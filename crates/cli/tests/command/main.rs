//! The command as people and scripts meet it: what is typed, what is said, which exit code comes back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod dry_run;
mod files;
mod help;
mod plan;
mod reports;
mod results;
mod secrets;
mod support;
mod terminal;
mod usage;
