//! An image of ours as the base: it is taken apart and laid out anew upon its own base.

use std::collections::BTreeSet;

use imagewright_testkit::{PackageIndex, Wheel, bases, require_tool};

use crate::support::{DIST_PACKAGES, Workshop, demo, demo_wheel};

/// Small packages share layers by their names: these are in different ones.
const FIRST: &str = "alpha";
const SECOND: &str = "beta";

fn library(version: &str) -> Wheel {
    demo("library", version).file(&format!("library/only_in_{}.py", version.replace('.', "_")), "").build()
}

#[tokio::test]
async fn packages_of_both_are_side_by_side() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let index = PackageIndex::with(&[demo_wheel(FIRST, "1.0"), demo_wheel(SECOND, "1.0")]);
    workshop.build(&base.reference, "team/first:1").pip(FIRST).index(&index).succeed();

    let first = workshop.reference("team/first:1");
    workshop.build(&first, "team/second:1").pip(SECOND).index(&index).succeed();

    let (below, above) = (layers(&workshop, "team/first").await, layers(&workshop, "team/second").await);
    assert_eq!(above[0], base.layers[0].digest);
    // The base's and alpha's are the same; what marks the packages as asked for is new in every image.
    assert!(below[..2].iter().all(|layer| above.contains(layer)), "{below:#?} {above:#?}");
    assert_eq!(above.iter().collect::<BTreeSet<_>>().len(), above.len(), "a layer is there twice");
    let image = workshop.run("team/second:1");
    let imported = image.python(&format!("import {FIRST}, {SECOND}"));
    assert!(imported.succeeded(), "{imported:?}");
    assert!(image.run(&["pip", "check"]).succeeded());

    // The very same image comes from asking for both at once.
    let both = workshop.build(&base.reference, "team/both:1").pip(FIRST).pip(SECOND).index(&index);
    both.succeed();
    assert_eq!(layers(&workshop, "team/both").await, above);
}

#[tokio::test]
async fn a_package_of_the_first_that_does_not_fit_is_gone_whole() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::with_packages(&workshop.registry, &[demo_wheel("helper", "1.0")]).await;
    let index = PackageIndex::with(&[library("1.0"), library("2.0"), demo_wheel("helper", "2.0")]);
    let first = workshop.build(&base.reference, "team/first:1").pip("library<2").pip("helper>=2");
    first.index(&index).succeed();

    let first = workshop.reference("team/first:1");
    workshop.build(&first, "team/second:1").pip("library>=2").index(&index).succeed();

    let image = workshop.run("team/second:1");
    for gone in [
        format!("{DIST_PACKAGES}/library/only_in_1_0.py"),
        format!("{DIST_PACKAGES}/library-1.0.dist-info"),
        format!("{DIST_PACKAGES}/helper-1.0.dist-info"),
    ] {
        assert!(!image.exists(&gone), "{gone} is left");
    }
    let versions = image.python("import library, helper; print(library.VERSION, helper.VERSION)");
    assert_eq!(versions.stdout, "2.0 2.0\n");
    assert!(image.run(&["pip", "check"]).succeeded());
    // Nothing of the old library is stored in the image, not even below a whiteout.
    let (below, above) = (layers(&workshop, "team/first").await, layers(&workshop, "team/second").await);
    let kept = below.iter().filter(|layer| above.contains(layer)).count();
    assert_eq!(kept, base.layers.len() + 2, "the base's layers, what hides helper 1.0, and helper 2.0");
}

#[tokio::test]
async fn without_further_packages_it_stays_as_it_is() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let index = PackageIndex::with(&[demo_wheel(FIRST, "1.0")]);
    workshop.build(&base.reference, "team/first:1").pip(FIRST).index(&index).succeed();

    workshop.build(&workshop.reference("team/first:1"), "team/second:1").succeed();

    assert_eq!(layers(&workshop, "team/second").await, layers(&workshop, "team/first").await);
    assert_eq!(workshop.run("team/second:1").run(&[FIRST]).stdout, "alpha 1.0\n");
}

/// Digests of an image's layers, the lowest first.
async fn layers(workshop: &Workshop, repository: &str) -> Vec<String> {
    let manifest = workshop.registry.manifest(repository, "1").await.unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    layers.iter().map(|layer| layer["digest"].as_str().unwrap().to_owned()).collect()
}
