//! System packages: the one step of a build that runs what the base brings along, and what comes of it.
//!
//! ```text
//! detect.rs      whether the base has APT, and what it is
//! proxies.rs     the caller's way to the network, as steps are told of it
//! base_store.rs  a base, unpacked once for all steps upon it
//! container.rs   a container of the base, inside the sandbox
//! install.rs     apt-get in a container
//! explain/       apt's failures in words
//! layer/         from what changed to a layer
//! output.rs      what foreign code writes, as people are shown it
//! record.rs      which packages were installed
//! build_room.rs  a container in which packages are built from source
//! image.rs       the result, from the cache or made now
//! ```

mod base_store;
mod build_room;
mod container;
mod detect;
mod explain;
mod image;
mod install;
pub(crate) mod layer;
mod output;
mod proxies;
mod record;

pub(crate) use base_store::{COMPLETE, StepImage, StoredLayer};
pub(crate) use build_room::SandboxRooms;
pub(crate) use detect::{AptBase, detect};
pub(crate) use image::{SystemContext, SystemImage, SystemLayer, SystemRequest, system_image};
pub(crate) use proxies::proxies_of_this_process;
pub use record::LockedSystemPackage;
pub(crate) use record::installed_of;
