//! The gate before the first tag: whoever supervises a build is asked there, and has the last word.

use std::sync::Arc;

use tokio::sync::watch;

use crate::event::{Event, Events};

/// What a build passes before it moves a tag. One gate is for one build: what was granted once holds for all its tags.
#[derive(Debug, Clone, Default)]
pub struct PublishGate(Option<Arc<watch::Sender<State>>>);

/// Opens the gate of one build.
#[derive(Debug)]
pub struct GateKeeper(Arc<watch::Sender<State>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    NotAsked,
    Asked,
    Granted,
}

impl PublishGate {
    /// A gate that nobody guards: every build passes.
    pub fn open() -> Self {
        Self::default()
    }

    /// A gate that stays shut until its keeper opens it.
    pub fn guarded() -> (Self, GateKeeper) {
        let state = Arc::new(watch::Sender::new(State::NotAsked));
        (Self(Some(Arc::clone(&state))), GateKeeper(state))
    }

    /// Waits until the build may publish. Sends [`Event::PublishRequested`] the first time. There is no limit to the
    /// wait: whoever holds the keeper ends the build where no answer will come.
    pub(crate) async fn pass(&self, events: &Events) {
        let Some(state) = &self.0 else { return };
        let mut changes = state.subscribe();
        // Before the event: its answer may be here at once.
        let is_first = state.send_if_modified(|state| {
            let is_first = *state == State::NotAsked;
            if is_first {
                *state = State::Asked;
            }
            is_first
        });
        if is_first {
            events.send(Event::PublishRequested);
        }
        // The sender is ours too, so it is never gone while we wait.
        let _ = changes.wait_for(|state| *state == State::Granted).await;
    }
}

impl GateKeeper {
    /// Lets the build publish. False where it has not asked yet: a grant from before the question is no answer to it.
    #[must_use]
    pub fn grant(&self) -> bool {
        self.0.send_if_modified(|state| {
            let has_asked = *state != State::NotAsked;
            if has_asked {
                *state = State::Granted;
            }
            has_asked
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn a_build_asks_once_and_passes_for_all_its_tags() {
        let (gate, keeper) = PublishGate::guarded();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::clone(&seen);
        assert!(!keeper.grant(), "nothing was asked");
        let events = Events::new(move |event| {
            answer.lock().unwrap().push(event);
            assert!(keeper.grant(), "an answer to the question");
        });
        gate.pass(&events).await;
        gate.pass(&events).await;
        assert_eq!(*seen.lock().unwrap(), [Event::PublishRequested]);
    }

    #[tokio::test]
    async fn it_stays_shut_without_an_answer_and_nobody_guards_an_open_one() {
        let (gate, _keeper) = PublishGate::guarded();
        let events = Events::none();
        let passed = tokio::select! {
            biased;
            () = gate.pass(&events) => true,
            () = tokio::task::yield_now() => false,
        };
        assert!(!passed);
        PublishGate::open().pass(&Events::new(|event| panic!("{event:?}"))).await;
    }
}
