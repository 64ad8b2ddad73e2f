//! Finding builds.

use imagewright_store::builds::{Build, BuildFilter, BuildStatus, NewBuild, Outcome, Product, Subject};
use imagewright_store::{BuildId, Page, StoreError, Writer};

use crate::support::rows::{
    at, end, failure, group_id, of_image, of_spec, product, recipe, reference, request, secret_id, stage,
    user_id,
};
use crate::support::{TestStore, on_both_databases};

on_both_databases!(
    a_build_is_read_as_it_was_asked_for,
    a_build_keeps_what_came_of_it,
    builds_are_listed_newest_first_and_narrowed,
    each_subject_has_a_latest_build,
    builds_of_what_was_deleted_are_not_those_of_its_successor,
    what_was_pushed_is_known_until_it_is_removed,
);

/// Queues a build and ends it.
async fn ended(writer: &Writer, request: &NewBuild, outcome: Outcome) -> Result<Build, StoreError> {
    let build = writer.enqueue_build(request).await?;
    let claimed = writer.claim_build(&build.id, "worker", at(1), at(9)).await?.unwrap();
    assert!(writer.finish_build(&build.id, claimed.fence, &end(outcome, 5)).await?);
    Ok(writer.build(&build.id).await?.unwrap())
}

fn succeeded(url: &str) -> Outcome {
    Outcome::Succeeded(Box::new(product(url)))
}

async fn a_build_is_read_as_it_was_asked_for(store: &TestStore) {
    let asked = NewBuild {
        group: Some(group_id("red")),
        recipe_secret: Some(secret_id("base")),
        ..request(of_image("lab"), 7)
    };

    let build = store.change(async |writer| writer.enqueue_build(&asked).await).await;

    let expected = Build {
        id: BuildId::new("image-lab-1"),
        subject: of_image("lab"),
        number: 1,
        group: Some(group_id("red")),
        status: BuildStatus::Queued,
        recipe: recipe(),
        recipe_secret: Some(secret_id("base")),
        spec_hash: "0a1b2c3d".parse().unwrap(),
        tag: "0a1b2c3d-1".to_owned(),
        requested_by: user_id("alice"),
        requested_by_name: "alice".to_owned(),
        requested_at: at(7),
        started_at: None,
        finished_at: None,
        updated_at: at(7),
        attempt: 0,
        worker: None,
        lease_until: None,
        fence: 0,
        is_cancel_requested: false,
        publish_granted_at: None,
        stages: Vec::new(),
        product: None,
        failure: None,
        orphaned_at: None,
        removed_at: None,
    };
    assert_eq!(build, expected);
    let reader = store.read();
    assert_eq!(reader.build(&build.id).await.unwrap(), Some(expected.clone()));
    assert_eq!(reader.build_numbered(&build.subject, 1).await.unwrap(), Some(expected));
    assert_eq!(reader.build_numbered(&build.subject, 2).await.unwrap(), None);
    assert_eq!(reader.build_numbered(&of_spec("lab"), 1).await.unwrap(), None);
    assert_eq!(reader.build(&BuildId::new("image-lab-2")).await.unwrap(), None);
}

async fn a_build_keeps_what_came_of_it(store: &TestStore) {
    let full = Product {
        gpu_url: Some(reference("registry.example/lab:1-gpu")),
        gpu_digest: Some("sha256:gpu".to_owned()),
        pull_secret: Some(secret_id("pull")),
        size_bytes: Some(1 << 40),
        ..product("registry.example/lab:1")
    };
    let little = Product { base_digest: None, size_bytes: None, ..product("registry.example/lab:2") };
    let outcomes = [
        Outcome::Succeeded(Box::new(full.clone())),
        Outcome::Succeeded(Box::new(little.clone())),
        Outcome::Failed(failure()),
        Outcome::Cancelled,
    ];
    let [first, second, third, fourth] = store
        .change(async |writer| {
            let mut builds = Vec::new();
            for outcome in outcomes {
                builds.push(ended(writer, &request(of_image("lab"), 0), outcome).await?);
            }
            Ok(<[Build; 4]>::try_from(builds).unwrap())
        })
        .await;

    for build in [&first, &second, &third, &fourth] {
        assert_eq!(store.read().build(&build.id).await.unwrap().as_ref(), Some(build));
        assert!(build.status.is_final());
        assert_eq!(
            (build.started_at, build.finished_at, build.updated_at),
            (Some(at(1)), Some(at(5)), at(5))
        );
        assert_eq!((&build.worker, build.lease_until), (&None, None));
        assert_eq!(build.stages, [stage("push")]);
    }
    assert_eq!((first.status, first.product, first.failure), (BuildStatus::Succeeded, Some(full), None));
    assert_eq!(second.product, Some(little));
    assert_eq!((third.status, third.product, third.failure), (BuildStatus::Failed, None, Some(failure())));
    assert_eq!((fourth.status, fourth.product, fourth.failure), (BuildStatus::Cancelled, None, None));
}

