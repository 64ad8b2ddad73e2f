//! Processes that are killed, leases that are lost, hubs that end.

use std::process::Command;

use imagewright_store::builds::{BuildStatus, Finish, Outcome};
use imagewright_testkit::{Fault, require_tool};

use crate::scene::{Scene, eventually, image, until};

/// Kills the process that builds, with a signal that it cannot see coming.
fn kill_builder(scene: &Scene) {
    let mark = scene.cache();
    eventually("a build runs", || !builders(&mark.to_string_lossy()).is_empty());
    for process in builders(&mark.to_string_lossy()) {
        Command::new("kill").args(["-KILL", &process]).status().unwrap();
    }
}

fn builders(mark: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let of_ours = processes.filter(|process| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains("--supervised") && line.contains(mark)
    });
    of_ours.map(|process| process.file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_whose_process_was_killed_is_run_once_more_and_no_oftener() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    scene.index.inject(Fault::on("/simple/").times(usize::MAX).hang());
    let hub = scene.hub().await;
    scene.ask(&hub, "x", "alpha").await;
    let queue = scene.queue(&hub);
    let waits = |attempt| {
        move |build: &imagewright_store::builds::Build| {
            build.attempt == attempt && build.stages.iter().any(|stage| stage.name == "resolve")
        }
    };
    until(&hub, "x", waits(1)).await;
    kill_builder(&scene);
    until(&hub, "x", waits(2)).await;
    kill_builder(&scene);
    let done = until(&hub, "x", |build| build.status.is_final()).await;
    assert_eq!((done.status, done.attempt), (BuildStatus::Failed, 2));
    assert_eq!(done.failure.unwrap().kind, "interrupted");

    scene.index.clear_faults();
    hub.rebuild_image(&crate::scene::root(&hub).await, "x", None, None).await.unwrap();
    until(&hub, "x", |build| build.number == 2 && build.status == BuildStatus::Succeeded).await;
    queue.shut_down().await;
    assert_eq!(scene.leftovers(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_has_lost_its_build_publishes_nothing() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    scene.index.inject(Fault::on("/simple/").times(usize::MAX).hang());
    let hub = scene.hub().await;
    let asked = scene.ask(&hub, "x", "alpha").await;
    let queue = scene.queue(&hub);
    let held = until(&hub, "x", |build| build.stages.iter().any(|stage| stage.name == "resolve")).await;

    // Somebody else believes it dead, takes the build, and ends it.
    let writer = hub.store.write().await.unwrap();
    let now = hub.clock.now();
    assert!(writer.requeue_build(&held.id, held.fence, now).await.unwrap());
    let taken = writer.claim_build(&held.id, "another hub", now, now).await.unwrap().unwrap();
    let finish = Finish { outcome: Outcome::Cancelled, stages: Vec::new(), at: now };
    assert!(writer.finish_build(&taken.id, taken.fence, &finish).await.unwrap());
    writer.commit().await.unwrap();

    scene.index.clear_faults();
    let mark = scene.cache();
    eventually("the build's process ends", || builders(&mark.to_string_lossy()).is_empty());
    queue.shut_down().await;
    let after = until(&hub, "x", |build| build.status.is_final()).await;
    assert_eq!((after.status, after.product), (BuildStatus::Cancelled, None));
    assert!(!image(&hub, "x").await.is_ready());
    let tags = scene.registry.tags("hub/images/x").await;
    assert!(!tags.contains(&asked.tag), "{tags:?}");
    assert_eq!(scene.leftovers(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_ends_gives_its_builds_back_and_the_next_one_runs_them() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    scene.index.inject(Fault::on("/simple/").times(usize::MAX).hang());
    let hub = scene.hub().await;
    scene.ask(&hub, "x", "alpha").await;
    let queue = scene.queue(&hub);
    until(&hub, "x", |build| build.stages.iter().any(|stage| stage.name == "resolve")).await;
    queue.shut_down().await;
    let given_back = until(&hub, "x", |build| build.status == BuildStatus::Queued).await;
    assert_eq!(given_back.worker, None);
    assert_eq!(scene.leftovers(), [""; 0]);

    scene.index.clear_faults();
    let next = scene.hub().await;
    let queue = scene.queue(&next);
    until(&next, "x", |build| build.status == BuildStatus::Succeeded).await;
    queue.shut_down().await;
}
