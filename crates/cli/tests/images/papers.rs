//! The papers that come with an image: lock and bill of materials, and what tells two images apart.

use std::collections::BTreeSet;

use imagewright_testkit::{PackageIndex, WheelBuilder, bases, require_tool};
use serde_json::Value;

use crate::conda::forge;
use crate::support::{Workshop, demo_wheel};

#[tokio::test]
async fn an_image_comes_with_its_lock_and_a_bill_of_materials() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let wheel =
        WheelBuilder::new("thing", "1.0").metadata_line("License-Expression: Apache-2.0 OR MIT").build();
    let index = PackageIndex::with(&[wheel]);
    let channels = forge();

    let wanted = workshop.build(&base.reference, "team/image:1").conda("greeting").channels(&channels);
    let built = wanted.pip("thing").index(&index).succeed();

    // This registry keeps no list of referrers: the one under the fallback tag has both.
    let tag = built.digest().replace(':', "-");
    let referrers = workshop.registry.manifest("team/image", &tag).await.unwrap();
    let kinds: BTreeSet<&str> = referrers["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["artifactType"].as_str().unwrap())
        .collect();
    let expected = ["application/vnd.cyclonedx+json", "application/vnd.imagewright.lock.v1+json"];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);

    let reference = workshop.reference("team/image:1");
    let lock: Value = serde_json::from_slice(&workshop.command(&["inspect", "--lock", &reference])).unwrap();
    assert_eq!(lock["pip"][0]["name"], "thing");
    let bill: Value = serde_json::from_slice(&workshop.command(&["inspect", "--sbom", &reference])).unwrap();
    check(&bill);
    let component = |name: &str| {
        let mut components = bill["components"].as_array().unwrap().iter();
        components
            .find(|one| one["name"] == name)
            .unwrap_or_else(|| panic!("{name} is not in {bill:#}"))
            .clone()
    };
    let thing = component("thing");
    assert_eq!(thing["purl"], "pkg:pypi/thing@1.0");
    assert_eq!(thing["licenses"][0]["expression"], "Apache-2.0 OR MIT");
    assert_eq!(thing["properties"][0]["value"], "build");
    let greeting = component("greeting");
    let purl = greeting["purl"].as_str().unwrap();
    assert!(purl.starts_with("pkg:conda/greeting@2.0?build=py_0&channel="), "{purl}");
    assert_eq!(greeting["hashes"][0]["alg"], "SHA-256");
    let library = component("libc6");
    assert_eq!(library["properties"][0]["value"], "base");
    assert!(library["purl"].as_str().unwrap().ends_with("?arch=amd64&distro=debian-12"), "{library}");
    // No component is there twice, and none of pip's stands for one of conda's.
    let greetings = bill["components"].as_array().unwrap().iter().filter(|one| one["name"] == "greeting");
    assert_eq!(greetings.count(), 1);
}

#[tokio::test]
async fn a_lock_builds_the_very_same_image_from_mirrors() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let wheels = [demo_wheel("thing", "1.0"), demo_wheel("helper", "1.0")];
    let index = PackageIndex::with(&wheels);
    let channels = forge();
    let wanted = workshop.build(&base.reference, "team/image:1").conda("greeting=1.0").channels(&channels);
    let first = wanted.pip("thing").pip("helper").index(&index).arguments(&["--apt", "jq"]).succeed();
    let lock = workshop.folder.path().join("image.lock");
    let reference = workshop.reference("team/image:1");
    std::fs::write(&lock, workshop.command(&["inspect", "--lock", &reference])).unwrap();
    let lock = lock.to_str().unwrap();

    // Where everything came from is gone, and newer versions are there.
    let origin = |url: &str| url.split('/').take(3).collect::<Vec<_>>().join("/");
    let gone = [origin(&index.url()), origin(&channels.url())];
    drop((index, channels));
    let (index, channels) = (PackageIndex::with(&wheels), forge());
    index.add_wheel(&demo_wheel("thing", "9.0"));
    let mirrors = [
        format!("{}/={}/", gone[0], origin(&index.url())),
        format!("{}/={}/", gone[1], origin(&channels.url())),
    ];
    let empty = tempfile::tempdir().unwrap();
    let build = || {
        let build = workshop.bare_build().cache(empty.path());
        build.arguments(&["--lock", lock, "--mirror", &mirrors[0], "--mirror", &mirrors[1]])
    };
    let again = build().arguments(&["--to", &workshop.reference("team/again:1")]).succeed();
    assert_eq!(again.digest(), first.digest(), "{again:#?}");
    let third = build().arguments(&["--to", &workshop.reference("team/again:1")]).succeed();
    assert_eq!(third.summary()["unchanged"], true);
    let image = workshop.run("team/again:1");
    assert_eq!(image.run(&["thing"]).stdout, "thing 1.0\n");
    assert_eq!(image.run(&["greeting"]).stdout, "greeting 1.0\n");
    assert!(image.run(&["jq", "--version"]).succeeded());

    let refused = build().arguments(&["--to", &workshop.reference("team/again:1")]);
    let refused = refused.arguments(&["--platform", "linux/arm64"]).fail();
    assert_eq!(refused.message, "there is not exactly one lock for linux/arm64");
}