async fn builds_are_listed_newest_first_and_narrowed(store: &TestStore) {
    store
        .change(async |writer| {
            let red = Some(group_id("red"));
            writer.enqueue_build(&request(of_image("a"), 2)).await?;
            writer.enqueue_build(&NewBuild { group: red.clone(), ..request(of_image("b"), 1) }).await?;
            writer.enqueue_build(&request(of_spec("a"), 2)).await?;
            ended(writer, &NewBuild { group: red, ..request(of_image("a"), 3) }, Outcome::Cancelled).await?;
            ended(writer, &request(of_image("a"), 2), succeeded("registry.example/a:3")).await
        })
        .await;
    let ids = async |filter: BuildFilter| {
        let found = store.read().builds(&filter, Page::ALL).await.unwrap();
        assert_eq!(found.total, found.rows.len() as u64);
        found.rows.into_iter().map(|build| build.id.to_string()).collect::<Vec<_>>()
    };
    let all = BuildFilter::default();

    assert_eq!(ids(all.clone()).await, ["image-a-2", "image-a-3", "image-a-1", "spec-a-1", "image-b-1"]);
    let subject = Some(of_image("a"));
    assert_eq!(ids(BuildFilter { subject, ..all.clone() }).await, ["image-a-2", "image-a-3", "image-a-1"]);
    assert_eq!(ids(BuildFilter { of_specs: Some(true), ..all.clone() }).await, ["spec-a-1"]);
    assert_eq!(ids(BuildFilter { of_specs: Some(false), ..all.clone() }).await.len(), 4);
    let statuses = Some(vec![BuildStatus::Cancelled, BuildStatus::Succeeded]);
    assert_eq!(ids(BuildFilter { statuses, ..all.clone() }).await, ["image-a-2", "image-a-3"]);
    let groups = Some(vec![group_id("red"), group_id("none")]);
    assert_eq!(ids(BuildFilter { groups: groups.clone(), ..all.clone() }).await, ["image-a-2", "image-b-1"]);
    assert_eq!(ids(BuildFilter { groups, since: Some(at(3)), ..all.clone() }).await, ["image-a-2"]);
    assert!(ids(BuildFilter { groups: Some(Vec::new()), ..all.clone() }).await.is_empty());
    assert!(ids(BuildFilter { statuses: Some(Vec::new()), ..all.clone() }).await.is_empty());
    let page = store.read().builds(&all, Page::numbered(2, 4)).await.unwrap();
    assert_eq!((page.total, page.rows.len()), (5, 1));
    let past = store.read().builds(&all, Page::numbered(3, 4)).await.unwrap();
    assert_eq!((past.total, past.rows.len()), (5, 0));

    let queued = store.read().queued_builds().await.unwrap();
    let queued: Vec<&str> = queued.iter().map(|build| build.id.as_str()).collect();
    assert_eq!(queued, ["image-b-1", "image-a-1", "spec-a-1"]);
}

async fn each_subject_has_a_latest_build(store: &TestStore) {
    store
        .change(async |writer| {
            // The number counts, and not the moment.
            for (name, moment) in [("a", 3), ("a", 2), ("b", 1), ("c", 1)] {
                writer.enqueue_build(&request(of_image(name), moment)).await?;
            }
            writer.enqueue_build(&request(of_spec("a"), 9)).await?;
            writer.orphan_builds(&of_image("c"), at(9)).await
        })
        .await;
    let reader = store.read();
    let latest = async |kind: &str, names: &[&str]| {
        let mut builds = reader.latest_builds(kind, names).await.unwrap();
        builds.sort_by(|one, other| one.id.cmp(&other.id));
        builds.into_iter().map(|build| build.id.to_string()).collect::<Vec<_>>()
    };

    assert_eq!(latest("image", &["b", "a", "c", "none", "a"]).await, ["image-a-2", "image-b-1"]);
    assert_eq!(latest("spec", &["a", "b"]).await, ["spec-a-1"]);
    assert!(latest("image", &[]).await.is_empty());
    let id = async |subject: Subject| {
        reader.latest_build(&subject).await.unwrap().map(|build| build.id.to_string())
    };
    assert_eq!(id(of_image("a")).await.as_deref(), Some("image-a-2"));
    assert_eq!(id(of_spec("a")).await.as_deref(), Some("spec-a-1"));
    assert_eq!(id(of_image("c")).await, None);
    assert_eq!(id(of_spec("b")).await, None);
}

