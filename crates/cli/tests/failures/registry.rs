//! Registries on a bad day.

use std::process::Command;
use std::time::Duration;

use imagewright_testkit::{
    Fault, FaultyProxy, ImageBuilder, LayerBuilder, PackageIndex, Registry, require_tool, sha256,
};

use crate::support::{Workshop, assert_failure, digest_of, index, push_base};

/// Where the image goes.
fn to(registry: &Registry) -> String {
    format!("{}/team/image:1", registry.host())
}

/// Reads every byte of an image with another tool.
fn pull(reference: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("skopeo");
    command.args(["copy", "--quiet", "--src-tls-verify=false"]).arg(format!("docker://{reference}"));
    let output = command.arg(format!("dir:{}", folder.path().display())).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn one_that_is_down_is_unreachable() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let base = push_base(&registry).await.reference;
    let workshop = Workshop::new();
    registry.stop();

    let outcome = workshop.build(&base, &index(), &["gamma"], &to(&registry)).run();

    assert_failure!(outcome, @r"
    exit 6, unreachable
    message: could not read the manifest “1” in HOST/base: there is no connection; check its name, the network and that the registry runs
    next step: check the address, the network and the proxy, and whether the registry works; for one without TLS pass --insecure-registry, for a private certificate --ca-bundle
    ");
    assert_eq!(workshop.leftovers(), [""; 0]);
}

#[tokio::test]
async fn a_slow_one_only_takes_longer() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await;
    let proxy = FaultyProxy::in_front_of(&registry);
    proxy.inject(Fault::on("/v2/").delay(Duration::from_millis(100)));
    let workshop = Workshop::new();

    let to = format!("{}/team/image:1", proxy.host());
    let outcome = workshop.build(&base.reference_at(&proxy.host()), &index(), &["gamma"], &to).run();

    assert!(registry.manifest("team/image", &outcome.digest()).await.is_some());
}

#[tokio::test]
async fn one_that_hangs_is_given_up_in_time() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let base = push_base(&registry).await;
    let proxy = FaultyProxy::in_front_of(&registry);
    proxy.inject(Fault::on("/manifests/").hang());
    let workshop = Workshop::new();

    let build = workshop.build(&base.reference_at(&proxy.host()), &index(), &["gamma"], &to(&registry));
    let outcome = build.options(["--timeout", "1", "--attempts", "2"]).run();

    assert_failure!(outcome, @r"
    exit 11, timeout
    message: could not read the manifest “1” in HOST/base: no answer in time; check the network and whether the registry is overloaded
    next step: check the address, the network and the proxy, and whether the registry works; for one without TLS pass --insecure-registry, for a private certificate --ca-bundle
    ");
}

#[tokio::test]
async fn one_that_stalls_in_a_layer_is_given_up_in_time() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let base = push_base(&registry).await;
    let proxy = FaultyProxy::in_front_of(&registry);
    proxy.inject(Fault::on("/blobs/sha256:").method("GET").stall_after(700));
    let workshop = Workshop::new();

    let build = workshop.build(&base.reference_at(&proxy.host()), &index(), &["gamma"], &to(&registry));
    let outcome = build.options(["--timeout", "1", "--attempts", "2"]).run();

    assert_failure!(outcome, @r"
    exit 11, timeout
    message: could not read the blob sha256:HEX in HOST/base: no answer in time; check the network and whether the registry is overloaded
    next step: check the address, the network and the proxy, and whether the registry works; for one without TLS pass --insecure-registry, for a private certificate --ca-bundle
    ");
    assert_eq!(workshop.leftovers(), [""; 0]);
}

#[tokio::test]
async fn one_that_is_overloaded_for_a_while_is_asked_again() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await;
    let proxy = FaultyProxy::in_front_of(&registry);
    for part in ["/manifests/", "/blobs/sha256:", "/blobs/uploads/"] {
        proxy.inject(Fault::on(part).times(2).status(503));
    }
    let workshop = Workshop::new();

    let image = format!("{}/team/image:1", proxy.host());
    let digest =
        workshop.build(&base.reference_at(&proxy.host()), &index(), &["gamma"], &image).run().digest();

    assert_eq!(digest_of(&registry, "team/image", "1").await, Some(digest));
}

