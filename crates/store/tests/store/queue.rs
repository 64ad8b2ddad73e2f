//! The life of builds, with several workers that believe to have them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use imagewright_store::builds::{Build, BuildStatus, Outcome};
use imagewright_store::{BuildId, Store};

use crate::support::rows::{at, end, failure, of_image, of_spec, product, request, stage};
use crate::support::{TestStore, on_both_databases};

on_both_databases!(
    a_claim_gives_a_lease_and_a_fence,
    a_worker_that_was_believed_dead_changes_nothing,
    a_build_that_ended_is_not_ended_again,
    nothing_is_published_that_somebody_wants_to_end,
    what_waits_is_cancelled_at_once,
    what_runs_is_told_to_end,
    numbers_are_given_once_however_many_ask,
    one_worker_gets_a_build_however_many_ask,
    one_hub_chooses_at_a_time,
);

async fn queued(store: &TestStore) -> BuildId {
    store.change(async |writer| writer.enqueue_build(&request(of_image("lab"), 0)).await).await.id
}

async fn claimed(store: &TestStore, id: &BuildId) -> Build {
    store.change(async |writer| writer.claim_build(id, "one", at(10), at(40)).await).await.unwrap()
}

async fn read(store: &TestStore, id: &BuildId) -> Build {
    store.read().build(id).await.unwrap().unwrap()
}

async fn a_claim_gives_a_lease_and_a_fence(store: &TestStore) {
    let id = queued(store).await;
    let first = claimed(store, &id).await;
    assert_eq!(first, read(store, &id).await);
    assert_eq!((first.status, first.attempt, first.fence), (BuildStatus::Running, 1, 1));
    assert_eq!((first.worker.as_deref(), first.lease_until), (Some("one"), Some(at(40))));
    assert_eq!((first.started_at, first.updated_at), (Some(at(10)), at(10)));
    let running = store.read().running_builds().await.unwrap();
    assert_eq!(running, [first]);
    assert!(store.read().queued_builds().await.unwrap().is_empty());

    let again = store.change(async |writer| writer.claim_build(&id, "two", at(11), at(41)).await).await;
    assert_eq!(again, None);
    let none = BuildId::new("image-lab-9");
    assert_eq!(
        store.change(async |writer| writer.claim_build(&none, "two", at(11), at(41)).await).await,
        None
    );

    let done = store
        .change(async |writer| {
            assert_eq!(writer.renew_lease(&id, 1, at(50)).await?, Some(false));
            assert!(writer.set_stages(&id, 1, &[stage("resolve")], at(12)).await?);
            assert!(writer.grant_publish(&id, 1, at(13)).await?);
            assert!(writer.set_tag(&id, 1, "0a1b2c3d-1-2").await?);
            writer.requeue_build(&id, 1, at(14)).await
        })
        .await;
    assert!(done);
    let waiting = read(store, &id).await;
    assert_eq!((waiting.status, waiting.attempt, waiting.fence), (BuildStatus::Queued, 1, 1));
    assert_eq!((&waiting.worker, waiting.lease_until), (&None, None));
    assert_eq!((waiting.updated_at, waiting.started_at), (at(14), Some(at(10))));
    // Whoever takes it up must know that it may have been published under this tag.
    assert_eq!((waiting.publish_granted_at, waiting.tag.as_str()), (Some(at(13)), "0a1b2c3d-1-2"));

    let second =
        store.change(async |writer| writer.claim_build(&id, "two", at(20), at(60)).await).await.unwrap();
    assert_eq!((second.attempt, second.fence, second.started_at), (2, 2, Some(at(10))));
    assert!(second.stages.is_empty());
}

async fn a_worker_that_was_believed_dead_changes_nothing(store: &TestStore) {
    let id = queued(store).await;
    let old = claimed(store, &id).await.fence;
    store.change(async |writer| writer.requeue_build(&id, old, at(50)).await).await;
    let attempts = async || {
        let before = read(store, &id).await;
        store
            .change(async |writer| {
                let succeeded = Outcome::Succeeded(Box::new(product("registry.example/lab:1")));
                assert_eq!(writer.renew_lease(&id, old, at(99)).await?, None);
                assert!(!writer.set_stages(&id, old, &[stage("push")], at(99)).await?);
                assert!(!writer.grant_publish(&id, old, at(99)).await?);
                assert!(!writer.set_tag(&id, old, "other").await?);
                assert!(!writer.requeue_build(&id, old, at(99)).await?);
                for outcome in [succeeded, Outcome::Failed(failure()), Outcome::Cancelled] {
                    assert!(!writer.finish_build(&id, old, &end(outcome, 99)).await?);
                }
                Ok(())
            })
            .await;
        assert_eq!(read(store, &id).await, before);
    };

    // While it waits, while another has it, and after that one's end.
    attempts().await;
    let new = claimed(store, &id).await.fence;
    attempts().await;
    store
        .change(async |writer| writer.finish_build(&id, new, &end(Outcome::Failed(failure()), 60)).await)
        .await;
    attempts().await;
}

async fn a_build_that_ended_is_not_ended_again(store: &TestStore) {
    let id = queued(store).await;
    let fence = claimed(store, &id).await.fence;
    let succeeded = Outcome::Succeeded(Box::new(product("registry.example/lab:1")));
    assert!(store.change(async |writer| writer.finish_build(&id, fence, &end(succeeded, 60)).await).await);
    let ended = read(store, &id).await;

    store
        .change(async |writer| {
            assert!(!writer.finish_build(&id, fence, &end(Outcome::Cancelled, 61)).await?);
            assert!(!writer.requeue_build(&id, fence, at(61)).await?);
            assert!(!writer.grant_publish(&id, fence, at(61)).await?);
            assert!(!writer.set_stages(&id, fence, &[], at(61)).await?);
            assert_eq!(writer.renew_lease(&id, fence, at(99)).await?, None);
            assert_eq!(writer.claim_build(&id, "two", at(61), at(99)).await?, None);
            assert_eq!(writer.request_cancel(&id, at(61)).await?.as_ref(), Some(&ended));
            Ok(())
        })
        .await;

    assert_eq!(read(store, &id).await, ended);
}

