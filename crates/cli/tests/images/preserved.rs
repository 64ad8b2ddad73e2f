//! Nothing of the base changes that was not asked to change.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

use imagewright_testkit::{Entry, ImageBuilder, LayerBuilder, PackageIndex, Runner, bases, require_tool};
use serde_json::{Value, json};

use crate::support::{DIST_PACKAGES, Workshop, demo, demo_wheel};

#[tokio::test]
async fn the_configuration_of_the_base_survives() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = ImageBuilder::from_image(&bases::debian_python(&workshop.registry).await)
        .layer(LayerBuilder::new().add(Entry::directory("home/jovyan").owner(1000, 100)).build())
        .user("1000:100")
        .env("COLOUR", "green = blue")
        .entrypoint(&["/usr/bin/env", "--"])
        .command(&["python3", "-q"])
        .working_directory("/home/jovyan")
        .label("org.example.team", "vision")
        .config_value("Healthcheck", json!({ "Test": ["CMD", "true"], "Interval": 30_000_000_000_u64 }))
        .config_value("OnBuild", json!(["LABEL org.example.child=yes"]))
        .config_value("FieldOfTomorrow", json!({ "kept": [1, null] }))
        .top_level_value("org.example.vendor", json!({ "kept": true }))
        .push(&workshop.registry, "bases/configured:1")
        .await;
    let index = PackageIndex::with(&[demo_wheel("thing", "1.0")]);

    workshop.build(&base.reference, "team/image:1").pip("thing").index(&index).succeed();

    let (manifest, config) = manifest_and_config(&workshop, "team/image").await;
    let ours = |labels: &Value| {
        let mut labels = labels.as_object().cloned().unwrap_or_default();
        labels.retain(|name, _| !name.starts_with("io.imagewright."));
        labels
    };
    for (key, value) in base.config["config"].as_object().unwrap() {
        if key == "Labels" {
            assert_eq!(ours(&config["config"]["Labels"]), *value.as_object().unwrap());
        } else {
            assert_eq!(config["config"][key], *value, "{key}");
        }
    }
    for key in ["architecture", "os", "created", "org.example.vendor"] {
        assert_eq!(config[key], base.config[key], "{key}");
    }
    let layers = manifest["layers"].as_array().unwrap().len();
    let history = config["history"].as_array().unwrap();
    let making = history.iter().filter(|entry| entry["empty_layer"] != true).count();
    assert_eq!((making, config["rootfs"]["diff_ids"].as_array().unwrap().len()), (layers, layers));

    let image = workshop.run("team/image:1");
    assert_eq!(image.run(&["id", "-u"]).stdout, "1000\n");
    assert_eq!(image.run(&["pwd"]).stdout, "/home/jovyan\n");
    assert_eq!(image.run(&["printenv", "COLOUR"]).stdout, "green = blue\n");
    assert_eq!(image.run(&["thing"]).stdout, "thing 1.0\n");
}

#[tokio::test]
async fn existing_folders_keep_mode_owner_and_time() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::setgid_folders(&workshop.registry).await;
    let thing = demo("thing", "1.0").data("data", "share/thing/data.txt", "data").build();
    let index = PackageIndex::with(&[thing, demo_wheel("other", "1.0")]);

    workshop.build(&base.reference, "team/image:1").pip("thing").pip("other").index(&index).succeed();

    let unpacked = i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    let before = folders(Runner::start(&workshop.registry, &base.reference).mount_point());
    let image = workshop.run("team/image:1");
    let after = folders(image.mount_point());
    assert!(before.len() > 500, "{} folders", before.len());
    let changed: Vec<_> =
        before.iter().filter(|(path, was)| !was.is_kept(after.get(*path), unpacked)).collect();
    assert!(changed.is_empty(), "{changed:#?}");

    // New files and folders belong to whom the folder they land in belongs to, as in a shared environment.
    for path in
        ["/usr/local/bin/thing", &format!("{DIST_PACKAGES}/thing/__init__.py"), "/usr/local/share/thing"]
    {
        let metadata = image.file_metadata(path);
        assert_eq!((metadata.uid, metadata.gid), (1000, 100), "{path}");
    }
    assert_eq!(image.file_metadata(&format!("{DIST_PACKAGES}/thing")).mode, 0o2755);
    assert_eq!(image.file_metadata("/tmp").mode, 0o1777);
    assert_eq!(image.file_metadata("/opt/exchange").mode, 0o1777);
    assert_eq!(image.run(&["id", "-u"]).stdout, "1000\n");
    let removed = image.run(&["pip", "uninstall", "--yes", "--break-system-packages", "thing"]);
    assert!(removed.succeeded(), "the owner of the folders manages its packages: {removed:?}");
}

#[tokio::test]
async fn files_for_linked_folders_go_through_the_links() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let debian = bases::debian_python(&workshop.registry).await;
    // Here packages are installed below `/`, where `bin` and `lib` are links into `/usr`.
    let base = ImageBuilder::from_image(&debian)
        .layer(LayerBuilder::new().directory("usr").whiteout("usr/local").symlink("usr/local", "/").build())
        .push(&workshop.registry, "bases/prefix-is-root:1")
        .await;
    let thing = demo("thing", "1.0")
        .data("scripts", "thing-script", "#!python\nprint('script')\n")
        .data("data", "lib/thing/data.txt", "data")
        .data("data", "bin/thing-data", "#!/bin/sh\necho data\n")
        .build();
    let index = PackageIndex::with(&[thing]);

    workshop.build(&base.reference, "team/image:1").pip("thing").index(&index).succeed();

    let image = workshop.run("team/image:1");
    for link in ["/bin", "/lib", "/sbin", "/usr/local"] {
        assert!(image.file_metadata(link).is_symlink, "{link} is no link any more");
    }
    assert_eq!(image.run(&["thing"]).stdout, "thing 1.0\n");
    assert_eq!(image.run(&["thing-script"]).stdout, "script\n");
    assert_eq!(image.run(&["/bin/thing-data"]).stdout, "data\n");
    assert_eq!(image.read_file("/usr/lib/thing/data.txt"), b"data");
    assert!(image.run(&["/bin/ls", "/lib"]).succeeded());
}

/// A folder of an image: mode, user, group, and when it was changed.
#[derive(Debug, PartialEq, Eq)]
struct Folder {
    mode: u32,
    owner: (u32, u32),
    modified: i64,
}

impl Folder {
    /// Whether it is as it was. The time counts only where a layer says one: that of `/`, and of a folder in which
    /// a layer changes something without naming it, is the time at which the base was unpacked.
    fn is_kept(&self, now: Option<&Self>, unpacked: i64) -> bool {
        now.is_some_and(|now| {
            let same_time = self.modified >= unpacked || self.modified == now.modified;
            (self.mode, self.owner) == (now.mode, now.owner) && same_time
        })
    }
}

/// Every folder by its path.
fn folders(root: &Path) -> BTreeMap<String, Folder> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        let metadata = fs::symlink_metadata(&folder).unwrap();
        let path = folder.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let owner = (metadata.uid(), metadata.gid());
        found.insert(path, Folder { mode: metadata.mode(), owner, modified: metadata.mtime() });
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    found
}

async fn manifest_and_config(workshop: &Workshop, repository: &str) -> (Value, Value) {
    let manifest = workshop.registry.manifest(repository, "1").await.unwrap();
    let digest = manifest["config"]["digest"].as_str().unwrap();
    let config = workshop.registry.blob(repository, digest).await.unwrap();
    (manifest, serde_json::from_slice(&config).unwrap())
}