#[tokio::test]
async fn one_that_stays_overloaded_is_unreachable() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let base = push_base(&registry).await;
    let proxy = FaultyProxy::in_front_of(&registry);
    proxy.inject(Fault::on("/v2/").status(503));

    let workshop = Workshop::new();
    let build = workshop.build(&base.reference_at(&proxy.host()), &index(), &["gamma"], &to(&registry));

    assert_failure!(build.options(["--attempts", "2"]).run(), @r"
    exit 6, unreachable
    message: could not read the manifest “1” in HOST/base: the registry is not well (status 503 Service Unavailable); try again later or ask its owner
    next step: check the address, the network and the proxy, and whether the registry works; for one without TLS pass --insecure-registry, for a private certificate --ca-bundle
    ");
}

#[tokio::test]
async fn other_bytes_than_their_digest_says_are_refused() {
    require_tool!("docker-registry");
    let registry = Registry::builder().without_descriptor_cache().start();
    let base = push_base(&registry).await;
    let workshop = Workshop::new();
    let build = |base: &str| {
        workshop.build(base, &index(), &["gamma"], &to(&registry)).options(["--attempts", "2"]).run()
    };

    // The layer.
    let proxy = FaultyProxy::in_front_of(&registry);
    proxy.inject(Fault::on(&base.layers[0].digest).method("GET").corrupt(300_000));
    assert_failure!(build(&base.reference_at(&proxy.host())), @r"
    exit 9, digest_mismatch
    message: could not read the blob sha256:HEX in HOST/base: the content is not what its digest says (expected sha256:HEX, got sha256:HEX); the registry or something before it is damaged: push the image again, or use another copy
    next step: push the image again, or use another copy of it
    ");

    // The configuration.
    let config = base.manifest["config"]["digest"].as_str().unwrap();
    let proxy = FaultyProxy::in_front_of(&registry);
    proxy.inject(Fault::on(config).method("GET").corrupt(20));
    assert_failure!(build(&base.reference_at(&proxy.host())), @r"
    exit 9, digest_mismatch
    message: could not read the blob sha256:HEX in HOST/base: the content is not what its digest says (expected sha256:HEX, got sha256:HEX); the registry or something before it is damaged: push the image again, or use another copy
    next step: push the image again, or use another copy of it
    ");

    // The manifest, asked for by digest.
    let proxy = FaultyProxy::in_front_of(&registry);
    proxy.inject(Fault::on(&base.digest).method("GET").corrupt(30));
    let pinned = base.pinned().replacen(&base.host, &proxy.host(), 1);
    assert_failure!(build(&pinned), @r"
    exit 9, digest_mismatch
    message: could not read the manifest “sha256:HEX” in HOST/base: the content is not what its digest says (expected sha256:HEX, got sha256:HEX); the registry or something before it is damaged: push the image again, or use another copy
    next step: push the image again, or use another copy of it
    ");

    assert_eq!(workshop.leftovers(), [""; 0]);
    assert!(registry.tags("team/image").await.is_empty());
}

#[tokio::test]
async fn a_layer_that_unpacks_to_something_else_is_refused() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let layer = LayerBuilder::new().file("etc/os-release", "ID=debian\n").build();
    let lie = sha256(b"something else");
    let base = ImageBuilder::new().layer(layer.claiming_diff_id(&lie)).push(&registry, "base:lie").await;

    let outcome = Workshop::new().build(&base.reference, &index(), &["gamma"], &to(&registry)).run();

    assert_failure!(outcome, @r"
    exit 9, digest_mismatch
    message: layer 1 of the base unpacks to other content than the image's configuration says
    next step: the base was damaged or tampered with: push it again, or use another copy
    ");
}

#[tokio::test]
async fn a_layer_that_breaks_off_is_taken_up_again() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await;
    let proxy = FaultyProxy::in_front_of(&registry);
    proxy.inject(Fault::on(&base.layers[0].digest).method("GET").times(1).truncate_after(100_000));
    let workshop = Workshop::new();

    let (index, image) = (index(), format!("{}/team/image:1", proxy.host()));
    workshop.build(&base.reference_at(&proxy.host()), &index, &["gamma"], &image).run().digest();

    // All of it came once, whatever pieces it came in.
    let read: u64 = proxy
        .requests()
        .iter()
        .filter(|request| request.path.contains(&base.layers[0].digest))
        .map(|request| request.response_bytes)
        .sum();
    assert!(read < base.layers[0].size + 200_000, "{read} bytes of {}", base.layers[0].size);
}

#[tokio::test]
async fn a_layer_that_always_breaks_off_is_an_error() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let base = push_base(&registry).await;
    let proxy = FaultyProxy::in_front_of(&registry);
    proxy.inject(Fault::on(&base.layers[0].digest).method("GET").truncate_after(0));
    let workshop = Workshop::new();

    let build = workshop.build(&base.reference_at(&proxy.host()), &index(), &["gamma"], &to(&registry));

    assert_failure!(build.options(["--attempts", "2"]).run(), @r"
    exit 9, digest_mismatch
    message: could not read the blob sha256:HEX in HOST/base: the content is not what its digest says (expected sha256:HEX, got only 0 of 422638 bytes); the registry or something before it is damaged: push the image again, or use another copy
    next step: push the image again, or use another copy of it
    ");
}

#[tokio::test]
async fn an_image_that_is_not_there_is_not_found() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    push_base(&registry).await;
    let workshop = Workshop::new();

    let missing_tag = format!("{}/base:2", registry.host());
    assert_failure!(workshop.build(&missing_tag, &index(), &["gamma"], &to(&registry)).run(), @r"
    exit 4, not_found
    message: could not find the image “2” for linux/amd64 in HOST/base: there is no “2”; check the spelling of repository and tag, and whether your account may see it
    next step: check the name, the tag and the platform of the image
    ");
    let missing_repository = format!("{}/nobody/nothing:1", registry.host());
    assert_failure!(workshop.build(&missing_repository, &index(), &["gamma"], &to(&registry)).run(), @r"
    exit 4, not_found
    message: could not find the image “1” for linux/amd64 in HOST/nobody/nothing: there is no “1”; check the spelling of repository and tag, and whether your account may see it
    next step: check the name, the tag and the platform of the image
    ");
}

/// A registry that has lost an image of `alpha` and the stored layers, and does not know it: they were deleted and
/// collected as garbage while it ran. Gives the digest of that image, too.
async fn tidied_up(registry: &Registry, workshop: &Workshop, index: &PackageIndex, base: &str) -> String {
    let image = format!("{}/team/first:1", registry.host());
    let build = workshop.build(base, index, &["alpha"], &image).options(["--layer-repo", &layers(registry)]);
    let digest = build.run().digest();
    registry.delete_manifest("team/first", &digest).await;
    for tag in registry.tags("layers").await {
        let stored = digest_of(registry, "layers", &tag).await.unwrap();
        registry.delete_manifest("layers", &stored).await;
    }
    registry.garbage_collect_untagged();
    digest
}

fn layers(registry: &Registry) -> String {
    format!("{}/layers", registry.host())
}

#[tokio::test]
async fn layers_that_were_collected_as_garbage_are_uploaded_again() {
    require_tool!("docker-registry", "uv", "skopeo");
    let registry = Registry::new();
    let base = push_base(&registry).await;
    let (workshop, index) = (Workshop::new(), index());
    tidied_up(&registry, &workshop, &index, &base.reference).await;

    let build = workshop.build(&base.reference, &index, &["alpha", "gamma"], &to(&registry));
    build.options(["--layer-repo", &layers(&registry)]).run().digest();

    pull(&to(&registry));
}

#[tokio::test]
async fn no_tag_points_to_a_manifest_that_the_registry_only_remembers() {
    require_tool!("docker-registry", "uv", "skopeo");
    let registry = Registry::new();
    let base = push_base(&registry).await;
    let (workshop, index) = (Workshop::new(), index());
    let lost = tidied_up(&registry, &workshop, &index, &base.reference).await;

    let outcome = workshop.build(&base.reference, &index, &["alpha"], &to(&registry)).run();

    assert_failure!(outcome, @r"
    exit 6, unreachable
    message: HOST/team/image took the manifest sha256:HEX and cannot give it back
    next step: the registry's garbage was collected while it ran, and it remembers what is gone: restart it, and collect garbage only while it is read-only
    ");
    assert!(registry.tags("team/image").await.is_empty());

    // What the next step says helps.
    registry.stop();
    registry.start_again();
    let digest = workshop.build(&base.reference, &index, &["alpha"], &to(&registry)).run().digest();
    assert_eq!(digest, lost, "the same packages on the same base");
    pull(&to(&registry));
}
