//! What foreign code writes, as people are shown it while it runs.

use super::explain::clean;
use crate::event::{Event, Events};

/// Tells people each line that is not empty, without what a terminal would obey and without passwords: sources of a
/// base may have addresses with one.
pub(super) fn teller(events: &Events) -> impl Fn(&str) + Send + Sync + 'static {
    let events = events.clone();
    move |line| {
        if !line.trim().is_empty() {
            events.send(Event::Output { line: clean(line) });
        }
    }
}
