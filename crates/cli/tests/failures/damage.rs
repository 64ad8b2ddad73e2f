//! A cache whose files were damaged behind our back: by a disk, by a power cut, by somebody who looked into it.

use std::fs;
use std::path::Path;

use imagewright_testkit::{PackageIndex, PushedImage, Registry, require_tool};

use crate::support::{Outcome, Workshop, files_below, index, push_base};

/// Ways to damage a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// Nothing is left but the name.
    Emptied,
    /// The second half is missing.
    CutOff,
    /// One bit in the middle is another.
    FlippedBit,
    /// Something else altogether.
    Replaced,
}

const ALL: [Damage; 4] = [Damage::Emptied, Damage::CutOff, Damage::FlippedBit, Damage::Replaced];

impl Damage {
    fn of(self, mut bytes: Vec<u8>) -> Vec<u8> {
        let middle = bytes.len() / 2;
        match self {
            Self::Emptied => bytes.clear(),
            Self::CutOff => bytes.truncate(middle),
            Self::FlippedBit => {
                if let Some(byte) = bytes.get_mut(middle) {
                    *byte ^= 0x04;
                }
            }
            Self::Replaced => bytes = b"{\"something\": \"else\"}\n".to_vec(),
        }
        bytes
    }

    /// Damages every file below a folder of the cache.
    fn inflict(self, folder: &Path) {
        let files = files_below(folder);
        assert!(!files.is_empty(), "{} holds nothing", folder.display());
        for file in files {
            let damaged = self.of(fs::read(&file).unwrap());
            // Written anew: the mode stays, and so does whatever the time of the last change means to its reader.
            fs::write(&file, damaged).unwrap();
        }
    }
}

/// Everything of one build that is done again and again.
struct Scene {
    registry: Registry,
    base: PushedImage,
    index: PackageIndex,
    workshop: Workshop,
}

impl Scene {
    async fn new() -> Self {
        let registry = Registry::new();
        let base = push_base(&registry).await;
        Self { registry, base, index: index(), workshop: Workshop::new() }
    }

    /// Builds into a repository of its own, so that nothing is found in the registry.
    fn build(&self, repository: &str, options: &[&str]) -> Outcome {
        let to = format!("{}/{repository}:1", self.registry.host());
        self.workshop
            .build(&self.base.reference, &self.index, &["alpha", "gamma"], &to)
            .options(options)
            .run()
    }

    /// Removes a part of the cache, so that another part is needed.
    fn forget(&self, parts: &[&str]) {
        for part in parts {
            fs::remove_dir_all(self.workshop.cache().join(part)).unwrap();
        }
    }
}

/// Damages `part` of the cache in every way, after `forgotten` parts were removed, and builds again.
async fn is_made_anew(part: &str, forgotten: &[&str]) {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    let sound = scene.build("sound", &[]).digest();
    for damage in ALL {
        scene.forget(forgotten);
        damage.inflict(&scene.workshop.cache().join(part));

        let repository = format!("damaged-{damage:?}").to_lowercase();
        let outcome = scene.build(&repository, &[]);

        assert_eq!(outcome.digest(), sound, "{part} {damage:?}");
        assert_eq!(scene.workshop.leftovers(), [""; 0], "{part} {damage:?}");
    }
}

#[tokio::test]
async fn indexes_of_base_layers() {
    is_made_anew("index", &["owners/default/builds"]).await;
}

#[tokio::test]
async fn records_of_finished_builds() {
    is_made_anew("owners/default/builds", &[]).await;
}

#[tokio::test]
async fn facts_of_layers() {
    is_made_anew("layers", &["owners/default/builds"]).await;
}

/// The layers are known, so their bytes are needed for the upload only.
#[tokio::test]
async fn frames_and_what_is_known_of_them() {
    is_made_anew("frames", &["owners/default/builds"]).await;
}

/// The layers have to be measured again from damaged frames.
#[tokio::test]
async fn frames_of_layers_that_are_not_known() {
    is_made_anew("frames", &["owners/default/builds", "layers"]).await;
}

#[tokio::test]
async fn wheels() {
    is_made_anew("wheels", &["owners/default/builds", "frames"]).await;
}

/// What uv is told of the target and of the base is ours, and so is the duty to notice.
#[tokio::test]
async fn what_the_resolver_is_told() {
    is_made_anew("owners/default/uv/stand-ins", &["owners/default/builds"]).await;
}

/// uv guards its own cache: it may also refuse, but not resolve to something else.
#[tokio::test]
async fn the_resolvers_own_cache() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    let sound = scene.build("sound", &[]).digest();
    for damage in ALL {
        scene.forget(&["owners/default/builds"]);
        damage.inflict(&scene.workshop.cache().join("owners/default/uv/uv"));

        let outcome = scene.build(&format!("damaged-{damage:?}").to_lowercase(), &["--fresh"]);

        if outcome.code == Some(0) {
            assert_eq!(outcome.digest(), sound, "{damage:?}");
        } else {
            assert!(!outcome.failure().is_empty());
            scene.forget(&["owners/default/uv"]);
        }
    }
}

/// The frames alone, in each way: what is remembered of the packages is sound.
#[tokio::test]
async fn frames_alone() {
    require_tool!("docker-registry", "uv");
    let scene = Scene::new().await;
    let sound = scene.build("sound", &[]).digest();
    for (number, damage) in ALL.into_iter().enumerate() {
        scene.forget(&["owners/default/builds"]);
        if number % 2 == 0 {
            scene.forget(&["layers"]);
        }
        for file in files_below(&scene.workshop.cache().join("frames")) {
            if file.extension().is_none() {
                fs::write(&file, damage.of(fs::read(&file).unwrap())).unwrap();
            }
        }
        let outcome = scene.build(&format!("damaged-{number}"), &[]);
        assert_eq!(outcome.digest(), sound, "{damage:?}: {outcome:#?}");
    }
}
