//! Synthetic images: layers entry by entry, configurations key by key, and lies on purpose.

mod build;
mod entry;
mod index;
mod layer;
mod push;

pub use build::{ImageBuilder, MediaTypes};
pub use entry::Entry;
pub use index::{IndexBuilder, PushedIndex};
pub use layer::{Compression, Layer, LayerBuilder};
pub use push::{PushedImage, PushedLayer};

pub(crate) use layer::Encoder;