async fn nothing_is_published_that_somebody_wants_to_end(store: &TestStore) {
    let id = queued(store).await;
    let fence = claimed(store, &id).await.fence;
    store.change(async |writer| writer.request_cancel(&id, at(20)).await).await;

    let granted = store.change(async |writer| writer.grant_publish(&id, fence, at(21)).await).await;

    assert!(!granted);
    assert_eq!(read(store, &id).await.publish_granted_at, None);
    // It is the worker's to end it, and to say how.
    assert!(
        store
            .change(async |writer| writer.finish_build(&id, fence, &end(Outcome::Cancelled, 22)).await)
            .await
    );
    assert_eq!(read(store, &id).await.status, BuildStatus::Cancelled);
}

async fn what_waits_is_cancelled_at_once(store: &TestStore) {
    let id = queued(store).await;
    let other = store.change(async |writer| writer.enqueue_build(&request(of_spec("lab"), 0)).await).await;

    let cancelled = store.change(async |writer| writer.request_cancel(&id, at(20)).await).await.unwrap();

    assert_eq!((cancelled.status, cancelled.is_cancel_requested), (BuildStatus::Cancelled, true));
    assert_eq!(
        (cancelled.finished_at, cancelled.updated_at, cancelled.started_at),
        (Some(at(20)), at(20), None)
    );
    assert_eq!(store.change(async |writer| writer.claim_build(&id, "one", at(21), at(40)).await).await, None);
    assert_eq!(read(store, &other.id).await, other);
    let none = BuildId::new("image-lab-9");
    assert_eq!(store.change(async |writer| writer.request_cancel(&none, at(20)).await).await, None);
}

async fn what_runs_is_told_to_end(store: &TestStore) {
    let id = queued(store).await;
    let fence = claimed(store, &id).await.fence;

    let told = store.change(async |writer| writer.request_cancel(&id, at(20)).await).await.unwrap();

    assert_eq!((told.status, told.is_cancel_requested, told.finished_at), (BuildStatus::Running, true, None));
    let renewed = store.change(async |writer| writer.renew_lease(&id, fence, at(70)).await).await;
    assert_eq!(renewed, Some(true));
    assert_eq!(read(store, &id).await.lease_until, Some(at(70)));
}

/// Two stores on the database, as two hubs have them.
async fn hubs(store: &TestStore) -> [Store; 2] {
    [Store::clone(store), store.another().await]
}

async fn numbers_are_given_once_however_many_ask(store: &TestStore) {
    const REQUESTS: i64 = 20;
    let hubs = hubs(store).await;
    let tasks: Vec<_> = (0..REQUESTS)
        .map(|number| {
            let hub = hubs[usize::try_from(number % 2).unwrap()].clone();
            tokio::spawn(async move {
                let writer = hub.write().await.unwrap();
                let build = writer.enqueue_build(&request(of_image("lab"), number)).await.unwrap();
                writer.commit().await.unwrap();
                build.number
            })
        })
        .collect();
    let mut numbers = Vec::new();
    for task in tasks {
        numbers.push(task.await.unwrap());
    }

    numbers.sort_unstable();
    assert_eq!(numbers, (1..=REQUESTS).collect::<Vec<_>>());
}

async fn one_worker_gets_a_build_however_many_ask(store: &TestStore) {
    let hubs = hubs(store).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(queued(store).await);
    }
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let (hub, ids) = (hubs[number % 2].clone(), ids.clone());
            tokio::spawn(async move {
                let mut mine = Vec::new();
                for id in ids {
                    let writer = hub.write().await.unwrap();
                    let claim =
                        writer.claim_build(&id, &format!("worker {number}"), at(1), at(9)).await.unwrap();
                    writer.commit().await.unwrap();
                    mine.extend(claim);
                }
                mine
            })
        })
        .collect();
    let mut claims = Vec::new();
    for task in tasks {
        claims.extend(task.await.unwrap());
    }

    claims.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(claims.iter().map(|build| build.id.clone()).collect::<Vec<_>>(), ids);
    for claim in claims {
        assert_eq!((claim.fence, claim.attempt), (1, 1));
        assert_eq!(read(store, &claim.id).await, claim);
    }
}

async fn one_hub_chooses_at_a_time(store: &TestStore) {
    let id = queued(store).await;
    let hub = store.another().await;
    let writer = store.write().await.unwrap();
    writer.lock_queue().await.unwrap();
    let has_chosen = Arc::new(AtomicBool::new(false));
    let other = tokio::spawn({
        let has_chosen = Arc::clone(&has_chosen);
        async move {
            let writer = hub.write().await.unwrap();
            writer.lock_queue().await.unwrap();
            has_chosen.store(true, Ordering::SeqCst);
            let queued = writer.queued_builds().await.unwrap();
            writer.commit().await.unwrap();
            queued
        }
    });

    // Long enough for the other to go on, if nothing kept it.
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(!has_chosen.load(Ordering::SeqCst), "two hubs choose at once");
    writer.claim_build(&id, "one", at(1), at(9)).await.unwrap().unwrap();
    writer.commit().await.unwrap();

    // It sees what the first has chosen.
    assert!(other.await.unwrap().is_empty());
}
