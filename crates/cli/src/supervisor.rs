//! The supervisor of a build, at the other end of standard input: it hands over the plan as the first line, answers
//! the question whether the build may publish, and is gone when the input ends, which cancels the build.

use std::io::{BufRead, Read as _};
use std::path::Path;

use imagewright_engine::cancel::CancellationToken;
use imagewright_engine::error::{BuildError, ErrorKind};
use imagewright_engine::publish::{GateKeeper, PublishGate};
use tokio::sync::oneshot;

use crate::arguments::BuildArguments;
use crate::input::PLAN_SIZE_LIMIT;

/// The line by which a supervisor lets a build publish.
const GRANT: &[u8] = b"publish\n";

/// The longest line that is read after the plan, in bytes. What is longer is no grant, however it goes on.
const LINE_SIZE_LIMIT: u64 = 64;

/// What a supervisor has handed over.
pub(crate) struct Supervisor {
    /// The plan, as JSON.
    pub(crate) plan: String,
    /// Opened by the supervisor's word.
    pub(crate) publish_gate: PublishGate,
}

impl Supervisor {
    /// Waits for the plan on standard input, and listens to it from then on.
    ///
    /// # Errors
    /// A plan that is elsewhere, too long or no text; the cancellation, and an input that ends before the plan does.
    pub(crate) async fn of_build(
        arguments: &BuildArguments,
        cancellation: &CancellationToken,
    ) -> Result<Self, BuildError> {
        if arguments.plan.as_deref() != Some(Path::new("-")) {
            let message = "a supervised build takes its plan from standard input";
            return Err(BuildError::new(ErrorKind::SpecInvalid, message).with_next_step("pass --plan -"));
        }
        let (publish_gate, keeper) = PublishGate::guarded();
        let (hand_over, handed_over) = oneshot::channel();
        let cancel = cancellation.clone();
        // A thread of its own and none of the runtime's: nothing waits for it, and it ends with the process.
        std::thread::Builder::new()
            .name("supervisor".to_owned())
            .spawn(move || listen(&mut std::io::stdin().lock(), hand_over, &keeper, cancel))
            .map_err(|error| BuildError::internal("standard input cannot be read").with_source(error))?;
        let plan = tokio::select! {
            // What is wrong with the plan is told, and not that the build ends for it.
            biased;
            plan = handed_over => plan.unwrap_or_else(|_| Err(BuildError::cancelled()))?,
            () = cancellation.cancelled() => return Err(BuildError::cancelled()),
        };
        Ok(Self { plan, publish_gate })
    }
}

/// Hands over the plan, and obeys until the input ends or says something else than what was asked. The build is
/// cancelled then, and also should this thread panic.
fn listen(
    input: &mut impl BufRead,
    hand_over: oneshot::Sender<Result<String, BuildError>>,
    keeper: &GateKeeper,
    cancellation: CancellationToken,
) {
    let _cancelled_in_the_end = cancellation.drop_guard();
    let Some(plan) = plan(input) else {
        tracing::warn!("standard input ended before the plan did");
        return;
    };
    // Nobody waits for the plan of a build that was cancelled.
    let _ = hand_over.send(plan);
    while is_granted(input, keeper) {}
    tracing::warn!("standard input ended, or brought what was not asked for: the build is cancelled");
}

/// The first line. `None` where the input ends within it: a plan that was cut is none.
fn plan(input: &mut impl BufRead) -> Option<Result<String, BuildError>> {
    let mut line = Vec::new();
    input.take(PLAN_SIZE_LIMIT).read_until(b'\n', &mut line).ok()?;
    if line.last() != Some(&b'\n') {
        let is_cut = u64::try_from(line.len()).is_ok_and(|length| length < PLAN_SIZE_LIMIT);
        return (!is_cut).then(|| {
            let message = format!("the plan is longer than {} MiB", PLAN_SIZE_LIMIT >> 20);
            Err(BuildError::new(ErrorKind::TooLarge, message).with_next_step("ask for fewer packages"))
        });
    }
    Some(String::from_utf8(line).map_err(|_| {
        BuildError::new(ErrorKind::SpecInvalid, "the build plan is not valid: it is no UTF-8")
            .with_next_step("write it as one line of JSON")
    }))
}

/// True when the next line lets the build publish, which has asked for it.
fn is_granted(input: &mut impl BufRead, keeper: &GateKeeper) -> bool {
    let mut line = Vec::new();
    let read = input.take(LINE_SIZE_LIMIT).read_until(b'\n', &mut line);
    read.is_ok() && line == GRANT && keeper.grant()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is handed over, and whether the build is cancelled in the end.
    fn heard(input: &[u8]) -> (Option<Result<String, ErrorKind>>, bool) {
        let (_gate, keeper) = PublishGate::guarded();
        let (hand_over, mut handed_over) = oneshot::channel();
        let cancellation = CancellationToken::new();
        listen(&mut &*input, hand_over, &keeper, cancellation.clone());
        let plan = handed_over.try_recv().ok().map(|plan| plan.map_err(|error| error.kind()));
        (plan, cancellation.is_cancelled())
    }

    #[test]
    fn the_first_line_is_the_plan_and_the_end_cancels() {
        assert_eq!(heard(b"{}\n"), (Some(Ok("{}\n".to_owned())), true));
        for cut in [&b""[..], b"{}"] {
            assert_eq!(heard(cut), (None, true), "{cut:?}");
        }
        assert_eq!(heard(b"\xff\n").0, Some(Err(ErrorKind::SpecInvalid)));
        let endless = vec![b' '; usize::try_from(PLAN_SIZE_LIMIT).unwrap()];
        assert_eq!(heard(&endless).0, Some(Err(ErrorKind::TooLarge)));
    }

    #[test]
    fn only_the_word_itself_is_a_grant_and_only_when_it_was_asked_for() {
        let (_gate, keeper) = PublishGate::guarded();
        let long = [&b"publish"[..], &[b' '; 100], b"\n"].concat();
        for other in [&b""[..], b"\n", b"publish", b"publish\r\n", b" publish\n", b"cancel\n", &long] {
            assert!(!is_granted(&mut &*other, &keeper), "{other:?}");
        }
        assert!(!is_granted(&mut &b"publish\n"[..], &keeper), "before the question");
    }
}
