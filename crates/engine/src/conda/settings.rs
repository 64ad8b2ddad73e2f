//! Where conda's packages come from: what an operator sets for all plans, and what a plan says.

use std::collections::BTreeMap;

use imagewright_spec::CondaChannel;
use serde::{Deserialize, Serialize};
use url::Url;

use super::credentials::ChannelCredentials;

/// The server of channels that are given by their names.
const CHANNEL_ALIAS: &str = "https://conda.anaconda.org/";

/// Sources of conda packages.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CondaSettings {
    /// The server of channels that are given by their names.
    pub channel_alias: Url,
    /// Channels that are elsewhere, by name: their mirrors, in order of preference. `conda-forge::numpy` finds numpy
    /// there.
    pub mirrors: BTreeMap<String, Vec<Url>>,
    /// The channels of a plan that names none.
    pub channels: Vec<CondaChannel>,
    /// The channels that may be used at all; empty: any.
    pub allowed_channels: Vec<CondaChannel>,
    /// Which channel's packages win.
    pub channel_priority: ChannelPriority,
    /// CUDA of the machines that the image is for, `12.4`, where the base does not say.
    pub cuda: Option<String>,
    /// Credentials of channels. Read, never written: a plan can be stored without its secrets.
    #[serde(skip_serializing)]
    pub credentials: Vec<ChannelCredentials>,
}

impl Default for CondaSettings {
    #[expect(clippy::missing_panics_doc, reason = "a constant")]
    fn default() -> Self {
        Self {
            channel_alias: CHANNEL_ALIAS.parse().expect("a constant"),
            mirrors: BTreeMap::new(),
            channels: Vec::new(),
            allowed_channels: Vec::new(),
            channel_priority: ChannelPriority::default(),
            cuda: None,
            credentials: Vec::new(),
        }
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
