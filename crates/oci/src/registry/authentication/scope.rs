//! What a token allows.

use std::fmt;

use crate::registry::RepositoryReference;

/// What a request does with a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Access {
    /// Reads.
    Pull,
    /// Writes; registries want the right to read with it.
    Push,
    /// Removes manifests.
    Delete,
}

/// One repository and what is done with it: `repository:group/image:pull,push` in a token request.
#[derive(Debug, Clone, Copy)]
pub(in crate::registry) struct Scope<'a> {
    pub(in crate::registry) repository: &'a RepositoryReference,
    pub(in crate::registry) access: Access,
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actions = match self.access {
            Access::Pull => "pull",
            Access::Push => "pull,push",
            Access::Delete => "pull,delete",
        };
        write!(formatter, "repository:{}:{actions}", self.repository.repository())
    }
}
