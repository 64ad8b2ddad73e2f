//! Real parts for tests: a registry, base images, a wheel index and a way to run a built image.
//!
//! Nothing here imitates a part that can be had: the registry is CNCF Distribution, the Debian base is made by
//! `mmdebstrap`, images are run by `buildah`. What cannot be had on a machine is skipped loudly
//! ([`require_tool!`]), and never where `CI=true`. Every part listens on a free port of 127.0.0.1, keeps its files
//! in a temporary folder and ends with the value that stands for it, even when the test is killed. (PostgreSQL listens on a socket in its folder.)
//!
//! ```no_run
//! use imagewright_testkit::{Entry, Fault, FaultyProxy, ImageBuilder, LayerBuilder, Registry, Runner, bases};
//!
//! # async fn example() {
//! // A real registry, a real Debian with Python, and one layer of ours above it.
//! let registry = Registry::new();
//! let base = bases::debian_python(&registry).await;
//! let layer = LayerBuilder::new().file("etc/greeting", "hello\n").add(Entry::directory("srv/data").mode(0o2775));
//! let image = ImageBuilder::from_image(&base).layer(layer.build()).env("COLOUR", "green");
//! let pushed = image.push(&registry, "team/greeting:1").await;
//!
//! // Run it.
//! let runner = Runner::start(&registry, &pushed.reference);
//! assert_eq!(runner.run(&["cat", "/etc/greeting"]).stdout, "hello\n");
//! assert_eq!(runner.file_metadata("/srv/data").mode, 0o2775);
//!
//! // The same registry on a bad day.
//! let proxy = FaultyProxy::in_front_of(&registry);
//! proxy.inject(Fault::on("/manifests/").times(2).status(503));
//! // … point the code under test at `proxy.host()`, then ask what it did:
//! assert_eq!(proxy.uploaded_bytes(), 0);
//! # }
//! ```
//!
//! Helpers that cannot do their work panic with a sentence that says what was attempted: in a test, that is the
//! failure one wants to read. What is hostile on purpose ([`Layer::claiming_digest`], [`WheelBuilder::symlink`])
//! is named so.

#![expect(
    clippy::missing_panics_doc,
    reason = "every helper panics when its part does not work: that fails the test"
)]

pub mod bases;
pub mod conda;

mod apt;
mod cache;
mod client;
mod digest;
mod image;
mod index;
mod postgresql;
mod primehub;
mod process;
mod proxy;
mod registry;
mod runner;
mod sdist;
mod server;
#[cfg(test)]
mod testing;
mod tool;
mod wheel;

pub use apt::{Deb, DebBuilder, apt_repository};
pub use digest::sha256;
pub use image::{
    Compression, Entry, ImageBuilder, IndexBuilder, Layer, LayerBuilder, MediaTypes, PushedImage,
    PushedIndex, PushedLayer,
};
pub use index::{PackageIndex, PackageIndexBuilder};
pub use postgresql::PostgreSql;
pub use primehub::{PrimeHubSdk, SdkOutput};
pub use proxy::FaultyProxy;
pub use registry::{Grant, Registry, RegistryBuilder, TokenAuth, TokenRequest};
pub use runner::{FileMetadata, RunOutput, Runner};
pub use sdist::{Sdist, SdistBuilder};
pub use server::{Fault, RecordedRequest};
#[doc(hidden)]
pub use tool::missing;
pub use tool::tool;
pub use wheel::{Wheel, WheelBuilder};
