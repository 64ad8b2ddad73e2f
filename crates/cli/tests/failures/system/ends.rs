//! Cancelling and killing a build while foreign code runs: it ends, and nothing is left.

use std::time::Duration;

use imagewright_testkit::require_tool;
use rustix::process::Signal;

use super::scene::Scene;
use crate::support::Running;

/// How long a build may take to end once it was told to.
const PROMISED: Duration = Duration::from_secs(3);

/// Where a build is when the signal comes.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// The first program is put into its sandbox.
    Entering,
    /// The base is unpacked for the first time.
    Unpacking,
    /// Foreign code runs.
    Running,
}

async fn held_at(moment: Moment) -> (Scene, Running) {
    let scene = Scene::new().await;
    let mut running = scene.build("endless").start();
    match moment {
        Moment::Entering => running.wait_until("a sandbox is entered", || {
            scene.workshop.processes().iter().any(|process| process.contains("buildah pull"))
        }),
        Moment::Unpacking => running.wait_until("the base is unpacked", || {
            scene.workshop.leftovers().iter().any(|path| path.contains("/unpacked/overlay"))
        }),
        Moment::Running => running.wait_for_output("PROBE endless: running"),
    }
    (scene, running)
}

async fn cancelling_leaves_nothing(moment: Moment) {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns");
    let (scene, running) = held_at(moment).await;

    running.signal(Signal::TERM);

    let outcome = running.end_within(PROMISED);
    assert_eq!((outcome.code, outcome.kind()), (Some(130), "cancelled"), "{outcome:#?}");
    scene.assert_nothing_is_left(&outcome);
}

async fn killing_leaves_nothing_after_the_next_start(moment: Moment) {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns");
    let (scene, running) = held_at(moment).await;

    running.signal(Signal::KILL);

    let killed = running.end_within(PROMISED);
    if !matches!(moment, Moment::Entering) {
        // By itself: nobody has to start anything for it.
        scene.workshop.wait_until_no_process_is_left();
    }
    assert_ne!(scene.workshop.leftovers(), [""; 0], "there is something to sweep");
    let outcome = scene.workshop.command(["doctor", "--clean"]).run();
    assert!(outcome.code.is_some(), "{outcome:#?}");
    scene.workshop.wait_until_no_process_is_left();
    scene.assert_nothing_is_left(&killed);
}

#[tokio::test]
async fn cancelling_while_a_sandbox_is_entered() {
    cancelling_leaves_nothing(Moment::Entering).await;
}

#[tokio::test]
async fn killing_while_a_sandbox_is_entered() {
    killing_leaves_nothing_after_the_next_start(Moment::Entering).await;
}

#[tokio::test]
async fn cancelling_while_the_base_is_unpacked() {
    cancelling_leaves_nothing(Moment::Unpacking).await;
}

#[tokio::test]
async fn cancelling_while_foreign_code_runs() {
    cancelling_leaves_nothing(Moment::Running).await;
}

#[tokio::test]
async fn killing_while_the_base_is_unpacked() {
    killing_leaves_nothing_after_the_next_start(Moment::Unpacking).await;
}

#[tokio::test]
async fn killing_while_foreign_code_runs() {
    killing_leaves_nothing_after_the_next_start(Moment::Running).await;
}
