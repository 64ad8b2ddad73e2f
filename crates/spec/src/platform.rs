//! The platform an image runs on: `linux/amd64`, `linux/arm64`, `linux/arm64/v8`.

use std::fmt;
use std::str::FromStr;

use crate::problem::{Problem, quote};
use crate::string_type::string_type;

/// A processor family we build for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Architecture {
    /// 64-bit x86, also called `x86_64`.
    Amd64,
    /// 64-bit ARM, also called `aarch64`.
    Arm64,
}

impl Architecture {
    /// The name in OCI manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

/// A platform; the operating system is always Linux.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    architecture: Architecture,
    variant: Option<&'static str>,
}

impl Platform {
    /// A platform without a variant.
    pub fn new(architecture: Architecture) -> Self {
        Self { architecture, variant: None }
    }

    /// Always `linux`.
    pub fn os(&self) -> &'static str {
        "linux"
    }

    /// The processor family.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// The variant of the architecture, if one was written. `v8` of arm64 is what arm64 means, so it is left out.
    pub fn variant(&self) -> Option<&'static str> {
        self.variant
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "linux/{}", self.architecture.as_str())?;
        self.variant.map_or(Ok(()), |variant| write!(formatter, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        const ADVICE: &str = "write `linux/amd64` or `linux/arm64`";
        let mut parts = text.splitn(3, '/');
        let (os, architecture, variant) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        if os != "linux" {
            return Err(Problem::at(1, format!("images are built for Linux, not for {}", quote(os)), ADVICE));
        }
        let column = os.len() + 2;
        let architecture = match architecture {
            Some("amd64" | "x86_64") => Architecture::Amd64,
            Some("arm64" | "aarch64") => Architecture::Arm64,
            Some(other) => {
                return Err(Problem::at(
                    column,
                    format!("the architecture {} is not built", quote(other)),
                    ADVICE,
                ));
            }
            None => return Err(Problem::at(column, "the architecture is missing", ADVICE)),
        };
        let variant = match (architecture, variant) {
            (_, None) | (Architecture::Arm64, Some("v8")) | (Architecture::Amd64, Some("v1")) => None,
            (Architecture::Amd64, Some("v2")) => Some("v2"),
            (Architecture::Amd64, Some("v3")) => Some("v3"),
            (Architecture::Amd64, Some("v4")) => Some("v4"),
            (_, Some(other)) => {
                let column = text.chars().count() - other.chars().count() + 1;
                return Err(Problem::at(
                    column,
                    format!("the variant {} is not known", quote(other)),
                    "leave the variant out",
                ));
            }
        };
        Ok(Self { architecture, variant })
    }
}

string_type!(Platform);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_parse_and_show() {
        for (written, shown) in [
            ("linux/amd64", "linux/amd64"),
            ("linux/x86_64", "linux/amd64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
        ] {
            assert_eq!(written.parse::<Platform>().unwrap().to_string(), shown);
        }
        for refused in [
            "",
            "linux",
            "linux/",
            "windows/amd64",
            "linux/riscv64",
            "linux/arm64/v7",
            "linux/amd64/",
            "Linux/amd64",
        ] {
            refused.parse::<Platform>().unwrap_err();
        }
        assert_eq!(serde_json::to_string(&Platform::new(Architecture::Arm64)).unwrap(), "\"linux/arm64\"");
    }
}
