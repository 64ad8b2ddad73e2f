//! Plans as JSON: what the hub hands over.

use imagewright_testkit::require_tool;
use serde_json::{Value, json};

use crate::support::{User, World};

fn plan(world: &World, target: &str) -> Value {
    json!({
        "spec": {
            "base": world.base(),
            "pip": {"requirements": ["greeting"], "index_url": world.index.url()},
        },
        "to": world.target(target),
    })
}

#[tokio::test]
async fn a_plan_and_the_same_flags_give_the_same_image() {
    require_tool!("docker-registry", "uv");
    let (flags, planned, world) = (User::new(), User::new(), World::new().await);
    let by_flags = world.build(&flags, "x:flags", &[]).await.succeeded();
    let by_plan = planned
        .run_with_input(&["build", "--plan", "-"], &plan(&world, "x:plan").to_string())
        .await
        .succeeded();
    assert_eq!(by_flags.stdout, by_plan.stdout);

    let file = planned.file("plan.json", &plan(&world, "x:file").to_string());
    let again = planned.run(&["build", "--plan", file.to_str().unwrap()]).await.succeeded();
    assert_eq!(again.stdout, by_plan.stdout);
}

#[tokio::test]
async fn a_plan_is_taken_whatever_the_environment_sets_for_flags() {
    require_tool!("docker-registry", "uv");
    let world = World::new().await;
    let user = User::new()
        .with_variable("IMAGEWRIGHT_INDEX_URL", "http://127.0.0.1:1/simple")
        .with_variable("IMAGEWRIGHT_LAYER_REPO", "127.0.0.1:1/layers");
    let text = plan(&world, "x:1").to_string();
    user.run_with_input(&["build", "--plan", "-", "--dry-run"], &text).await.succeeded();
}

#[tokio::test]
async fn what_is_wrong_with_a_plan_is_told_with_its_place() {
    let user = User::new();
    for (text, said) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{\"spec\": {\"base\": \"debian:12\"}}", "missing field `to`"),
        (
            "{\"spec\": {\"base\": \"debian:12\", \"aptt\": []}, \"to\": \"x:1\"}",
            "unknown field `aptt`, expected one of `base`, `type`, `apt`, `conda`, `pip`",
        ),
        (
            "{\"spec\": {\"base\": \"debian:12\"}, \"to\": \"x:1\", \"speed\": 11}",
            "unknown field `speed`, expected one of `spec`, `to`",
        ),
        ("{\"spec\": {\"base\": \"debian:12\", \"apt\": [\"-y\"]}, \"to\": \"x:1\"}", "-y"),
        ("{\"spec\": {\"base\": \"debian:12\"}, \"to\": \"x:1\", \"platforms\": []}", "1 to 8 platforms"),
    ] {
        let shown = user.run_with_input(&["build", "--plan", "-"], text).await.failed(2);
        assert!(shown.contains(said), "{text}: {shown}");
        assert!(shown.contains("next: "), "{shown}");
    }
    let shown = user.run(&["build", "--plan", "missing.json"]).await.failed(2);
    assert!(shown.starts_with("error: the plan missing.json cannot be read"), "{shown}");
}

#[tokio::test]
async fn programs_are_told_in_one_json_line() {
    let outcome = User::new().run_with_input(&["build", "--events", "json", "--plan", "-"], "{}").await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (2, ""));
    let events = outcome.events();
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0]["event"], &events[0]["kind"]), (&json!("error"), &json!("spec_invalid")));
}
