//! Bases that are hostile, damaged, or no images at all.

use std::net::TcpListener;

use imagewright_testkit::{
    Compression, Entry, Fault, FaultyProxy, ImageBuilder, Layer, LayerBuilder, Registry, require_tool,
};

use crate::support::{Outcome, Workshop, assert_failure, digest_of, index, push_base, small_base};

/// Builds on an image; folders end with the build, and nothing outside of the cache is ever written.
async fn build_on(registry: &Registry, base: ImageBuilder) -> Outcome {
    let base = base.push(registry, "hostile:1").await.reference;
    let (workshop, index) = (Workshop::new(), index());
    let to = format!("{}/team/image:1", registry.host());
    let outcome = workshop.build(&base, &index, &["gamma"], &to).run();
    assert_eq!(workshop.leftovers(), [""; 0]);
    outcome
}

#[tokio::test]
async fn paths_that_climb_are_refused() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let layer = LayerBuilder::new().file("../../../../../../tmp/imagewright-evil", "x").build();
    assert_failure!(build_on(&registry, small_base().layer(layer)).await, @r#"
    exit 12, unsupported
    message: the base cannot be used: the layer holds a path that is not allowed: the path "../../../../../../tmp/imagewright-evil" climbs with `..`
    next step: rebuild the base with a current tool and push it again, or choose another base
    "#);
    assert!(!std::path::Path::new("/tmp/imagewright-evil").exists());
}

#[tokio::test]
async fn links_that_lead_outside_lead_nowhere() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let outside = tempfile::tempdir().unwrap();
    // The folder into which packages go is a link to a folder of this machine.
    let link = LayerBuilder::new()
        .whiteout("usr/local/lib/python3.11/dist-packages")
        .symlink("usr/local/lib/python3.11/site", &outside.path().to_string_lossy())
        .build();
    let over = LayerBuilder::new().symlink("usr/local/lib/python3.11/dist-packages", "site").build();

    let outcome = build_on(&registry, small_base().layer(link).layer(over)).await;

    assert!(outcome.code == Some(0) || outcome.kind() == "unsupported", "{outcome:#?}");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0, "nothing is written on this machine");
}

#[tokio::test]
async fn links_in_a_circle_are_refused() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let layer = LayerBuilder::new()
        .whiteout("usr/bin/python3")
        .symlink("usr/bin/python4", "python5")
        .symlink("usr/bin/python5", "python4")
        .build();
    let circle = LayerBuilder::new().symlink("usr/bin/python3", "python4").build();
    assert_failure!(build_on(&registry, small_base().layer(layer).layer(circle)).await, @r"
    exit 12, unsupported
    message: the image has no python3 in any folder of its PATH (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin); choose a base image with Python, or add Python with --conda or --apt
    next step: choose a base image that has CPython 3.8 or newer on its PATH
    ");
}

#[tokio::test]
async fn addresses_in_descriptors_are_never_fetched() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("http://{}/layer.tar.gz", listener.local_addr().unwrap());
    let layer = LayerBuilder::new().file("srv/data", "x").build().url(&address);

    build_on(&registry, small_base().layer(layer)).await.digest();

    let contacted = listener.accept().map(|(_, peer)| peer);
    assert!(contacted.is_err(), "{contacted:?} came because an image said so");
}

#[tokio::test]
async fn lying_sizes_are_refused() {
    require_tool!("docker-registry");
    let registry = Registry::builder().without_descriptor_cache().start();
    let layer = LayerBuilder::new().file("srv/data", "some bytes").build();
    let base = small_base().layer(layer).push(&registry, "hostile:1").await;
    // The registry gives more than it promised.
    let mut longer = registry.blob("hostile", &base.layers[1].digest).await.unwrap().to_vec();
    longer.extend([0; 1000]);
    registry.replace_blob(&base.layers[1].digest, &longer);
    let (workshop, index) = (Workshop::new(), index());
    let to = format!("{}/team/image:1", registry.host());

    let outcome = workshop.build(&base.reference, &index, &["gamma"], &to).options(["--attempts", "2"]).run();

    assert!(["digest_mismatch", "too_large"].contains(&outcome.kind()), "{outcome:#?}");
}

