//! Builds: one row for each time that something was to be built, from the request to what came of it.

mod list;
mod queue;
mod row;

use std::fmt;

use imagewright_spec::{ImageName, ImageReference, SpecHash, SpecName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::identifiers::{BuildId, GroupId, SecretId, UserId};
use crate::images::Recipe;

pub use list::BuildFilter;
pub use queue::{Finish, Outcome};

/// What a build is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An image that people may choose.
    Image(ImageName),
    /// A custom image spec of the Image Builder.
    Spec(SpecName),
}

impl Subject {
    /// `image` or `spec`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Image(_) => "image",
            Self::Spec(_) => "spec",
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        match self {
            Self::Image(name) => name.as_str(),
            Self::Spec(name) => name.as_str(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind(), self.name())
    }
}

/// How far a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BuildStatus {
    /// It waits for its turn.
    Queued,
    /// A worker has it.
    Running,
    /// Its image is in the registry.
    Succeeded,
    /// It has failed; the error says why.
    Failed,
    /// Somebody ended it.
    Cancelled,
}

impl BuildStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// The name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl std::str::FromStr for BuildStatus {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|status| status.name() == text).ok_or(())
    }
}

/// A stage of a build that has begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// The stable name of the engine's step: `base`, `resolve`, `push`.
    pub name: String,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in seconds; nothing while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// What came of it, in a few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Why a build has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The engine's stable kind: `conflict`, `not_found`, and those of the hub.
    pub kind: String,
    /// A sentence for people.
    pub message: String,
    /// The resolver's or tool's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
}

/// What a build has pushed.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    /// Where the image is, with its tag.
    pub url: ImageReference,
    /// Digest of its manifest or index.
    pub digest: String,
    /// Where the image for machines with a GPU is, if there is one of its own.
    pub gpu_url: Option<ImageReference>,
    /// Digest of that.
    pub gpu_digest: Option<String>,
    /// Digest of the base's manifest.
    pub base_digest: Option<String>,
    /// The secret that pulls it.
    pub pull_secret: Option<SecretId>,
    /// Compressed bytes of the image, base included, where they are known.
    pub size_bytes: Option<u64>,
    /// All that the engine said of it: JSON of `BuildSummary`.
    pub summary: Value,
}

/// A build.
#[derive(Debug, Clone, PartialEq)]
pub struct Build {
    /// Identifier: `image-NAME-NUMBER` or `spec-NAME-NUMBER`.
    pub id: BuildId,
    /// What it is for.
    pub subject: Subject,
    /// Counts the builds of its subject from 1.
    pub number: i64,
    /// For which group; nothing for system images and specs.
    pub group: Option<GroupId>,
    /// How far it is.
    pub status: BuildStatus,
    /// What was asked for.
    pub recipe: Recipe,
    /// The secret that pulls the base.
    pub recipe_secret: Option<SecretId>,
    /// Label of what was asked for.
    pub spec_hash: SpecHash,
    /// The tag that it pushes, which no other build does.
    pub tag: String,
    /// Who asked.
    pub requested_by: UserId,
    /// The name of who asked, then.
    pub requested_by_name: String,
    /// When.
    pub requested_at: Timestamp,
    /// When the first worker took it.
    pub started_at: Option<Timestamp>,
    /// When it ended, however.
    pub finished_at: Option<Timestamp>,
    /// When its row was last changed.
    pub updated_at: Timestamp,
    /// How often a worker took it.
    pub attempt: i64,
    /// Who has it.
    pub worker: Option<String>,
    /// Until when, unless renewed.
    pub lease_until: Option<Timestamp>,
    /// The number of the claim: who holds a lower one has lost it.
    pub fence: i64,
    /// Whether somebody wants it to end.
    pub is_cancel_requested: bool,
    /// When the worker was allowed to move the tag.
    pub publish_granted_at: Option<Timestamp>,
    /// The stages that have begun, in their order.
    pub stages: Vec<Stage>,
    /// What it has pushed.
    pub product: Option<Product>,
    /// Why it has failed.
    pub failure: Option<Failure>,
    /// When its image or spec was deleted.
    pub orphaned_at: Option<Timestamp>,
    /// When what it had pushed was removed.
    pub removed_at: Option<Timestamp>,
}

/// A build to be queued.
#[derive(Debug, Clone)]
pub struct NewBuild {
    /// What it is for.
    pub subject: Subject,
    /// For which group.
    pub group: Option<GroupId>,
    /// What is asked for.
    pub recipe: Recipe,
    /// The secret that pulls the base.
    pub recipe_secret: Option<SecretId>,
    /// Label of what is asked for.
    pub spec_hash: SpecHash,
    /// Who asks.
    pub requested_by: UserId,
    /// The name of who asks.
    pub requested_by_name: String,
    /// When.
    pub requested_at: Timestamp,
}
