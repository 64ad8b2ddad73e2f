//! Bases that have the packages already: what is there stays where it fits, and is replaced whole where not.

use imagewright_testkit::{PackageIndex, Wheel, WheelBuilder, bases, require_tool};

use crate::support::{DIST_PACKAGES, Workshop, demo, demo_wheel};

/// A library that has another module and another command in each version.
fn library(version: &str) -> Wheel {
    let only_here = format!("only_in_{}", version.replace(['.', '+'], "_"));
    demo("library", version)
        .file(&format!("library/{only_here}.py"), "")
        .file(&format!("library/{only_here}_data/table.csv"), "1,2\n")
        .script(&only_here, "library:main")
        .build()
}

#[tokio::test]
async fn an_older_and_a_newer_version_stay_where_they_fit() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = [library("1.0"), demo_wheel("helper", "9.0")];
    let base = bases::with_packages(&workshop.registry, &base).await;
    let tool = demo("tool", "1.0").requires("library>=0.5").requires("helper").build();
    let index = PackageIndex::with(&[tool, library("2.0"), demo_wheel("helper", "3.0")]);

    let command = workshop.build(&base.reference, "team/image:1").pip("tool").pip("helper>=1");
    let built = command.index(&index).succeed();

    assert_eq!(built.added(), ["tool 1.0"]);
    assert!(built.replaced().is_empty(), "{built:#?}");
    let image = workshop.run("team/image:1");
    let versions = image.python("import library, helper; print(library.VERSION, helper.VERSION)");
    assert_eq!(versions.stdout, "1.0 9.0\n");
    assert!(image.run(&["pip", "check"]).succeeded());
}

#[tokio::test]
async fn a_version_that_does_not_fit_is_replaced_whole_and_announced() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = [library("1.0"), demo_wheel("helper", "9.0"), demo_wheel("bystander", "1.0")];
    let base = bases::with_packages(&workshop.registry, &base).await;
    let tool = demo("tool", "1.0").requires("library>=2").build();
    let index = PackageIndex::with(&[tool, library("2.0"), demo_wheel("helper", "3.0")]);

    let command = workshop.build(&base.reference, "team/image:1").pip("tool").pip("helper<4");
    let built = command.index(&index).succeed();

    assert_eq!(built.replaced(), ["helper 9.0 → 3.0", "library 1.0 → 2.0"]);
    for (name, old, new) in [("library", "1.0", "2.0"), ("helper", "9.0", "3.0")] {
        assert!(built.says(&[name, old, new]), "{name} is replaced without a word: {:#?}", built.said());
    }
    let image = workshop.run("team/image:1");
    for gone in [
        "/usr/local/bin/only_in_1_0",
        &format!("{DIST_PACKAGES}/library/only_in_1_0.py"),
        &format!("{DIST_PACKAGES}/library/only_in_1_0_data"),
        &format!("{DIST_PACKAGES}/library-1.0.dist-info"),
        &format!("{DIST_PACKAGES}/helper-9.0.dist-info"),
    ] {
        assert!(!image.exists(gone), "{gone} is left");
    }
    let versions = image.python("import library, helper, bystander; print(library.VERSION, helper.VERSION)");
    assert_eq!(versions.stdout, "2.0 3.0\n", "{versions:?}");
    assert_eq!(image.run(&["only_in_2_0"]).stdout, "library 2.0\n");
    assert!(image.run(&["pip", "check"]).succeeded());
    let removed = image.run(&["pip", "uninstall", "--yes", "--break-system-packages", "library"]);
    assert!(removed.succeeded(), "{removed:?}");
    assert!(!image.exists(&format!("{DIST_PACKAGES}/library")));
}

#[tokio::test]
async fn a_vendors_version_stays_and_pulls_nothing_in() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let vendors =
        WheelBuilder::new("torch", "2.3.0a0+ngc24.05").file("torch/__init__.py", "VERSION = 'vendor'\n");
    let base = bases::with_packages(&workshop.registry, &[vendors.build()]).await;
    let metrics = demo("metrics", "1.4").requires("torch>=2.0.0").build();
    let torch = demo("torch", "2.4.0").requires("cuda-runtime==12.1").build();
    let index = PackageIndex::with(&[metrics, torch, demo_wheel("cuda-runtime", "12.1")]);

    let built = workshop.build(&base.reference, "team/image:1").pip("metrics").index(&index).succeed();

    assert_eq!(built.added(), ["metrics 1.4"]);
    let image = workshop.run("team/image:1");
    assert_eq!(image.python("import torch, metrics; print(torch.VERSION)").stdout, "vendor\n");
    assert!(image.run(&["pip", "check"]).succeeded());
}
