//! Where conda's packages come from: what an operator sets for all plans, and what a plan says.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use imagewright_spec::CondaChannel;
use serde::{Deserialize, Serialize};
use url::Url;

use super::credentials::ChannelCredentials;

/// The server of channels that are given by their names.
const CHANNEL_ALIAS: &str = "https://conda.anaconda.org/";

/// Sources of conda packages. What is not said is as an operator has set it, or as it usually is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CondaSettings {
    /// The server of channels that are given by their names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_alias: Option<Url>,
    /// Channels that are elsewhere, by name: their mirrors, in order of preference. `conda-forge::numpy` finds numpy
    /// there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub mirrors: BTreeMap<String, Vec<Url>>,
    /// The channels of a plan that names none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<CondaChannel>,
    /// The channels that may be used at all; empty: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_channels: Vec<CondaChannel>,
    /// Which channel's packages win.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_priority: Option<ChannelPriority>,
    /// CUDA of the machines that the image is for, `12.4`, where the base does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cuda: Option<CudaVersion>,
    /// Credentials of channels. Read, never written: a plan can be stored without its secrets.
    #[serde(skip_serializing)]
    pub credentials: Vec<ChannelCredentials>,
}

impl CondaSettings {
    /// The server of channels that are given by their names.
    #[expect(clippy::missing_panics_doc, reason = "a constant")]
    pub fn server(&self) -> Url {
        self.channel_alias.clone().unwrap_or_else(|| CHANNEL_ALIAS.parse().expect("a constant"))
    }

    /// Takes what an operator has set: for what is not said here, and always what is allowed.
    pub fn on_machine(&mut self, operator: &Self) {
        self.channel_alias = self.channel_alias.take().or_else(|| operator.channel_alias.clone());
        for (name, mirrors) in &operator.mirrors {
            self.mirrors.entry(name.clone()).or_insert_with(|| mirrors.clone());
        }
        if self.channels.is_empty() {
            self.channels.clone_from(&operator.channels);
        }
        if !operator.allowed_channels.is_empty() {
            self.allowed_channels.clone_from(&operator.allowed_channels);
            // What a plan says of where channels are must not lead around what is allowed.
            self.channel_alias.clone_from(&operator.channel_alias);
            self.mirrors.clone_from(&operator.mirrors);
        }
        self.channel_priority = self.channel_priority.or(operator.channel_priority);
        self.credentials.extend(operator.credentials.iter().cloned());
    }
}

/// A version of CUDA: two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CudaVersion {
    major: u16,
    minor: u16,
}

impl fmt::Display for CudaVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for CudaVersion {
    type Err = String;

    /// Reads `12.4`, and `12.4.1` as images have it in `CUDA_VERSION`: what follows the second number does not matter.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut numbers = text.split('.').map(|number| number.parse::<u16>().ok());
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(major), Some(minor)) if numbers.all(|number| number.is_some()) => Ok(Self { major, minor }),
            _ => Err(format!("{text:?} is no version of CUDA; write two numbers, for example 12.4")),
        }
    }
}

impl Serialize for CudaVersion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CudaVersion {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Which channel's packages win where several have one, as in conda's `channel_priority`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelPriority {
    /// A package comes from the first channel that has it, in whichever version.
    #[default]
    Strict,
    /// The first channel that has it is preferred.
    Flexible,
    /// The highest version wins.
    Disabled,
}

impl From<ChannelPriority> for rattler_solve::ChannelPriority {
    fn from(priority: ChannelPriority) -> Self {
        match priority {
            ChannelPriority::Strict => Self::Strict,
            ChannelPriority::Flexible => Self::Flexible,
            ChannelPriority::Disabled => Self::Disabled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_cuda_are_two_numbers() {
        assert_eq!("12.4.1".parse::<CudaVersion>().unwrap().to_string(), "12.4");
        for wrong in ["12", "", "12.x", "v12.4", "12.4.x", "-1.2"] {
            assert!(wrong.parse::<CudaVersion>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_an_operator_allows_holds_against_a_plan() {
        let operator: CondaSettings = serde_json::from_str(
            r#"{"channel_alias": "https://conda.example", "allowed_channels": ["conda-forge"], "channels": ["conda-forge"]}"#,
        )
        .unwrap();
        let mut plan: CondaSettings = serde_json::from_str(
            r#"{"channel_alias": "https://evil.example", "mirrors": {"conda-forge": ["https://evil.example/x"]}}"#,
        )
        .unwrap();
        plan.on_machine(&operator);
        assert_eq!(plan.server().as_str(), "https://conda.example/");
        assert!(plan.mirrors.is_empty());
        assert_eq!(plan.allowed_channels, operator.allowed_channels);
    }
}
