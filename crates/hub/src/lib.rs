//! The hub: self-service images for the groups of an organisation.
//!
//! A request comes in through a door (`doors`), which says who asks and what for. What may be done is decided in
//! [`app`], from the one table in [`access`], and kept in the store. Builds are queued with the change that asks for
//! them, claimed by `queue`, run by `launcher` as processes of their own, and tell what they do in files (`logs`).

pub mod access;
pub mod app;
mod clock;
pub mod config;
pub mod doors;
pub mod error;
mod hub;
pub mod launcher;
pub mod logs;
mod metrics;
mod open;
mod password;
mod private_file;
pub mod queue;
mod random;
pub mod registry;
pub mod service;
mod throttle;
pub mod vault;

pub use clock::Clock;
pub use hub::{Hub, Parts};
pub use metrics::Metrics;
pub use open::OpenError;
pub use random::generated_password;
pub use throttle::Throttle;
