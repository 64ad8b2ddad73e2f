//! How far the stages are of builds that run here: too quick for the database, and of no use afterwards.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use imagewright_store::BuildId;

/// How far a stage is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageProgress {
    /// The stage.
    pub stage: String,
    /// Units done.
    pub done: u64,
    /// Units in all, as far as is known.
    pub total: u64,
}

/// The latest progress of each build. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Mutex<HashMap<BuildId, StageProgress>>>);

impl Progress {
    /// The latest of a build.
    pub fn of(&self, build: &BuildId) -> Option<StageProgress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(build).cloned()
    }

    pub(super) fn set(&self, build: &BuildId, stage: String, done: u64, total: u64) {
        let progress = StageProgress { stage, done, total };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(build.clone(), progress);
    }

    pub(super) fn forget(&self, build: &BuildId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(build);
    }
}
