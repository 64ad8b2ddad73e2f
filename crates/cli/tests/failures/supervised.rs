//! Builds with a supervisor: no tag moves without the supervisor's word, and none when there is no supervisor any more.

use std::time::Duration;

use imagewright_testkit::conda::{Channels, CondaPackageBuilder};
use imagewright_testkit::{PackageIndex, Registry, require_tool};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Outcome, Running, Workshop, digest_of, index, push_base};

/// How long a build may take to end once it was told to.
const PROMISED: Duration = Duration::from_secs(2);

/// A registry with a base, an index and folders.
struct Scene {
    registry: Registry,
    base: String,
    index: PackageIndex,
    workshop: Workshop,
}

impl Scene {
    async fn new() -> Self {
        let registry = Registry::new();
        let base = push_base(&registry).await.reference;
        Self { registry, base, index: index(), workshop: Workshop::new() }
    }

    fn plan(&self, tag: &str) -> Value {
        json!({
            "spec": {
                "base": self.base,
                "pip": {"requirements": ["alpha", "gamma"], "index_url": self.index.url()},
            },
            "to": format!("{}/team/image:{tag}", self.registry.host()),
        })
    }

    /// Starts the build of an image and waits until it asks whether it may publish.
    fn ask(&self, tag: &str) -> Running {
        let mut running = self.workshop.supervised(&self.plan(tag)).start();
        running.wait_for_question();
        running
    }

    async fn digest(&self, tag: &str) -> Option<String> {
        digest_of(&self.registry, "team/image", tag).await
    }

    /// The build was cancelled: it left nothing, and no tag.
    #[track_caller]
    fn assert_cancelled(&self, outcome: &Outcome) {
        assert_eq!((outcome.code, outcome.kind()), (Some(130), "cancelled"), "{outcome:#?}");
        assert!(outcome.failure().contains("nothing was published"), "{outcome:#?}");
        assert_eq!(self.workshop.processes(), [""; 0]);
        assert_eq!(self.workshop.leftovers(), [""; 0]);
    }
}

#[tokio::test]
async fn the_tag_moves_when_the_supervisor_says_so() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    let mut running = scene.ask("1");
    assert_eq!(scene.registry.tags("team/image").await.iter().filter(|tag| *tag == "1").count(), 0);

    running.say("publish");
    // The supervisor goes on listening: that its end of the pipe is open keeps nothing alive.
    let outcome = running.end();

    let digest = outcome.digest();
    assert_eq!(scene.digest("1").await, Some(digest));
    assert_eq!(outcome.questions(), 1);
    let manifest = scene.registry.manifest("team/image", "1").await.unwrap();
    let size = |part: &Value| part["size"].as_u64().unwrap();
    let layers: u64 = manifest["layers"].as_array().unwrap().iter().map(size).sum();
    assert_eq!(outcome.result()["images"][0]["size"], layers + size(&manifest["config"]));
}

#[tokio::test]
async fn no_tag_moves_when_the_supervisor_is_gone() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    let mut running = scene.ask("1");
    running.end_input();
    scene.assert_cancelled(&running.end_within(PROMISED));
    assert_eq!(scene.digest("1").await, None);
}

#[tokio::test]
async fn no_tag_moves_when_the_supervisor_says_anything_else() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    for word in ["refuse", "", "publish now", "Publish"] {
        let mut running = scene.ask("1");
        running.say(word);
        scene.assert_cancelled(&running.end_within(PROMISED));
        assert_eq!(scene.digest("1").await, None, "{word:?}");
    }
}

#[tokio::test]
async fn a_grant_from_before_the_question_is_none() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    let running =
        scene.workshop.supervised(&scene.plan("1")).input(&format!("{}\npublish\n", scene.plan("1")));
    let outcome = running.start().end();
    scene.assert_cancelled(&outcome);
    assert_eq!((scene.digest("1").await, outcome.questions()), (None, 0));
}

#[tokio::test]
async fn a_signal_ends_the_wait_for_the_word() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    let running = scene.ask("1");
    running.signal(Signal::TERM);
    scene.assert_cancelled(&running.end_within(PROMISED));
    assert_eq!(scene.digest("1").await, None);
}

#[tokio::test]
async fn an_image_that_is_only_looked_up_needs_the_word_as_well() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    let mut first = scene.ask("1");
    first.say("publish");
    let digest = first.end().digest();

    let mut refused = scene.ask("2");
    refused.end_input();
    scene.assert_cancelled(&refused.end_within(PROMISED));
    assert_eq!(scene.digest("2").await, None);

    let mut granted = scene.ask("2");
    granted.say("publish");
    let outcome = granted.end();
    assert_eq!(outcome.result()["unchanged"], true);
    assert_eq!(scene.digest("2").await, Some(digest));
}

#[tokio::test]
async fn one_word_is_for_both_tags_of_a_universal_image() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    let channels = Channels::new();
    let tensors =
        |build: &str, number| CondaPackageBuilder::new("tensors", "1.0").build_string(build, number);
    let forge = channels.channel("conda-forge");
    forge.add(&tensors("cpu_0", 0).file("share/tensors", "cpu\n").build());
    forge.add(&tensors("cuda_1", 1).depends("__cuda >=12").file("share/tensors", "cuda\n").build());
    let plan = json!({
        "spec": {"base": scene.base, "type": "universal", "conda": {"specs": ["tensors"]}},
        "to": format!("{}/team/image:1", scene.registry.host()),
        "conda": {"channel_alias": channels.url(), "channels": ["conda-forge"], "cuda": "12.4"},
    });
    let start = || {
        let mut running = scene.workshop.supervised(&plan).start();
        running.wait_for_question();
        running
    };

    let mut left = start();
    left.end_input();
    scene.assert_cancelled(&left.end_within(PROMISED));
    assert_eq!((scene.digest("1").await, scene.digest("1-gpu").await), (None, None));

    let mut running = start();
    running.say("publish");
    let outcome = running.end();
    assert_eq!(scene.digest("1").await, Some(outcome.digest()));
    let gpu = outcome.result()["gpu"]["digest"].as_str().map(str::to_owned);
    assert!(gpu.is_some(), "{outcome:#?}");
    assert_eq!((scene.digest("1-gpu").await, outcome.questions()), (gpu, 1));
}

#[tokio::test]
async fn a_plan_that_is_cut_is_none_and_a_wrong_one_is_told() {
    let workshop = Workshop::new();
    let command = || workshop.command(["build", "--plan", "-", "--supervised"]);
    for cut in ["", "{\"spec\": {\"base\": \"debian:12\"}, \"to\": \"registry.invalid/x:1\"}"] {
        let mut running = command().input(cut).start();
        running.end_input();
        let outcome = running.end_within(PROMISED);
        assert_eq!((outcome.code, outcome.kind()), (Some(130), "cancelled"), "{cut:?}");
    }
    // A signal is noticed while the plan is still waited for.
    let mut running = command().input("{").start();
    running.wait_until_signals_are_caught();
    running.signal(Signal::TERM);
    assert_eq!(running.end_within(PROMISED).code, Some(130));

    let outcome = command().input("{}\n").start().end_within(PROMISED);
    assert_eq!((outcome.code, outcome.kind()), (Some(2), "spec_invalid"));
}