async fn builds_of_what_was_deleted_are_not_those_of_its_successor(store: &TestStore) {
    let subject = of_image("lab");
    let orphaned = store
        .change(async |writer| {
            writer.enqueue_build(&request(subject.clone(), 1)).await?;
            writer.enqueue_build(&request(subject.clone(), 2)).await?;
            writer.enqueue_build(&request(of_spec("lab"), 3)).await?;
            Ok((writer.orphan_builds(&subject, at(5)).await?, writer.orphan_builds(&subject, at(6)).await?))
        })
        .await;
    assert_eq!(orphaned, (2, 0));

    let next = store.change(async |writer| writer.enqueue_build(&request(subject.clone(), 7)).await).await;

    // Numbers go on: a tag is never given twice.
    assert_eq!((next.number, next.tag.as_str(), next.id.as_str()), (3, "0a1b2c3d-3", "image-lab-3"));
    let reader = store.read();
    let filter = BuildFilter { subject: Some(subject.clone()), ..BuildFilter::default() };
    let builds = reader.builds(&filter, Page::ALL).await.unwrap();
    assert_eq!((builds.total, &builds.rows[0].id), (1, &next.id));
    assert_eq!(reader.build_numbered(&subject, 2).await.unwrap(), None);
    assert_eq!(reader.build(&BuildId::new("image-lab-2")).await.unwrap().unwrap().orphaned_at, Some(at(5)));
    assert_eq!(reader.build(&BuildId::new("spec-lab-1")).await.unwrap().unwrap().orphaned_at, None);
    assert_eq!(reader.builds(&BuildFilter::default(), Page::ALL).await.unwrap().total, 4);
}

async fn what_was_pushed_is_known_until_it_is_removed(store: &TestStore) {
    let red = group_id("red");
    let for_gpu = Product {
        gpu_url: Some(reference("registry.example/a:2-gpu")),
        size_bytes: None,
        ..product("registry.example/a:2")
    };
    let large = Product { size_bytes: Some(u64::from(u32::MAX) * 4), ..product("registry.example/a:3") };
    store
        .change(async |writer| {
            let request = NewBuild { group: Some(red.clone()), ..request(of_image("a"), 0) };
            ended(writer, &request, succeeded("registry.example/a:1")).await?;
            ended(writer, &request, Outcome::Succeeded(Box::new(for_gpu))).await?;
            ended(writer, &request, Outcome::Succeeded(Box::new(large))).await?;
            ended(writer, &request, Outcome::Failed(failure())).await?;
            let other = NewBuild { group: Some(group_id("blue")), requested_at: at(-1), ..request };
            ended(writer, &other, succeeded("registry.example/a:5")).await
        })
        .await;
    let reader = store.read();
    let at_url =
        async |url: &str| reader.build_at(&reference(url)).await.unwrap().map(|build| build.id.to_string());
    let pushed =
        async || reader.pushed_builds().await.unwrap().iter().map(|build| build.number).collect::<Vec<_>>();

    assert_eq!(pushed().await, [5, 1, 2, 3]);
    assert_eq!(reader.stored_bytes(&red).await.unwrap(), 1000 + u64::from(u32::MAX) * 4);
    assert_eq!(reader.stored_bytes(&group_id("none")).await.unwrap(), 0);
    assert_eq!(at_url("registry.example/a:1").await.as_deref(), Some("image-a-1"));
    assert_eq!(at_url("registry.example/a:2-gpu").await.as_deref(), Some("image-a-2"));
    assert_eq!(at_url("registry.example/a:9").await, None);

    let removed = store
        .change(async |writer| {
            writer.orphan_builds(&of_image("a"), at(7)).await?;
            let known = writer.mark_removed(&BuildId::new("image-a-3"), at(8)).await?;
            Ok((known, writer.mark_removed(&BuildId::new("image-a-9"), at(8)).await?))
        })
        .await;

    assert_eq!(removed, (true, false));
    // What has lost its image is still there to be removed.
    assert_eq!(pushed().await, [5, 1, 2]);
    assert_eq!(reader.stored_bytes(&red).await.unwrap(), 1000);
    assert_eq!(reader.build(&BuildId::new("image-a-3")).await.unwrap().unwrap().removed_at, Some(at(8)));
}
