//! Layers: reading what they change, and writing new ones byte for byte the same every time.

pub mod entry;
pub mod path;
