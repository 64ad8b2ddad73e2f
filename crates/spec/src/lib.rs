//! What a user may ask for: names, image references, package lines and the build spec. Pure: no I/O and no clock.

mod apt;
mod names;
mod platform;
mod problem;
mod reference;
mod repository;
mod revision;
mod string_type;

pub use apt::{AptPackage, AptSelection};
pub use names::{DisplayName, ImageName, SpecName};
pub use platform::{Architecture, Platform};
pub use problem::Problem;
pub use reference::ImageReference;
pub use repository::RepositoryReference;
pub use revision::Revision;
