use serde_json::json;

use super::*;
use crate::media_type::{DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, OCI_INDEX, OCI_MANIFEST};

fn bytes(value: &serde_json::Value) -> Bytes {
    Bytes::from(serde_json::to_vec(value).unwrap())
}

fn descriptor(media_type: &str) -> serde_json::Value {
    json!({ "mediaType": media_type, "digest": Digest::of(b"content"), "size": 7 })
}

fn image(media_type: Option<&str>) -> serde_json::Value {
    let mut manifest = json!({
        "schemaVersion": 2,
        "config": descriptor("application/vnd.docker.container.image.v1+json"),
        "layers": [descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip")],
    });
    if let Some(media_type) = media_type {
        manifest["mediaType"] = media_type.into();
    }
    manifest
}

#[test]
fn docker_and_oci_images_give_the_same_view() {
    for media_type in [DOCKER_MANIFEST, OCI_MANIFEST] {
        let raw = bytes(&image(Some(media_type)));
        let ManifestOrIndex::Manifest(manifest) =
            ManifestOrIndex::parse(Some(media_type), raw.clone()).unwrap()
        else {
            panic!("an image was read as an index");
        };
        assert_eq!(manifest.layers.len(), 1);
        assert_eq!(manifest.digest, Digest::of(&raw));
        assert_eq!(manifest.raw, raw);
    }
}

#[test]
fn content_decides_where_the_registry_says_nothing() {
    for declared in [None, Some("application/json"), Some("text/plain; charset=utf-8")] {
        let parsed = ManifestOrIndex::parse(declared, bytes(&image(None))).unwrap();
        assert!(matches!(parsed, ManifestOrIndex::Manifest(_)));
    }
}

#[test]
fn addresses_and_embedded_data_are_dropped() {
    let mut manifest = image(Some(OCI_MANIFEST));
    manifest["layers"][0]["urls"] = json!(["http://169.254.169.254/latest"]);
    manifest["layers"][0]["data"] = json!("Y29udGVudA==");
    manifest["layers"][0]["annotations"] = json!(null);
    let ManifestOrIndex::Manifest(parsed) =
        ManifestOrIndex::parse(Some(OCI_MANIFEST), bytes(&manifest)).unwrap()
    else {
        panic!("an image was read as an index");
    };
    let written = serde_json::to_value(&parsed.layers[0]).unwrap();
    assert_eq!(written.as_object().unwrap().len(), 3, "{written}");
}

#[test]
fn schema_1_is_named_with_a_way_out() {
    let manifest = json!({ "schemaVersion": 1, "name": "old", "fsLayers": [] });
    let error = ManifestOrIndex::parse(
        Some("application/vnd.docker.distribution.manifest.v1+prettyjws"),
        bytes(&manifest),
    )
    .unwrap_err();
    assert!(matches!(error, ManifestError::DockerSchema1));
    assert!(error.to_string().contains("skopeo copy"));
}

#[test]
fn documents_that_mean_two_things_are_refused() {
    let mut both = image(Some(OCI_MANIFEST));
    both["manifests"] = json!([]);
    for (declared, document) in
        [(OCI_MANIFEST, both), (OCI_INDEX, image(Some(OCI_MANIFEST))), (DOCKER_MANIFEST_LIST, image(None))]
    {
        let error = ManifestOrIndex::parse(Some(declared), bytes(&document)).unwrap_err();
        assert!(matches!(error, ManifestError::Ambiguous { .. }), "{error}");
    }
}

#[test]
fn digests_of_other_algorithms_and_negative_sizes_are_refused() {
    for (field, value) in [("digest", json!("sha512:00")), ("size", json!(-1))] {
        let mut manifest = image(Some(OCI_MANIFEST));
        manifest["layers"][0][field] = value;
        let error = ManifestOrIndex::parse(Some(OCI_MANIFEST), bytes(&manifest)).unwrap_err();
        assert!(matches!(error, ManifestError::Malformed { .. }), "{error}");
    }
}

#[test]
fn index_gives_the_entry_of_a_platform() {
    let entry = |architecture: &str, variant: Option<&str>, content: &[u8]| {
        let mut entry = Descriptor::of(OCI_MANIFEST, content);
        entry.platform =
            Some(Platform { variant: variant.map(str::to_owned), ..Platform::new("linux", architecture) });
        entry
    };
    let document = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        entry("amd64", Some("v3"), b"amd64 v3"),
        entry("amd64", None, b"amd64"),
        entry("arm64", Some("v8"), b"arm64"),
    ]});
    let ManifestOrIndex::Index(index) = ManifestOrIndex::parse(Some(OCI_INDEX), bytes(&document)).unwrap()
    else {
        panic!("an index was read as an image");
    };
    let select = |platform: &str| index.select(&platform.parse().unwrap()).map(|entry| entry.digest);
    assert_eq!(select("linux/amd64"), Some(Digest::of(b"amd64")));
    assert_eq!(select("linux/amd64/v3"), Some(Digest::of(b"amd64 v3")));
    assert_eq!(select("linux/arm64"), Some(Digest::of(b"arm64")));
    assert_eq!(select("linux/s390x"), None);
}
