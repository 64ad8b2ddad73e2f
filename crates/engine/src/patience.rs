//! How long a build waits for registries and package indexes, and how often it asks again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{BuildError, ErrorKind};

/// The longest wait that can be asked for, in seconds.
const MAXIMUM_TIMEOUT: u64 = 3600;
/// The most attempts that can be asked for.
const MAXIMUM_ATTEMPTS: u32 = 20;

/// Patience with servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Patience {
    /// Seconds without a single byte after which a connection counts as broken.
    pub timeout_seconds: u64,
    /// How often a request is sent before it has failed; at least 1.
    pub attempts: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { timeout_seconds: 60, attempts: 5 }
    }
}

impl Patience {
    /// The wait as a duration.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    /// Attempts after the first.
    pub fn retries(&self) -> u32 {
        self.attempts.saturating_sub(1)
    }

    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`ErrorKind::SpecInvalid`], with the range.
    pub fn check(&self) -> Result<(), BuildError> {
        let refused = |what: &str, most: u64| {
            Err(BuildError::new(ErrorKind::SpecInvalid, format!("{what} must be between 1 and {most}"))
                .with_next_step("correct it, or leave it out: the usual value suits most networks"))
        };
        if !(1..=MAXIMUM_TIMEOUT).contains(&self.timeout_seconds) {
            return refused("the timeout in seconds (--timeout)", MAXIMUM_TIMEOUT);
        }
        if !(1..=MAXIMUM_ATTEMPTS).contains(&self.attempts) {
            return refused("the number of attempts (--attempts)", MAXIMUM_ATTEMPTS.into());
        }
        Ok(())
    }
}
