//! Building what is published as source only, once, into a wheel that is then like any other.
//!
//! ```text
//! room.rs         where hostile code runs: an interface, others give it     driver.py  what runs there, ours
//! builder.rs      from sources to a wheel, in order       job.rs      one run of the driver
//! wanted.rs, settings.rs   what goes in and comes out     requirements.rs  what has to be there
//! pyproject.rs    how sources want to be built            environment.rs  what they are built with
//! address.rs, by_address.rs  sources at an address        git.rs, git_tree.rs  repositories
//! hostile.rs      taking files out of the room            check.rs    whether the wheel is what was asked for
//! store.rs        built wheels of one owner and base      locked.rs   what the lock says of them
//! explain.rs, missing.rs   why it failed, in words
//! ```
//!
//! The engine fetches everything, with whatever credentials that needs, and verifies it; the room gets packed
//! sources, packed requirements and the driver, and gives back one file. Nothing that comes out of it is believed:
//! the file must be a whole wheel, of the name and version that was asked for, for this Python.

mod address;
mod builder;
mod by_address;
mod check;
mod environment;
mod explain;
mod git;
mod git_tree;
mod hostile;
mod job;
mod locked;
mod missing;
mod pyproject;
mod requirements;
mod room;
mod settings;
mod store;
#[cfg(test)]
mod tests;
mod wanted;

pub use git::GitSettings;
pub use locked::{LockedBuild, LockedRequirement, LockedSource};
pub use room::{BuildRoom, RoomCommand, RoomMaker, RoomOutcome, Rooms};
pub use settings::SourceSettings;
pub use store::find_built;

pub(super) use builder::Builder;
pub(super) use wanted::{Built, Wanted};
