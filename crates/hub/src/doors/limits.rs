//! How much one request may ask for.

use std::time::Duration;

use crate::config::HubConfig;

/// How much one request to the API may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiLimits {
    /// How deep the fields of a query may be nested.
    pub depth: usize,
    /// How many fields a query may have; those that cost more count more than once.
    pub complexity: usize,
    /// How many bytes the body of a request may have.
    pub body_bytes: usize,
    /// How long an answer may take. Logs that are followed have no end.
    pub time: Duration,
    /// Whether clients may ask what the schema is.
    pub introspection: bool,
}

impl From<&HubConfig> for ApiLimits {
    fn from(config: &HubConfig) -> Self {
        Self {
            depth: config.api.depth,
            complexity: config.api.complexity,
            body_bytes: usize::try_from(config.api.body_bytes).unwrap_or(usize::MAX),
            time: Duration::from_secs(config.api.request_seconds),
            introspection: config.introspection,
        }
    }
}

impl Default for ApiLimits {
    fn default() -> Self {
        Self {
            depth: 15,
            complexity: 2000,
            body_bytes: 1024 * 1024,
            time: Duration::from_secs(30),
            introspection: true,
        }
    }
}
