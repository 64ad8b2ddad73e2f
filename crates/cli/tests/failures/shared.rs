//! One cache, several users at once.

use imagewright_testkit::{Fault, FaultyProxy, Registry, require_tool};

use crate::support::{Workshop, digest_of, index, push_base};

#[tokio::test]
async fn two_builds_at_once_give_what_each_gives_alone() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await.reference;
    let index = index();
    let layers = format!("{}/layers", registry.host());
    let build = |workshop: &Workshop, packages: &[&str], name: &str| {
        let to = format!("{}/{name}:1", registry.host());
        workshop.build(&base, &index, packages, &to).options(["--layer-repo", &layers])
    };
    let both = [&["alpha", "gamma"][..], &["alpha"][..]];
    let alone = both.map(|packages| build(&Workshop::new(), packages, "alone").run().digest());

    // Twice the same and one that shares half of it, all from nothing.
    let workshop = Workshop::new();
    let running = [
        build(&workshop, both[0], "first").start(),
        build(&workshop, both[0], "second").start(),
        build(&workshop, both[1], "third").start(),
    ];
    let together = running.map(|running| running.end().digest());

    assert_eq!(together, [alone[0].clone(), alone[0].clone(), alone[1].clone()]);
    assert_eq!(workshop.leftovers(), [""; 0]);
    for (name, digest) in ["first", "second", "third"].into_iter().zip(together) {
        assert_eq!(digest_of(&registry, name, "1").await, Some(digest));
    }
}

#[tokio::test]
async fn one_that_is_cancelled_does_not_disturb_the_other() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await;
    let (workshop, index) = (Workshop::new(), index());
    let proxy = FaultyProxy::in_front_of(&registry);
    proxy.inject(Fault::on("/blobs/uploads/").hang());
    let to = |host: &str| format!("{host}/team/image:1");

    let mut held = workshop.build(&base.reference, &index, &["alpha"], &to(&proxy.host())).start();
    held.wait_for_step("push");
    let mut other =
        workshop.build(&base.reference, &index, &["alpha", "gamma"], &to(&registry.host())).start();
    other.wait_for_step("base");
    held.signal(rustix::process::Signal::TERM);

    assert_eq!(held.end().kind(), "cancelled");
    let digest = other.end().digest();
    assert_eq!(digest_of(&registry, "team/image", "1").await, Some(digest));
}

#[tokio::test]
async fn trimming_does_not_take_from_a_running_build() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await;
    let (workshop, index) = (Workshop::new(), index());
    let proxy = FaultyProxy::in_front_of(&registry);
    let to = format!("{}/team/image:1", proxy.host());
    // Held when all frames are made and none is pushed.
    proxy.inject(Fault::on("/team/image/blobs/uploads/").times(1).hang());
    let build = workshop.build(&base.reference_at(&proxy.host()), &index, &["alpha", "gamma"], &to);
    let mut running = build.options(["--timeout", "3"]).start();
    running.wait_for_step("push");

    let trimmed = workshop.command(["cache", "trim", "--to", "0"]).run();

    assert_eq!(trimmed.code, Some(0), "{trimmed:#?}");
    assert_eq!(digest_of(&registry, "team/image", "1").await, None, "the build was still running");
    let digest = running.end().digest();
    assert_eq!(digest_of(&registry, "team/image", "1").await, Some(digest.clone()));

    // Nobody builds: now it is emptied, and the next build starts from nothing.
    let emptied = workshop.command(["cache", "trim", "--to", "0"]).run();
    assert_eq!(emptied.code, Some(0), "{emptied:#?}");
    let again = workshop.build(&base.reference_at(&proxy.host()), &index, &["alpha", "gamma"], &to).run();
    assert_eq!(again.digest(), digest);
}

/// Somebody empties the cache by hand while a build runs: what was prepared is gone, and is prepared again.
#[tokio::test]
async fn prepared_packages_that_disappear_are_prepared_again() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await;
    let (workshop, index) = (Workshop::new(), index());
    let proxy = FaultyProxy::in_front_of(&registry);
    let to = format!("{}/team/image:1", proxy.host());
    // The mount of the base's layer: asked for at the same time as whether the new ones are there.
    proxy.inject(
        Fault::on("/team/image/blobs/sha256:")
            .method("HEAD")
            .times(8)
            .delay(std::time::Duration::from_secs(1)),
    );
    let build = workshop.build(&base.reference_at(&proxy.host()), &index, &["alpha", "gamma"], &to);
    let mut running = build.start();
    running.wait_for_step("push");

    std::fs::remove_dir_all(workshop.cache().join("frames")).unwrap();
    std::fs::create_dir_all(workshop.cache().join("frames/1")).unwrap();

    let outcome = running.end();
    let digest = outcome.digest();
    assert_eq!(digest_of(&registry, "team/image", "1").await, Some(digest));
    let warnings = outcome.warnings();
    assert!(warnings.iter().any(|warning| warning.ends_with("they are prepared again")), "{warnings:?}");
}
