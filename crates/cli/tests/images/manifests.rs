//! Bases as other tools push them, and images as other tools read them.

use std::process::Command;

use imagewright_testkit::{ImageBuilder, PackageIndex, WheelBuilder, bases, require_tool};
use serde_json::Value;

use crate::support::{Workshop, demo_wheel, file_layer, strings};

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

#[tokio::test]
async fn a_base_with_dockers_types_becomes_an_oci_image() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "skopeo", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python_docker(&workshop.registry).await;
    let index = PackageIndex::with(&[demo_wheel("thing", "1.0")]);

    workshop.build(&base.reference, "team/image:1").pip("thing").index(&index).succeed();

    let manifest = workshop.registry.manifest("team/image", "1").await.unwrap();
    assert_eq!(manifest["mediaType"], OCI_MANIFEST);
    assert_eq!(manifest["config"]["mediaType"], OCI_CONFIG);
    let types = layer_types(&manifest);
    assert_eq!(types[0], format!("{OCI_LAYER}+gzip"));
    assert!(types[1..].iter().all(|found| *found == format!("{OCI_LAYER}+zstd")), "{types:?}");
    copy_with_skopeo(&workshop, "team/image:1");
    assert_eq!(workshop.run("team/image:1").run(&["thing"]).stdout, "thing 1.0\n");
}

#[tokio::test]
async fn zstd_and_plain_layers_of_a_base_keep_their_compression() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "skopeo", "uv");
    let workshop = Workshop::new();
    let base = ImageBuilder::from_image(&bases::debian_python(&workshop.registry).await)
        .layer(file_layer("srv/zstd", "zstd").zstd().build())
        .layer(file_layer("srv/plain", "plain").plain().build())
        .push(&workshop.registry, "bases/compressions:1")
        .await;
    let index = PackageIndex::with(&[demo_wheel("thing", "1.0")]);

    let build = workshop.build(&base.reference, "team/image:1").arguments(&["--compression", "gzip"]);
    build.pip("thing").index(&index).succeed();

    let manifest = workshop.registry.manifest("team/image", "1").await.unwrap();
    let types = layer_types(&manifest);
    let expected = ["+gzip", "+zstd", ""].map(|suffix| format!("{OCI_LAYER}{suffix}"));
    assert_eq!(types[..3], expected);
    assert!(types[3..].iter().all(|found| *found == format!("{OCI_LAYER}+gzip")), "{types:?}");
    copy_with_skopeo(&workshop, "team/image:1");
    let image = workshop.run("team/image:1");
    assert_eq!(image.read_file("/srv/zstd"), b"zstd");
    assert_eq!(image.read_file("/srv/plain"), b"plain");
    assert_eq!(image.run(&["thing"]).stdout, "thing 1.0\n");
}

#[tokio::test]
async fn a_base_with_many_layers_stays_below_the_limit() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    // With Debian's own 111: fewer are left than small packages usually take.
    let base = bases::many_layers(&workshop.registry, 110).await;
    let names: Vec<String> = (0..40).map(|number| format!("package-{number}")).collect();
    let wheels: Vec<_> = names.iter().map(|name| demo_wheel(name, "1.0")).collect();
    let all = names.iter().fold(WheelBuilder::new("everything", "1.0"), |all, name| all.requires(name));
    let index = PackageIndex::with(&wheels);
    index.add_wheel(&all.build());

    let built = workshop.build(&base.reference, "team/image:1").pip("everything").index(&index).succeed();

    let layers = built.image()["layers"].as_u64().unwrap();
    assert!((112..=120).contains(&layers), "{layers} layers");
    let image = workshop.run("team/image:1");
    assert_eq!(image.read_file("/srv/layers/109"), b"109");
    let modules: Vec<_> = names.iter().map(|name| name.replace('-', "_")).collect();
    let imported = image.python(&format!("import {}", modules.join(", ")));
    assert!(imported.succeeded(), "{imported:?}");
}

fn layer_types(manifest: &Value) -> Vec<String> {
    let layers = manifest["layers"].as_array().unwrap();
    strings(&layers.iter().map(|layer| layer["mediaType"].clone()).collect())
}

/// Copies an image with skopeo, which checks every digest and size on the way.
fn copy_with_skopeo(workshop: &Workshop, name: &str) {
    let target = format!("oci:{}/copy:1", workshop.folder.path().display());
    let mut copy = Command::new("skopeo");
    copy.args(["copy", "--quiet", "--src-tls-verify=false"]);
    let output = copy.arg(format!("docker://{}", workshop.reference(name))).arg(target).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
