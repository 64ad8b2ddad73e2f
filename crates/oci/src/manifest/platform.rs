//! The platform an image is for, as registries write it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An operating system, an architecture (in Go's names: `amd64`, `arm64`) and its variant.
///
/// Registries may hold anything here; which platforms can be built for is decided elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`, `windows`, …
    #[serde(default)]
    pub os: String,
    /// `amd64`, `arm64`, `arm`, …
    #[serde(default)]
    pub architecture: String,
    /// `v7`, `v8`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// A text that is no `os/architecture[/variant]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a platform: write os/architecture, for example linux/amd64")]
pub struct PlatformParseError(String);

impl Platform {
    /// A platform without a variant.
    pub fn new(os: impl Into<String>, architecture: impl Into<String>) -> Self {
        Self { os: os.into(), architecture: architecture.into(), variant: None }
    }

    /// Whether both mean the same machines: `arm64` and `arm64/v8` do, `amd64` and `amd64/v3` don't.
    pub fn same_as(&self, other: &Self) -> bool {
        self.os == other.os
            && self.architecture == other.architecture
            && self.effective_variant() == other.effective_variant()
    }

    /// The variant, with the one that an architecture implies left out.
    fn effective_variant(&self) -> Option<&str> {
        let variant = self.variant.as_deref().filter(|variant| !variant.is_empty());
        match (self.architecture.as_str(), variant) {
            ("arm64", Some("v8")) | ("amd64", Some("v1")) | ("arm", Some("v7")) => None,
            (_, variant) => variant,
        }
    }
}

impl From<imagewright_spec::Platform> for Platform {
    fn from(platform: imagewright_spec::Platform) -> Self {
        Self {
            os: platform.os().to_owned(),
            architecture: platform.architecture().as_str().to_owned(),
            variant: platform.variant().map(str::to_owned),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(formatter, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Platform {
    type Err = PlatformParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        let valid = parts.iter().all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        });
        match parts[..] {
            [os, architecture] if valid => Ok(Self::new(os, architecture)),
            [os, architecture, variant] if valid => {
                Ok(Self { variant: Some(variant.to_owned()), ..Self::new(os, architecture) })
            }
            _ => Err(PlatformParseError(text.chars().take(80).collect())),
        }
    }
}
