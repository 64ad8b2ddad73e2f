//! Writing layers: from staged packages to the layers of an image.
//!
//! ```text
//! placement.rs    staged paths → real paths in the image, with owners
//! overlap.rs      paths that several packages bring: the last one in pip's order keeps it
//! frame.rs        one package as a compressed piece of a layer, kept in the cache
//! folders.rs      the parent folders that every layer repeats exactly
//! layer_plan.rs   which packages share a layer
//! layer.rs        joining frames to a layer: digest, diff id, size
//! removal.rs      what replaced packages leave behind, as whiteouts
//! top.rs          the small layer of what differs from image to image
//! config.rs       the base's configuration, edited
//! manifest.rs     the manifest
//! ```

pub mod config;
pub mod folders;
pub mod frame;
pub mod layer;
pub mod layer_plan;
pub mod manifest;
pub mod overlap;
pub mod placement;
pub mod removal;
pub mod top;

/// Raised whenever the same packages on the same base would give other bytes: part of every key.
pub const FORMAT_VERSION: u32 = 1;
