//! What a finished build prints.

use imagewright_testkit::require_tool;
use serde_json::json;

use crate::support::{User, World, stable};

#[tokio::test]
async fn people_get_a_summary_and_scripts_one_line() {
    require_tool!("docker-registry", "uv");
    let (user, world) = (User::new(), World::new().await);
    let outcome = world.build(&user, "team/greeting:1", &[]).await.succeeded();
    let pinned = outcome.stdout.trim_end();
    assert!(pinned.starts_with(&format!("{}@sha256:", world.target("team/greeting"))), "{pinned}");
    assert!(outcome.stderr.contains(&format!("docker pull {pinned}")), "{}", outcome.stderr);
    {
        let _filters = stable();
        insta::assert_snapshot!(outcome.stderr);
    }
    // The line can be used as it is.
    user.run(&["inspect", pinned]).await.succeeded();

    let again = world.build(&user, "team/greeting:1", &[]).await.succeeded();
    assert_eq!(again.stdout.trim_end(), pinned);
    assert!(again.stderr.contains("Unchanged"), "{}", again.stderr);
}

#[tokio::test]
async fn programs_get_events_and_nothing_else() {
    require_tool!("docker-registry", "uv");
    let (user, world) = (User::new(), World::new().await);
    let outcome = world.build(&user, "x:1", &["--events", "json"]).await.succeeded();
    assert_eq!(outcome.stderr, "");
    let events = outcome.events();
    let finished: Vec<_> =
        events.iter().filter(|event| event["event"] == "step_finished").map(|event| &event["step"]).collect();
    let steps = ["base", "resolve", "packages", "layers", "push"].map(|step| json!(step));
    assert_eq!(finished, steps.iter().collect::<Vec<_>>());
    let result = events.last().unwrap();
    assert_eq!(result["event"], "result");
    assert_eq!(result["images"][0]["added"], json!(["greeting 1.2.0", "words 1.0"]));
}

#[tokio::test]
async fn a_failed_build_says_what_why_and_what_now() {
    require_tool!("docker-registry", "uv");
    let (user, world) = (User::new(), World::new().await);
    let outcome = world.build(&user, "x:1", &["--pip", "clash"]).await;
    let shown = outcome.failed(3);
    assert!(shown.contains("error: ") && shown.contains("clash") && shown.contains("next: "), "{shown}");

    let outcome = world.build(&user, "x:1", &["--pip", "clash", "--events", "json"]).await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (3, ""));
    let events = outcome.events();
    let error = events.last().unwrap();
    assert_eq!((&error["event"], &error["kind"]), (&json!("error"), &json!("conflict")));
    assert!(error["next_step"].is_string());
}
