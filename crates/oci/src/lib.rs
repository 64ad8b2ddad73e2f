//! Registries and layers: the registry client, the path index of an image, deterministic tar and the layer cache.

pub mod credential;
pub mod digest;
pub mod layer;
pub mod manifest;
pub mod media_type;
pub mod registry;
pub mod tree;
