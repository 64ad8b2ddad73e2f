//! The registry that the hub runs itself, where none is configured.

pub mod managed;
