//! `inspect`, `doctor` and `cache`.

use imagewright_testkit::require_tool;
use serde_json::{Value, json};

use crate::support::{User, World, stable};

#[tokio::test]
async fn inspect_describes_a_base_and_what_was_built_on_it() {
    require_tool!("docker-registry", "uv");
    let (user, world) = (User::new(), World::new().await);
    let base = user.run(&["inspect", &world.base()]).await.succeeded();
    assert!(base.stdout.contains("Alpine Linux v3.20, musl 1.2"), "{}", base.stdout);
    assert!(!base.stdout.contains("Built by Imagewright"), "{}", base.stdout);
    assert_eq!(base.stderr, "");

    world.build(&user, "x:1", &[]).await.succeeded();
    let built = user.run(&["inspect", &world.target("x:1")]).await.succeeded();
    let _filters = stable();
    insta::assert_snapshot!(built.stdout);
}

#[tokio::test]
async fn inspect_gives_the_whole_report_to_programs() {
    require_tool!("docker-registry", "uv");
    let (user, world) = (User::new(), World::new().await);
    world.build(&user, "x:1", &[]).await.succeeded();
    let shown = user.run(&["inspect", "--json", &world.target("x:1")]).await.succeeded();
    let report: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(report["operating_system"]["id"], "alpine");
    assert_eq!(report["interpreters"][0]["packages"][0]["name"], "greeting");
    let own = &report["built_by_imagewright"];
    assert_eq!(own["base"], world.base());
    assert_eq!(own["base_digest"], world.base.digest.as_str());
    assert_eq!(own["lock"]["pip"][1]["name"], "greeting");
    let ours: Vec<_> = report["layers"].as_array().unwrap().iter().map(|layer| &layer["ours"]).collect();
    assert_eq!(ours[0], &json!(false));
    assert!(ours[1..].iter().all(|ours| *ours == &json!(true)) && ours.len() > 1, "{ours:?}");
}

#[tokio::test]
async fn inspect_says_what_is_not_there() {
    require_tool!("docker-registry");
    let (user, world) = (User::new(), World::new().await);
    let shown = user.run(&["inspect", &world.target("no/such:1")]).await.failed(4);
    assert!(shown.starts_with("error: "), "{shown}");
    let arguments = ["inspect", "--platform", "linux/arm64", &world.base()];
    let shown = user.run(&arguments).await.failed(4);
    assert!(shown.contains("linux/amd64"), "{shown}");
}

#[tokio::test]
async fn doctor_finds_what_is_there_and_names_what_is_missing() {
    require_tool!("uv");
    let user = User::new();
    let shown = user.run(&["doctor", "--json"]).await.succeeded();
    let findings: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(findings["ready"], true);
    assert_eq!(findings["parts"][0]["name"], "uv");
    assert!(!user.cache().exists(), "looking makes nothing");

    let without = User::new().with_variable("IMAGEWRIGHT_UV", "/nowhere/uv");
    let outcome = without.run(&["doctor"]).await;
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    assert!(outcome.stdout.contains("✗ uv"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("pip install uv=="), "{}", outcome.stdout);
}

#[tokio::test]
async fn doctor_removes_what_killed_builds_have_left() {
    let user = User::new();
    user.file("cache/staging/build-killed/owner.lock", "");
    user.file("cache/staging/build-killed/half.whl", "12345");
    let shown = user.run(&["doctor", "--clean"]).await;
    assert!(shown.stdout.contains("Removed what killed builds had left: 1 folder, 5 B."), "{}", shown.stdout);
    assert!(!user.cache().join("staging/build-killed").exists());
    let again = user.run(&["doctor", "--clean"]).await;
    assert!(again.stdout.contains("Nothing was left by killed builds."), "{}", again.stdout);
}

#[tokio::test]
async fn the_cache_is_shown_and_emptied_and_builds_go_on() {
    require_tool!("docker-registry", "uv");
    let (user, world) = (User::new(), World::new().await);
    let first = world.build(&user, "x:1", &[]).await.succeeded();
    let shown = user.run(&["cache"]).await.succeeded();
    assert!(shown.stdout.contains("2 files  wheels"), "{}", shown.stdout);
    let trimmed = user.run(&["cache", "trim", "--to", "0"]).await.succeeded();
    assert!(trimmed.stdout.contains("0 files  wheels"), "{}", trimmed.stdout);
    let second = world.build(&user, "x:1", &[]).await.succeeded();
    assert_eq!(second.stdout, first.stdout);
}
