//! Ending a build from outside, at every stage: it ends soon, leaves nothing, and the next one is none the worse.
//! That a supervisor is gone does what a signal does.

use std::time::Duration;

use imagewright_testkit::{Fault, FaultyProxy, PackageIndex, PushedImage, Registry, require_tool};
use rustix::process::Signal;
use serde_json::json;

use crate::support::{Running, Workshop, digest_of, index, push_base};

/// How long a build may take to end once it was told to.
const PROMISED: Duration = Duration::from_secs(2);

/// A registry behind a proxy that can hold a build, an index that can, and folders.
struct Scene {
    registry: Registry,
    proxy: FaultyProxy,
    base: PushedImage,
    index: PackageIndex,
    packages: Vec<&'static str>,
    workshop: Workshop,
}

/// Where a build is held when the signal comes.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Base,
    BaseLayer,
    Resolve,
    Download,
    HalfDownloaded,
    Bytecode,
    Layers,
    Push,
    Manifest,
}

/// How a build is told to end.
#[derive(Debug, Clone, Copy)]
enum Told {
    BySignal(Signal),
    ByEndOfInput,
}

impl Scene {
    async fn for_stage(stage: Stage) -> Self {
        let registry = Registry::new();
        let base = push_base(&registry).await;
        let proxy = FaultyProxy::in_front_of(&registry);
        let index = index();
        let mut packages = vec!["alpha", "gamma"];
        if matches!(stage, Stage::Bytecode) {
            index.add_wheel(&slow_to_compile());
            packages.push("slow-to-compile");
        }
        Self { registry, proxy, base, index, packages, workshop: Workshop::new() }
    }

    fn image(&self) -> String {
        format!("{}/team/image:1", self.proxy.host())
    }

    fn start(&self, workshop: &Workshop) -> Running {
        let base = self.base.reference_at(&self.proxy.host());
        let layers = format!("{}/layers", self.proxy.host());
        let build = workshop.build(&base, &self.index, &self.packages, &self.image());
        build.options(["--layer-repo", &layers]).start()
    }

    /// The same build with a supervisor.
    fn start_supervised(&self) -> Running {
        let plan = json!({
            "spec": {
                "base": self.base.reference_at(&self.proxy.host()),
                "pip": {"requirements": self.packages, "index_url": self.index.url()},
            },
            "to": self.image(),
            "layer_repository": format!("{}/layers", self.proxy.host()),
        });
        self.workshop.supervised(&plan).start()
    }

    /// Starts a build that will not get beyond a stage, and waits until it is there.
    fn hold_in(&self, stage: Stage, start: impl FnOnce() -> Running) -> Running {
        let beta = "/files/beta-2.1-py3-none-any.whl";
        match stage {
            Stage::Base => self.proxy.inject(Fault::on("/base/manifests/").hang()),
            Stage::BaseLayer => self.proxy.inject(Fault::on("/base/blobs/").stall_after(100_000)),
            Stage::Resolve => self.index.inject(Fault::on("/simple/gamma/").hang()),
            Stage::Download => self.index.inject(Fault::on_path(beta).hang()),
            Stage::HalfDownloaded => self.index.inject(Fault::on_path(beta).stall_after(50_000)),
            Stage::Bytecode => {}
            Stage::Layers => self.proxy.inject(Fault::on("/layers/manifests/").hang()),
            Stage::Push => self.proxy.inject(Fault::on("/blobs/uploads/").hang()),
            Stage::Manifest => self.proxy.inject(Fault::on("/team/image/manifests/").method("PUT").hang()),
        }
        let mut running = start();
        match stage {
            Stage::Base => running.wait_for_step("base"),
            Stage::BaseLayer => running.wait_until("the layer is asked for", || {
                self.proxy.requests().iter().any(|request| request.path.contains("/base/blobs/"))
            }),
            Stage::Resolve => running.wait_until("the resolver is at work", || {
                self.index.requests().iter().any(|request| request.path.contains("/simple/gamma/"))
            }),
            Stage::Download | Stage::HalfDownloaded => {
                running.wait_for_step("packages");
                running.wait_until("the wheel is asked for", || {
                    self.index.requests().iter().any(|request| request.path.ends_with(beta))
                });
            }
            Stage::Bytecode => running.wait_until("the compiler is at work", || {
                self.workshop.processes().iter().any(|process| process.contains("python3"))
            }),
            Stage::Layers => running.wait_for_step("layers"),
            Stage::Push => running.wait_for_step("push"),
            Stage::Manifest => running.wait_until("the manifest is sent", || {
                self.proxy
                    .requests()
                    .iter()
                    .any(|request| request.method == "PUT" && request.path.contains("/team/image/manifests/"))
            }),
        }
        running
    }

