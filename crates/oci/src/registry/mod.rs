//! Talking to registries.
//!
//! [`Registry`] is what the rest of the program sees; [`RegistryClient`] is its implementation over
//! `oci-client`, which moves the bytes of blobs. Requests that the library has no room for (tokens
//! of several scopes, bounded answers, mounts) are sent directly; each says why.
//!
//! Nothing that a registry says is trusted: bodies are bounded, digests verified, addresses in
//! descriptors never followed, and error texts cleaned before they are quoted.

mod api;
mod authentication;
mod blobs;
mod client;
mod config;
mod download;
mod endpoint;
mod error;
mod failure;
mod http;
mod implementation;
mod library;
mod manifests;
mod name;
mod redact;
mod referrers;
mod resolve;
mod retry;
mod tls;
mod upload;

pub use imagewright_spec::RepositoryReference;

pub use self::api::{
    BlobSource, BlobStream, FetchedManifest, Mounted, Progress, Registry, RegistryFuture, ResolvedImage,
};
pub use self::client::RegistryClient;
pub use self::config::{RegistryClientConfig, Timeouts};
pub use self::error::{Attempt, BoxedError, RegistryError, RegistryErrorKind};
pub use self::name::TagOrDigest;
pub use self::retry::RetryPolicy;
pub use self::tls::install_tls_provider;
