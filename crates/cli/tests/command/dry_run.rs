//! Dry runs: everything is resolved, nothing is written.

use imagewright_testkit::require_tool;
use serde_json::json;

use crate::support::{User, World, stable};

#[tokio::test]
async fn a_dry_run_shows_the_packages_and_writes_nothing() {
    require_tool!("docker-registry", "uv");
    let (user, world) = (User::new(), World::new().await);
    let outcome = world.build(&user, "x:1", &["--dry-run"]).await.succeeded();
    {
        let _filters = stable();
        insta::assert_snapshot!(outcome.stdout);
    }
    let requests = world.proxy.requests();
    let writing: Vec<_> =
        requests.iter().filter(|request| !matches!(request.method.as_str(), "GET" | "HEAD")).collect();
    assert!(!requests.is_empty() && writing.is_empty(), "{writing:?}");

    // After a build the same packages are on this machine.
    world.build(&user, "x:1", &[]).await.succeeded();
    let again = world.build(&user, "x:1", &["--dry-run"]).await.succeeded();
    assert!(again.stdout.contains("total     2 packages, 2 cached ("), "{}", again.stdout);
}

#[tokio::test]
async fn programs_get_the_plan_as_the_last_line() {
    require_tool!("docker-registry", "uv");
    let (user, world) = (User::new(), World::new().await);
    let outcome = world.build(&user, "x:1", &["--dry-run", "--events", "json"]).await.succeeded();
    assert_eq!(outcome.stderr, "");
    let events = outcome.events();
    let plan = events.last().unwrap();
    assert_eq!(plan["event"], "plan");
    let names: Vec<_> =
        plan["images"][0]["packages"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, [&json!("words"), &json!("greeting")]);
}