    /// What the same build gives where nothing ever went wrong.
    fn undisturbed(&self) -> String {
        self.start(&Workshop::new()).end().digest()
    }

    fn behave(&self) {
        self.proxy.clear_faults();
        self.index.clear_faults();
    }
}

/// A wheel with so many modules that compiling them takes seconds.
fn slow_to_compile() -> imagewright_testkit::Wheel {
    use std::fmt::Write as _;

    let mut module = String::new();
    for number in 0..400 {
        writeln!(
            module,
            "def f{number}(a, b):\n    return [a * {number} + b for a in range(b) if a != {number}]"
        )
        .unwrap();
    }
    let mut wheel = imagewright_testkit::WheelBuilder::new("slow-to-compile", "1.0");
    for number in 0..80 {
        wheel = wheel.file(&format!("slow/module_{number}.py"), module.clone());
    }
    wheel.build()
}

/// What can be noticed ends the build in order.
async fn ends_in_order(stage: Stage, told: Told) {
    require_tool!("docker-registry", "uv");
    let scene = Scene::for_stage(stage).await;
    let running = match told {
        Told::BySignal(signal) => {
            let running = scene.hold_in(stage, || scene.start(&scene.workshop));
            running.signal(signal);
            running
        }
        Told::ByEndOfInput => {
            let mut running = scene.hold_in(stage, || scene.start_supervised());
            running.end_input();
            running
        }
    };

    let outcome = running.end_within(PROMISED);
    assert_eq!((outcome.code, outcome.kind()), (Some(130), "cancelled"), "{stage:?}: {outcome:#?}");
    assert_eq!(scene.workshop.processes(), [""; 0], "{stage:?}");
    assert_eq!(scene.workshop.leftovers(), [""; 0], "{stage:?}");
    assert_eq!(digest_of(&scene.registry, "team/image", "1").await, None, "{stage:?}");

    scene.behave();
    let again = scene.start(&scene.workshop).end().digest();
    assert_eq!(digest_of(&scene.registry, "team/image", "1").await.as_ref(), Some(&again));
    assert_eq!(again, scene.undisturbed(), "{stage:?}");
}

/// After what cannot, the next build sweeps.
async fn is_swept_after_a_kill(stage: Stage) {
    require_tool!("docker-registry", "uv");
    let scene = Scene::for_stage(stage).await;
    let running = scene.hold_in(stage, || scene.start(&scene.workshop));

    running.signal(Signal::KILL);
    running.end_within(PROMISED);

    assert_eq!(digest_of(&scene.registry, "team/image", "1").await, None, "{stage:?}");
    scene.behave();
    let again = scene.start(&scene.workshop).end().digest();
    assert_eq!(scene.workshop.leftovers(), [""; 0], "{stage:?}");
    assert_eq!(again, scene.undisturbed(), "{stage:?}");
}

macro_rules! at_every_stage {
    ($($name:ident: $stage:ident),+ $(,)?) => { $(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn interrupted() {
                ends_in_order(Stage::$stage, Told::BySignal(Signal::INT)).await;
            }

            #[tokio::test]
            async fn terminated() {
                ends_in_order(Stage::$stage, Told::BySignal(Signal::TERM)).await;
            }

            #[tokio::test]
            async fn left_by_its_supervisor() {
                ends_in_order(Stage::$stage, Told::ByEndOfInput).await;
            }

            #[tokio::test]
            async fn killed() {
                is_swept_after_a_kill(Stage::$stage).await;
            }
        }
    )+ };
}

at_every_stage! {
    reading_the_manifest_of_the_base: Base,
    reading_a_layer_of_the_base: BaseLayer,
    resolving: Resolve,
    waiting_for_a_wheel: Download,
    half_way_through_a_wheel: HalfDownloaded,
    compiling: Bytecode,
    looking_up_layers: Layers,
    uploading: Push,
    sending_the_manifest: Manifest,
}
