//! The configuration file of a machine: what its operator allows, which no user's plan can change.
//!
//! ```toml
//! [sandbox]
//! memory = "8GiB"
//! disk = "20GiB"
//! allow_without = ["private-network"]
//!
//! [conda]
//! channels = ["conda-forge"]
//! allowed_channels = ["conda-forge", "bioconda"]
//!
//! [conda.mirrors]
//! conda-forge = ["https://mirror.example/conda-forge"]
//! ```

use std::io::ErrorKind as IoErrorKind;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use imagewright_engine::conda::CondaSettings;
use imagewright_engine::error::{BuildError, ErrorKind};
use imagewright_engine::sandbox::{Protection, SandboxSettings};
use imagewright_spec::parse_size;
use serde::Deserialize;

/// Where it is unless something else is said.
const USUAL_PLACE: &str = "/etc/imagewright/config.toml";

/// What can be configured.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Configuration {
    sandbox: SandboxSection,
    conda: CondaSettings,
}

/// Section `[sandbox]`: what is not said stays as it usually is.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SandboxSection {
    memory: Option<Size>,
    processes: Option<u32>,
    disk: Option<Size>,
    free_disk: Option<Size>,
    timeout_seconds: Option<u64>,
    allow_without: Vec<Protection>,
    require: Vec<Protection>,
    reachable: Vec<Ipv4Addr>,
}

/// Bytes, as a number or with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SizeText")]
struct Size(u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum SizeText {
    Bytes(u64),
    Text(String),
}

impl TryFrom<SizeText> for Size {
    type Error = String;

    fn try_from(size: SizeText) -> Result<Self, String> {
        match size {
            SizeText::Bytes(bytes) => Ok(Self(bytes)),
            SizeText::Text(text) => parse_size(&text)
                .map(Self)
                .ok_or_else(|| format!("{text:?} is no size; write for example \"8GiB\" or \"500MB\"")),
        }
    }
}

impl Configuration {
    /// Reads the file that was named, or the usual one where there is one.
    ///
    /// # Errors
    /// A file that was named and does not exist; text that is no configuration, with line and column.
    pub(crate) fn read(named: Option<&Path>) -> Result<Self, BuildError> {
        let path = named.map_or_else(|| PathBuf::from(USUAL_PLACE), Path::to_owned);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == IoErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(invalid(&path, &format!("cannot be read: {error}"))
                    .with_next_step("name a file with --config or IMAGEWRIGHT_CONFIG that exists"));
            }
        };
        let configuration: Self = toml::from_str(&text).map_err(|error| {
            invalid(&path, "is not valid")
                .with_explanation(error.to_string().trim_end().to_owned())
                .with_next_step("correct the line; README.md lists what can be configured")
        })?;
        configuration.check(&path)?;
        Ok(configuration)
    }

    fn check(&self, path: &Path) -> Result<(), BuildError> {
        let needed = self.sandbox.allow_without.iter().find(|protection| !protection.can_be_waived());
        if let Some(needed) = needed {
            return Err(invalid(
                path,
                &format!("allows steps without {}, which is never done", needed.name()),
            )
            .with_explanation(format!("{}.", needed.purpose()))
            .with_next_step("take it out of `allow_without`"));
        }
        if self.sandbox.timeout_seconds == Some(0) || self.sandbox.processes.is_some_and(|most| most < 16) {
            return Err(invalid(path, "gives a step no time, or fewer than 16 processes")
                .with_next_step("raise `timeout_seconds` or `processes` in [sandbox], or leave them out"));
        }
        Ok(())
    }

    /// Where conda packages come from, and what is allowed.
    pub(crate) fn conda(&self) -> &CondaSettings {
        &self.conda
    }

    /// The settings of the sandbox.
    pub(crate) fn sandbox(&self) -> SandboxSettings {
        let usual = SandboxSettings::default();
        let section = &self.sandbox;
        let size = |size: Option<Size>, usual| size.map_or(usual, |size| size.0);
        SandboxSettings {
            memory: size(section.memory, usual.memory),
            processes: section.processes.unwrap_or(usual.processes),
            disk: size(section.disk, usual.disk),
            free_disk: size(section.free_disk, usual.free_disk),
            timeout_seconds: section.timeout_seconds.unwrap_or(usual.timeout_seconds),
            allow_without: section.allow_without.clone(),
            require: section.require.clone(),
            reachable: section.reachable.clone(),
        }
    }
}

fn invalid(path: &Path, why: &str) -> BuildError {
    BuildError::new(ErrorKind::SpecInvalid, format!("the configuration file {} {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Configuration, BuildError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        Configuration::read(Some(&path))
    }

    #[test]
    fn what_is_said_replaces_what_is_usual() {
        let text = "[sandbox]\nmemory = \"2GiB\"\ndisk = 5000000000\nallow_without = [\"private-network\"]\n\
                    reachable = [\"10.0.0.5\"]\n";
        let expected = SandboxSettings {
            memory: 2 << 30,
            disk: 5_000_000_000,
            allow_without: vec![Protection::PrivateNetwork],
            reachable: vec![Ipv4Addr::new(10, 0, 0, 5)],
            ..SandboxSettings::default()
        };
        assert_eq!(read(text).unwrap().sandbox(), expected);
        assert_eq!(read("").unwrap().sandbox(), SandboxSettings::default());
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_line() {
        let explanation = |text| read(text).unwrap_err().explanation().unwrap_or_default().to_owned();
        assert!(explanation("[sandbox]\nmemmory = 1\n").contains("line 2"));
        assert!(explanation("[sandbox]\nmemory = \"lots\"\n").contains("is no size"));
        assert!(explanation("[sandbox]\nallow_without = [\"everything\"]\n").contains("private-network"));
        let error = read("[sandbox]\nallow_without = [\"separate-users\"]\n").unwrap_err();
        assert!(
            error.message().ends_with("allows steps without separate-users, which is never done"),
            "{error}"
        );
        assert!(Configuration::read(Some(Path::new("/nowhere/config.toml"))).is_err());
    }
}
