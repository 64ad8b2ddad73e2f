//! What comes of a build.

use futures_util::StreamExt as _;
use imagewright_hub::queue::{Progress, Queue};
use imagewright_store::builds::BuildStatus;
use imagewright_testkit::{Fault, require_tool};

use crate::scene::{DEADLINE, Scene, image, root, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_is_ready_when_its_build_has_succeeded_and_not_before() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    let hub = scene.hub().await;
    let asked = scene.ask(&hub, "x", "alpha").await;
    assert!(!image(&hub, "x").await.is_ready());
    let place = hub.queue_place(&asked).await.unwrap().unwrap();
    assert_eq!((place.position, place.estimate_seconds), (1, None));

    let logs = scene.logs();
    let queue = scene.queue(&hub);
    let done = until(&hub, "x", |build| build.status.is_final()).await;
    assert_eq!(done.status, BuildStatus::Succeeded, "{done:#?}");
    let product = done.product.unwrap();
    let ready = image(&hub, "x").await;
    assert_eq!(ready.url, Some(product.url.clone()));
    assert_eq!(product.url.to_string(), format!("{}/hub/images/x:{}", scene.registry.host(), asked.tag));
    assert!(product.size_bytes.unwrap() > 100_000, "{:?}", product.size_bytes);
    assert!(product.base_digest.is_some());
    let stages: Vec<&str> = done.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(stages, ["base", "resolve", "packages", "layers", "push"]);
    assert!(done.stages.iter().all(|stage| stage.seconds.is_some()));

    let text: Vec<bytes::Bytes> = logs.follow(&done.id, None, true).unwrap().collect().await;
    let text = String::from_utf8(text.concat()).unwrap();
    assert!(text.starts_with("==> Read the base image") && text.contains("pushed "), "{text}");
    queue.shut_down().await;
    assert_eq!(scene.leftovers(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_build_says_why_and_leaves_in_use_what_is() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    let hub = scene.hub().await;
    scene.ask(&hub, "x", "alpha").await;
    let queue = scene.queue(&hub);
    until(&hub, "x", |build| build.status == BuildStatus::Succeeded).await;
    let before = image(&hub, "x").await.url;
    hub.rebuild_image(&root(&hub).await, "x", Some(scene.recipe("no-such-package")), None).await.unwrap();
    let failed = until(&hub, "x", |build| build.number == 2 && build.status.is_final()).await;
    assert_eq!(failed.status, BuildStatus::Failed);
    let failure = failed.failure.unwrap();
    assert_eq!(failure.kind, "not_found", "{failure:?}");
    assert!(failure.message.contains("no-such-package"), "{failure:?}");
    assert_eq!(image(&hub, "x").await.url, before);
    let tail = scene.logs().tail(&failed.id, 100).unwrap();
    assert!(String::from_utf8_lossy(&tail).contains(&failure.message));
    queue.shut_down().await;
    assert_eq!(scene.leftovers(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_runs_is_cancelled_and_its_log_stays() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    // The index does not answer: the build waits for it.
    scene.index.inject(Fault::on("/simple/").times(usize::MAX).hang());
    let hub = scene.hub().await;
    scene.ask(&hub, "x", "alpha").await;
    let queue = scene.queue(&hub);
    until(&hub, "x", |build| build.stages.iter().any(|stage| stage.name == "resolve")).await;
    hub.cancel_image_build(&root(&hub).await, "x").await.unwrap();
    let done = until(&hub, "x", |build| build.status.is_final()).await;
    assert_eq!(done.status, BuildStatus::Cancelled);
    let tail = scene.logs().tail(&done.id, 100).unwrap();
    assert!(String::from_utf8_lossy(&tail).ends_with("The build was cancelled.\n"), "{tail:?}");
    assert!(!image(&hub, "x").await.is_ready());
    queue.shut_down().await;
    assert_eq!(scene.leftovers(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_follows_reads_from_before_the_build_begins_to_its_end() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    let hub = scene.hub().await;
    let asked = scene.ask(&hub, "x", "alpha").await;
    let logs = scene.logs();
    let followed = logs.follow(&asked.id, Some(2000), false).unwrap();
    let followed = tokio::spawn(followed.collect::<Vec<_>>());
    let queue = Queue::start(hub.clone(), scene.launcher(), logs.clone(), Progress::default());
    let text = tokio::time::timeout(DEADLINE, followed).await.unwrap().unwrap().concat();
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with("==> Read the base image") && text.contains("done in"), "{text}");
    queue.shut_down().await;
}
