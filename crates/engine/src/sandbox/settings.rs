//! What the operator of a machine allows: section `[sandbox]` of the configuration file.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::Protection;

const GIBIBYTE: u64 = 1 << 30;

/// Limits of a sandbox, and what it may do without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxSettings {
    /// Bytes of memory for everything inside together; for each process where the machine cannot count them
    /// together.
    pub memory: u64,
    /// Processes and threads at once.
    pub processes: u32,
    /// Bytes that a step may write.
    pub disk: u64,
    /// Bytes of the disk that a step leaves free.
    pub free_disk: u64,
    /// Seconds that a step may take.
    pub timeout_seconds: u64,
    /// Protections without which steps are run all the same, though this machine lacks them.
    pub allow_without: Vec<Protection>,
    /// Protections without which no step is run, besides those that always are needed.
    pub require: Vec<Protection>,
    /// Addresses of this machine, or of its metadata service, that steps may reach all the same: those of a proxy
    /// or a mirror.
    pub reachable: Vec<Ipv4Addr>,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self {
            memory: 8 * GIBIBYTE,
            processes: 4096,
            disk: 20 * GIBIBYTE,
            free_disk: GIBIBYTE,
            timeout_seconds: 30 * 60,
            allow_without: Vec::new(),
            require: Vec::new(),
            reachable: Vec::new(),
        }
    }
}

impl SandboxSettings {
    /// True when steps may run without a protection that this machine lacks.
    pub fn allows_without(&self, protection: Protection) -> bool {
        protection.can_be_waived() && self.allow_without.contains(&protection)
    }

    /// True when no step may run without this protection.
    pub fn requires(&self, protection: Protection) -> bool {
        !self.allows_without(protection) && (protection.is_required() || self.require.contains(&protection))
    }
}
