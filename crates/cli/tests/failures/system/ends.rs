//! Cancelling and killing a build while foreign code runs: it ends, and nothing is left.

use std::time::Duration;

use imagewright_testkit::require_tool;
use rustix::process::Signal;

use super::scene::Scene;

/// How long a build may take to end once it was told to.
const PROMISED: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_cancelled_step_leaves_nothing() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns");
    let scene = Scene::new().await;
    let mut running = scene.build("endless").start();
    running.wait_for_output("PROBE endless: running");

    running.signal(Signal::TERM);

    let outcome = running.end_within(PROMISED);
    assert_eq!((outcome.code, outcome.kind()), (Some(130), "cancelled"), "{outcome:#?}");
    scene.assert_nothing_is_left();
}

#[tokio::test]
async fn a_killed_build_takes_its_step_along_and_the_next_start_sweeps() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns");
    let scene = Scene::new().await;
    let mut running = scene.build("endless").start();
    running.wait_for_output("PROBE endless: running");

    running.signal(Signal::KILL);

    running.end_within(PROMISED);
    scene.workshop.wait_until_no_process_is_left();
    assert_ne!(scene.workshop.leftovers(), [""; 0], "there is something to sweep");
    let outcome = scene.workshop.command(["cache", "show"]).run();
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    scene.assert_nothing_is_left();
}
