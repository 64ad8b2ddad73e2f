//! Reading an image: a line that moves while it takes time, and nothing afterwards.

use std::sync::Arc;

use imagewright_engine::event::{Event, Events};

use super::lively::Lively;
use super::screen::Screen;

/// Shows how far the reading of an image is, on a terminal only.
pub(crate) struct ReadingDisplay {
    lively: Option<Arc<Lively>>,
}

impl ReadingDisplay {
    /// A display on standard error.
    pub(crate) fn new() -> Self {
        let screen = Screen::of_standard_error();
        let lively = screen.is_lively() && !super::is_logging();
        Self { lively: lively.then(|| Arc::new(Lively::new(screen))) }
    }

    /// Takes the events of the reading.
    pub(crate) fn events(&self) -> Events {
        let Some(lively) = self.lively.clone() else { return Events::none() };
        Events::new(move |event| match event {
            Event::StepStarted { step, .. } => lively.start(step, "Read the image"),
            Event::Progress { step, done, total, unit } => lively.progress(step, done, total, unit),
            _ => {}
        })
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        if let Some(lively) = &self.lively {
            lively.finish();
        }
    }
}
