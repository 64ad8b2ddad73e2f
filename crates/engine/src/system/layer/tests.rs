//! Layers from changes as overlayfs writes them down.
