//! Talking to registries.

mod api;
mod error;
mod name;

pub use self::api::{
    BlobSource, BlobStream, FetchedManifest, Mounted, Progress, Registry, RegistryFuture, ResolvedImage,
};
pub use self::error::{Attempt, BoxedError, RegistryError, RegistryErrorKind};
pub use self::name::{RepositoryName, TagOrDigest};
