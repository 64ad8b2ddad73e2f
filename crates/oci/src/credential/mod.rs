//! Credentials of registries: what they are and where they are found.
