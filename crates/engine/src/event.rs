//! What a build tells while it runs: the same events become progress bars on a terminal, JSON lines for
//! programs, and the log of the hub.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::BuildError;
pub use crate::step::Step;
use crate::summary::BuildSummary;

/// What a step's progress counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Packages.
    Packages,
}

/// One event. Serialised as one JSON object with the field `event`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A step begins.
    StepStarted {
        /// Which one.
        step: Step,
        /// `linux/amd64`; absent where a step serves all platforms.
        #[serde(skip_serializing_if = "Option::is_none")]
        platform: Option<String>,
    },
    /// A step has ended well.
    StepFinished {
        /// Which one.
        step: Step,
        /// How long it took, in seconds.
        seconds: f64,
        /// What came of it, in a few words.
        detail: String,
    },
    /// How far a step is. Sent some times a second at most.
    Progress {
        /// Which step.
        step: Step,
        /// Units done.
        done: u64,
        /// Units in all, as far as is known now.
        total: u64,
        /// What is counted.
        unit: Unit,
    },
    /// A line worth keeping.
    Log {
        /// The line, without its end.
        line: String,
    },
    /// A line that a program in the sandbox wrote. It may say anything.
    Output {
        /// The line, without its end; at most some thousand bytes.
        line: String,
    },
    /// Something people should know, though the build goes on.
    Warning {
        /// A sentence.
        message: String,
    },
    /// Everything but the tags is in the registry, and the supervisor of the build is asked whether they may move.
    PublishRequested,
    /// The build is done.
    Result(Box<BuildSummary>),
    /// The build has failed: the last event.
    Error {
        /// Stable kind.
        kind: crate::error::ErrorKind,
        /// A sentence for people.
        message: String,
        /// The resolver's or tool's own words.
        #[serde(skip_serializing_if = "Option::is_none")]
        explanation: Option<String>,
        /// What to do next.
        #[serde(skip_serializing_if = "Option::is_none")]
        next_step: Option<String>,
    },
}

impl From<&BuildError> for Event {
    fn from(error: &BuildError) -> Self {
        Self::Error {
            kind: error.kind(),
            message: error.message().to_owned(),
            explanation: error.explanation().map(str::to_owned),
            next_step: error.next_step().map(str::to_owned),
        }
    }
}

/// Where events go. Cheap to clone; may be called from any thread.
#[derive(Clone)]
pub struct Events(Arc<dyn Fn(Event) + Send + Sync>);

impl Events {
    /// Sends each event to `receive`, in the order in which it happens.
    pub fn new(receive: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(receive))
    }

    /// Sends them nowhere.
    pub fn none() -> Self {
        Self::new(|_| {})
    }

    /// Sends one event.
    pub fn send(&self, event: Event) {
        (self.0)(event);
    }

    /// Sends a warning.
    pub fn warn(&self, message: impl Into<String>) {
        self.send(Event::Warning { message: message.into() });
    }

    /// Sends a line for the log.
    pub fn log(&self, line: impl Into<String>) {
        self.send(Event::Log { line: line.into() });
    }

    /// Says that a step begins; [`RunningStep::finish`] says that it has ended.
    pub fn start(&self, step: Step, platform: Option<&str>) -> RunningStep {
        self.send(Event::StepStarted { step, platform: platform.map(str::to_owned) });
        RunningStep { events: self.clone(), step, started: Instant::now(), reported: Arc::default() }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Events")
    }
}

/// The shortest time between two progress events of one step.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// A step that has begun.
#[derive(Debug, Clone)]
pub struct RunningStep {
    events: Events,
    step: Step,
    started: Instant,
    reported: Arc<Mutex<Option<Instant>>>,
}

impl RunningStep {
    /// Says how far the step is. Most calls between the first and the last are swallowed: work moves on faster
    /// than anyone reads.
    pub fn progress(&self, done: u64, total: u64, unit: Unit) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if done < total && reported.is_some_and(|last| last.elapsed() < PROGRESS_INTERVAL) {
            return;
        }
        *reported = Some(Instant::now());
        self.events.send(Event::Progress { step: self.step, done, total, unit });
    }

    /// Says that the step has ended well. Returns its length in seconds.
    pub fn finish(self, detail: impl Into<String>) -> f64 {
        let seconds = self.started.elapsed().as_secs_f64();
        self.events.send(Event::StepFinished { step: self.step, seconds, detail: detail.into() });
        seconds
    }
}
