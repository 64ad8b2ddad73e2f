//! A hub with a registry, a base and a package index, and an admin who asks for builds.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use imagewright_hub::access::{Account, Actor};
use imagewright_hub::app::images::{NewImage, NewSource, RecipeInput};
use imagewright_hub::app::users::NewUser;
use imagewright_hub::config::{HubConfig, SystemResolver};
use imagewright_hub::launcher::Launcher;
use imagewright_hub::logs::Logs;
use imagewright_hub::queue::{Progress, Queue};
use imagewright_hub::vault::Vault;
use imagewright_hub::{Clock, Hub, Parts, Throttle};
use imagewright_spec::ImageKind;
use imagewright_store::Store;
use imagewright_store::builds::{Build, Subject};
use imagewright_store::images::Image;
use imagewright_testkit::{PackageIndex, Registry, WheelBuilder};
use tempfile::TempDir;

use crate::base::push_base;

/// How long a test waits for what must come.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// Everything around a hub.
pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    pub(crate) registry: Registry,
    pub(crate) index: PackageIndex,
    pub(crate) base: String,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let registry = Registry::new();
        let base = push_base(&registry).await.reference;
        let wheel =
            |name: &str| WheelBuilder::new(name, "1.0").file(&format!("{name}.py"), "x = 1\n").build();
        let index = PackageIndex::with(&[wheel("alpha"), wheel("beta")]);
        let folder = tempfile::Builder::new().prefix("hub-").tempdir().unwrap();
        Self { folder, registry, index, base }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The cache of its builds.
    pub(crate) fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    /// The rooms of its builds.
    pub(crate) fn rooms(&self) -> PathBuf {
        self.path("rooms")
    }

    /// The hub, on what an earlier one has left.
    pub(crate) async fn hub(&self) -> Hub {
        let host = self.registry.host();
        let variables = [
            ("IMAGEWRIGHT_REGISTRY__PREFIX", format!("{host}/hub")),
            ("IMAGEWRIGHT_SOURCES__INDEX_URL", self.index.url()),
            ("IMAGEWRIGHT_SOURCES__REACHABLE", host),
        ];
        let config = HubConfig::load(None, variables).unwrap();
        let hub = Hub::new(Parts {
            store: Store::open_file(&self.path("hub.db")).await.unwrap(),
            clock: Clock::of_machine(),
            vault: Vault::open(self.path("key")).unwrap(),
            addresses: config.address_rule(),
            resolver: Arc::new(SystemResolver),
            throttle: Throttle::new(10, 60),
            wake: Arc::default(),
            metrics: imagewright_hub::Metrics::default(),
            config,
        });
        hub.prepare().await.unwrap();
        if hub.store.read().user_by_name("root").await.unwrap().is_none() {
            let new = NewUser {
                username: "root".to_owned(),
                is_admin: true,
                is_enabled: true,
                ..NewUser::default()
            };
            hub.create_user(&Actor::Machine, new).await.unwrap();
        }
        hub
    }

    pub(crate) fn logs(&self) -> Logs {
        Logs::open(&self.path("logs"), 64 << 20).unwrap()
    }

    pub(crate) fn launcher(&self) -> Launcher {
        let kept = |name: &str| std::env::var_os(name).map(|value| (name.into(), value));
        let launcher = Launcher {
            program: env!("CARGO_BIN_EXE_imagewright").into(),
            account: None,
            cache: self.cache(),
            rooms: self.rooms(),
            config: None,
            environment: ["PATH", "SSL_CERT_FILE", "IMAGEWRIGHT_UV"].into_iter().filter_map(kept).collect(),
            nice: 0,
        };
        launcher.prepare().unwrap();
        launcher
    }

    pub(crate) fn queue(&self, hub: &Hub) -> Queue {
        Queue::start(hub.clone(), self.launcher(), self.logs(), Progress::default())
    }

    pub(crate) fn recipe(&self, pip: &str) -> RecipeInput {
        RecipeInput { base: self.base.clone(), pip: vec![pip.to_owned()], ..RecipeInput::default() }
    }

    /// Asks for an image.
    pub(crate) async fn ask(&self, hub: &Hub, name: &str, pip: &str) -> Build {
        let new = NewImage {
            name: Some(name.to_owned()),
            display_name: None,
            is_display_name_strict: false,
            description: String::new(),
            kind: ImageKind::Cpu,
            group: None,
            is_global: true,
            shared_with: Vec::new(),
            source: NewSource::Custom(self.recipe(pip)),
        };
        hub.create_image(&root(hub).await, new).await.unwrap().latest_build.unwrap()
    }

    /// No process works in its folders any more, and nothing of a build is left in them.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let mut left = names(&self.rooms());
        left.extend(names(&self.cache().join("staging")));
        for process in std::fs::read_dir("/proc").unwrap().flatten() {
            let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if line.contains(&*self.folder.path().to_string_lossy()) {
                left.push(line);
            }
        }
        left
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path().display().to_string()).collect()
}

pub(crate) async fn root(hub: &Hub) -> Actor {
    let user = hub.user_by_name(&Actor::Machine, "root").await.unwrap();
    Actor::User(Box::new(Account::new(&user, Vec::new())))
}

/// Waits until a build is as it should be.
pub(crate) async fn until(hub: &Hub, name: &str, is_so: impl Fn(&Build) -> bool) -> Build {
    let begin = Instant::now();
    let subject = Subject::Image(name.parse().unwrap());
    loop {
        let build = hub.store.read().latest_build(&subject).await.unwrap().unwrap();
        if is_so(&build) {
            return build;
        }
        assert!(begin.elapsed() < DEADLINE, "the build is not as it should be: {build:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) async fn image(hub: &Hub, name: &str) -> Image {
    hub.image(&Actor::Machine, name).await.unwrap().image
}

/// Waits for what has no event of its own.
pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < DEADLINE, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
