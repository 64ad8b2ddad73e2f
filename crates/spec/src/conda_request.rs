//! All that is asked of conda: channels in their order, and match specs.

use serde::{Deserialize, Serialize};

use crate::conda::{CondaChannel, CondaSpec};

/// What conda shall install.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CondaRequest {
    /// Channels to search, the first before the others. Empty: those that the base or the operator configured.
    pub channels: Vec<CondaChannel>,
    /// What to install.
    pub specs: Vec<CondaSpec>,
}

impl CondaRequest {
    /// Whether nothing is to be installed. Channels alone install nothing.
    pub fn is_empty(&self) -> bool {
        self.specs.is_empty()
    }

    /// Adds what another request asks for; its channels come after these.
    pub fn merge(&mut self, other: Self) {
        for channel in other.channels {
            self.add_channel(channel);
        }
        self.specs.extend(other.specs);
    }

    /// The same request in its one canonical form: specs sorted and without repetitions, channels in the order
    /// of their first mention.
    #[must_use]
    pub fn normalised(self) -> Self {
        let mut normalised = Self::default();
        normalised.merge(self);
        normalised.specs.sort();
        normalised.specs.dedup();
        normalised
    }

    /// The channels asked for and, after them, those that only a spec names, as conda searches them.
    pub fn all_channels(&self) -> Vec<CondaChannel> {
        let mut all = Self { channels: self.channels.clone(), specs: Vec::new() };
        for channel in self.specs.iter().filter_map(CondaSpec::channel) {
            all.add_channel(channel);
        }
        all.channels
    }

    pub(crate) fn add_channel(&mut self, channel: CondaChannel) {
        if !self.channels.contains(&channel) {
            self.channels.push(channel);
        }
    }
}