/// Builds an image from the lock of another, with an empty cache, and gives both digests.
fn rebuilt(workshop: &Workshop, name: &str) -> (String, String) {
    let lock = workshop.folder.path().join(format!("{name}.lock"));
    let reference = workshop.reference(&format!("team/{name}:1"));
    std::fs::write(&lock, workshop.command(&["inspect", "--lock", &reference])).unwrap();
    let report: Value =
        serde_json::from_slice(&workshop.command(&["inspect", "--json", &reference])).unwrap();
    let empty = tempfile::tempdir().unwrap();
    let again = workshop.bare_build().cache(empty.path()).arguments(&["--lock", lock.to_str().unwrap()]);
    let again = again.arguments(&["--to", &workshop.reference(&format!("team/{name}:again"))]).succeed();
    (report["digest"].as_str().unwrap().to_owned(), again.digest().to_owned())
}

#[tokio::test]
async fn a_lock_of_what_the_base_has_already_builds_the_very_same_image() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns", "uv");
    let workshop = Workshop::new();
    let base = bases::with_packages(&workshop.registry, &[demo_wheel("thing", "1.0")]).await;
    let index = PackageIndex::with(&[demo_wheel("thing", "2.0")]);

    let built = workshop.build(&base.reference, "team/pip:1").pip("thing").index(&index).succeed();
    assert!(built.added().is_empty(), "{built:#?}");
    let (first, again) = rebuilt(&workshop, "pip");
    assert_eq!(first, again);

    // ca-certificates is a part of the base; jq is not.
    workshop
        .build(&base.reference, "team/apt:1")
        .arguments(&["--apt", "ca-certificates", "--apt", "jq"])
        .succeed();
    let (first, again) = rebuilt(&workshop, "apt");
    assert_eq!(first, again);
}

#[tokio::test]
async fn parts_of_a_lock_are_printed_for_other_tools() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let index = PackageIndex::with(&[demo_wheel("thing", "1.0")]);
    let channels = forge();
    let wanted = workshop.build(&base.reference, "team/image:1").conda("greeting=1.0").channels(&channels);
    wanted.pip("thing").index(&index).succeed();
    let reference = workshop.reference("team/image:1");
    let printed = |form: &str| {
        let text = workshop.command(&["inspect", "--lock", "--format", form, &reference]);
        String::from_utf8(text).unwrap()
    };
    let explicit = printed("conda");
    assert!(explicit.starts_with("# platform: linux-64\n@EXPLICIT\nhttp"), "{explicit}");
    assert!(explicit.contains("/greeting-1.0-py_0.conda#"), "{explicit}");
    // pip itself reads the file where it is new enough; uv does everywhere.
    let file = workshop.folder.path().join("pylock.toml");
    std::fs::write(&file, printed("pylock")).unwrap();
    let uv = std::process::Command::new(imagewright_testkit::tool("uv").unwrap())
        .args(["pip", "install", "--no-config", "--python", "/usr/bin/python3", "--target"])
        .arg(workshop.folder.path().join("installed"))
        .arg("--requirements")
        .arg(&file)
        .output()
        .unwrap();
    // The test kit's index is spoken to over HTTP on loopback, as the lock says.
    assert!(uv.status.success(), "{}", String::from_utf8_lossy(&uv.stderr));
    assert!(workshop.folder.path().join("installed/thing").exists());
}

/// What the schema of `CycloneDX` 1.6 asks of the parts that we write.
fn check(bill: &Value) {
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.6".into()));
    assert!(bill["serialNumber"].as_str().unwrap().starts_with("urn:uuid:"));
    let mut references = BTreeSet::from(["image"]);
    for component in bill["components"].as_array().unwrap() {
        for field in ["type", "name", "version", "bom-ref", "purl"] {
            assert!(component[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {component}");
        }
        assert!(references.insert(component["bom-ref"].as_str().unwrap()), "twice: {component}");
        let purl = component["purl"].as_str().unwrap();
        assert!(purl.starts_with("pkg:") && purl.contains('@') && !purl.contains(' '), "{purl}");
    }
}

#[tokio::test]
async fn what_tells_two_images_apart_is_listed() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let index = PackageIndex::with(&[
        demo_wheel("thing", "1.0"),
        demo_wheel("thing", "2.0"),
        demo_wheel("more", "1.0"),
    ]);
    let build = |to: &str, requirements: &[&str]| {
        let build = workshop.build(&base.reference, to).index(&index);
        requirements.iter().fold(build, |build, requirement| build.pip(requirement)).succeed();
    };
    build("team/image:1", &["thing==1.0"]);
    build("team/image:2", &["thing==2.0", "more"]);

    let (one, two) = (workshop.reference("team/image:1"), workshop.reference("team/image:2"));
    let found: Value = serde_json::from_slice(&workshop.command(&["diff", "--json", &one, &two])).unwrap();

    let changes = found["packages"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{found:#}");
    assert_eq!(changes[0]["manager"], "pip");
    assert_eq!(changes[0]["added"][0]["name"], "more");
    let thing = &changes[0]["changed"][0];
    assert_eq!((&thing["from"], &thing["to"]), (&"1.0".into(), &"2.0".into()), "{found:#}");
    assert!(found["layers"]["shared"].as_u64().unwrap() > 10_000_000, "{found:#}");
    assert!(found["layers"]["added"].as_u64().unwrap() > 0, "{found:#}");
    let same: Value = serde_json::from_slice(&workshop.command(&["diff", "--json", &one, &one])).unwrap();
    assert_eq!(same["identical"], true);
    let shown = String::from_utf8(workshop.command(&["diff", &one, &two])).unwrap();
    assert!(shown.contains("~ thing  1.0 → 2.0"), "{shown}");
}
