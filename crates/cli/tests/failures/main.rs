//! What people see when something goes wrong: the exit code, the kind, the sentence and the next step; and that
//! nothing is left behind, whatever ended a build.
//!
//! Every test runs the real command in folders of its own, against a real registry and the test kit's package
//! index, with a small base that can be indexed and built upon in milliseconds.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is how a failure is told")]

mod access;
mod bases;
mod cancel;
mod damage;
mod disk;
mod packages;
mod registry;
mod shared;
mod supervised;
mod support;
mod system;
mod trust;
