//! Layers: reading what they change, and writing new ones byte for byte the same every time.

pub mod codec;
pub mod entry;
pub mod index;
pub mod path;
pub mod tar;
