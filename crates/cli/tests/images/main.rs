//! Images that the real command builds, in a real registry, run and asked: what a user of them sees.
//!
//! ```text
//! support.rs       a registry, a cache and the command
//! packages.rs      pip knows our packages and the base's own
//! preserved.rs     nothing of the base changes that was not asked to change
//! like_pip.rs      the same files as pip leaves in a copy of the base
//! already_there.rs bases that have the packages: older, newer, of a vendor
//! prefixes.rs      virtual environments, linked prefixes, musl, what the base tells pip
//! overlaps.rs      packages that share files or folders, or do not fit into the base
//! bytecode.rs      compiled modules that Python takes as they are
//! manifests.rs     Docker's types, other compressions, many layers, other clients
//! rebuilt.rs       an image of ours as the base
//! platforms.rs     one index for two platforms
//! determinism.rs   the same digest wherever and however it is built
//! papers.rs        lock, bill of materials, and the difference of two images
//! reuse.rs         what is not uploaded twice
//! conda/           conda packages, on bases with a prefix and without
//! pypi.rs          packages of the real, public index
//! ```

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod already_there;
mod bytecode;
mod conda;
mod determinism;
mod like_pip;
mod manifests;
mod overlaps;
mod packages;
mod papers;
mod platforms;
mod prefixes;
mod preserved;
mod pypi;
mod rebuilt;
mod reuse;
mod support;
