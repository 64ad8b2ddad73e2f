//! Registries and layers: the registry client, the path index of an image, deterministic tar and the layer cache.