#[tokio::test]
async fn a_layer_that_is_no_archive_is_refused() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let text =
        Layer::from_archive(&b"This is no archive, but a text that goes on. ".repeat(40), Compression::Plain);
    assert_failure!(build_on(&registry, small_base().layer(text)).await, @r"
    exit 12, unsupported
    message: the base cannot be used: the layer is no valid tar archive: a header has a wrong checksum (at byte 0)
    next step: rebuild the base with a current tool and push it again, or choose another base
    ");
    let cut = LayerBuilder::new().file("srv/data", vec![7; 5000]).plain().build().blob().slice(..3000);
    let cut = Layer::from_archive(&cut, Compression::Gzip);
    assert_failure!(build_on(&registry, small_base().layer(cut)).await, @r"
    exit 12, unsupported
    message: the base cannot be used: the layer's content cannot be read
    next step: rebuild the base with a current tool and push it again, or choose another base
    ");
}

#[tokio::test]
async fn an_encrypted_layer_is_told() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let layer = LayerBuilder::new().file("srv/data", "x").build();
    let layer = layer.claiming_media_type("application/vnd.oci.image.layer.v1.tar+gzip+encrypted");
    assert_failure!(build_on(&registry, small_base().layer(layer)).await, @r"
    exit 12, unsupported
    message: a layer of the base cannot be read: a layer of type “application/vnd.oci.image.layer.v1.tar+gzip+encrypted” is encrypted, which is not supported: use the image's unencrypted variant
    next step: choose a base image whose layers are plain, gzip or zstd archives
    ");
}

#[tokio::test]
async fn what_is_no_image_is_told() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    push_base(&registry).await;
    let proxy = FaultyProxy::in_front_of(&registry);
    let (workshop, index) = (Workshop::new(), index());
    let to = format!("{}/team/image:1", registry.host());
    let build = || {
        let base = format!("{}/base:1", proxy.host());
        workshop.build(&base, &index, &["gamma"], &to).options(["--attempts", "1"]).run()
    };
    let answer = |media_type: &str, body: &str| {
        proxy.clear_faults();
        let manifests = "/base/manifests/";
        proxy.inject(Fault::on(manifests).replace_body(body.to_owned()));
        proxy.inject(Fault::on(manifests).header("content-type", media_type));
        proxy.inject(Fault::on(manifests).digest_header(&imagewright_testkit::sha256(body.as_bytes())));
    };

    // Docker's first format.
    answer(
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        r#"{"schemaVersion": 1, "name": "base", "tag": "1", "architecture": "amd64", "fsLayers": [], "history": []}"#,
    );
    assert_failure!(build(), @r"
    exit 12, unsupported
    message: could not read the manifest “1” in HOST/base: the image has a manifest in Docker's schema 1, a format that was retired in 2017: push the image again with a current tool (for example “skopeo copy”) and use that copy
    next step: push the image again with a current tool, or choose another one
    ");

    // A helm chart.
    let config = imagewright_testkit::sha256(b"{}");
    answer(
        "application/vnd.oci.image.manifest.v1+json",
        &format!(
            r#"{{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {{"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": "{config}", "size": 2}},
            "layers": [{{"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": "{config}", "size": 2}}]}}"#
        ),
    );
    assert_failure!(build(), @r"
    exit 12, unsupported
    message: could not find the image “1” for linux/amd64 in HOST/base: it is no image but an artefact of type “application/vnd.cncf.helm.config.v1+json”; give the name of an image
    next step: push the image again with a current tool, or choose another one
    ");

    // A page that a proxy shows to those who are not signed in.
    answer("text/html", "<html><body>Please sign in</body></html>");
    assert_failure!(build(), @r"
    exit 6, unreachable
    message: could not read the manifest “1” in HOST/base: the manifest cannot be read: it is not what its media type “text/html” says
    next step: check the address, the network and the proxy, and whether the registry works; for one without TLS pass --insecure-registry, for a private certificate --ca-bundle
    ");
}

#[tokio::test]
async fn a_base_without_python_is_told() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let layer =
        LayerBuilder::new().file("etc/os-release", "ID=debian\n").add(Entry::directory("usr")).build();
    assert_failure!(build_on(&registry, ImageBuilder::new().layer(layer)).await, @r"
    exit 12, unsupported
    message: the image has no python3 in any folder of its PATH (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin); choose a base image with Python, or add Python with --conda or --apt
    next step: choose a base image that has CPython 3.8 or newer on its PATH
    ");
}

#[tokio::test]
async fn an_image_for_another_platform_is_told() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let outcome = build_on(&registry, small_base().architecture("arm64", Some("v8"))).await;
    assert_failure!(outcome, @r"
    exit 4, not_found
    message: could not find the image “1” for linux/amd64 in HOST/hostile: it exists for linux/arm64 only; choose that platform or another image
    next step: check the name, the tag and the platform of the image
    ");
    assert_eq!(digest_of(&registry, "team/image", "1").await, None);
}
