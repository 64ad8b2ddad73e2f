//! Images and blobs on a real registry, when all goes well.

mod registry_support;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use imagewright_oci::digest::Digest;
use imagewright_oci::manifest::{Descriptor, ManifestOrIndex, Platform};
use imagewright_oci::media_type::{DOCKER_MANIFEST_LIST, OCI_EMPTY, OCI_INDEX, OCI_MANIFEST};
use imagewright_oci::registry::{
    BlobSource, Mounted, Progress, Registry as _, RegistryErrorKind, TagOrDigest,
};
use imagewright_testkit::{FaultyProxy, Registry, require_tool};
use registry_support::*;
use serde_json::json;

#[tokio::test]
async fn blobs_from_memory_and_files_come_back_whole() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let (client, repository) = (client(), repository(&registry.host(), "team/image"));
    for size in [0, 1, 3_000_000] {
        let bytes = content(size);
        let pushed = push_blob(&client, &repository, &bytes).await.unwrap();
        assert_eq!(pull_blob(&client, &repository, &pushed).await.unwrap(), bytes);
        assert_eq!(client.head_blob(&repository, &pushed.digest).await.unwrap(), Some(size as u64));
    }

    let file = tempfile::NamedTempFile::new().unwrap();
    let bytes = content(2_000_000);
    std::fs::write(file.path(), &bytes).unwrap();
    let steps = Arc::new(Mutex::new(Vec::new()));
    let progress = Progress::new({
        let steps = Arc::clone(&steps);
        move |done| steps.lock().unwrap().push(done)
    });
    let descriptor = layer(&bytes);
    let source = BlobSource::File(file.path().to_owned());
    client.put_blob(&repository, &descriptor.digest, descriptor.size, &source, progress).await.unwrap();
    let read = client.get_blob_bytes(&repository, &descriptor, 2_000_000).await.unwrap();
    assert_eq!(read, bytes);
    let steps = steps.lock().unwrap();
    assert!(steps.is_sorted() && steps.len() > 2, "{steps:?}");
    assert_eq!(steps.last(), Some(&2_000_000));
}

#[tokio::test]
async fn what_is_not_there_is_none_and_not_an_error() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let (client, repository) = (client(), repository(&registry.host(), "team/image"));
    let tag = TagOrDigest::tag("1.0");
    assert!(client.get_manifest(&repository, &tag).await.unwrap().is_none());
    assert_eq!(client.head_manifest(&repository, &tag).await.unwrap(), None);
    assert_eq!(client.head_blob(&repository, &absent()).await.unwrap(), None);
    assert_eq!(client.list_tags(&repository).await.unwrap(), Vec::<String>::new());
    assert!(!client.probe_blob(&repository, &layer(&Bytes::from_static(b"never pushed"))).await.unwrap());

    let missing = layer(&Bytes::from_static(b"never pushed"));
    let error = pull_blob(&client, &repository, &missing).await.unwrap_err();
    assert_eq!(error.kind(), RegistryErrorKind::NotFound, "{error}");
    let error = client.resolve(&repository, &tag, &amd64()).await.unwrap_err();
    assert_eq!(error.kind(), RegistryErrorKind::NotFound);
    assert!(error.to_string().contains("team/image") && error.to_string().contains("1.0"), "{error}");
}

#[tokio::test]
async fn manifests_are_kept_byte_for_byte() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let (client, repository) = (client(), repository(&registry.host(), "team/image"));
    let pushed = push_image(&client, &repository, "1.0", "amd64").await.unwrap();
    let tag = TagOrDigest::tag("1.0");
    assert_eq!(client.head_manifest(&repository, &tag).await.unwrap(), Some(pushed.digest));
    let image = client.resolve(&repository, &tag, &amd64()).await.unwrap();
    assert_eq!((image.digest(), image.index_digest()), (pushed.digest, None));
    assert_eq!(image.manifest.raw.len() as u64, pushed.size);
    assert_eq!(client.list_tags(&repository).await.unwrap(), ["1.0"]);

    let error = client.resolve(&repository, &tag, &Platform::new("linux", "arm64")).await.unwrap_err();
    assert_eq!(error.kind(), RegistryErrorKind::NotFound);
    assert!(error.to_string().contains("linux/amd64"), "{error}");

    assert!(client.delete_manifest(&repository, &pushed.digest).await.unwrap());
    assert!(!client.delete_manifest(&repository, &pushed.digest).await.unwrap());
    assert!(client.get_manifest(&repository, &tag).await.unwrap().is_none());
}

#[tokio::test]
async fn indexes_of_both_kinds_lead_to_the_platforms_image() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let (client, repository) = (client(), repository(&registry.host(), "team/image"));
    let amd64_image = push_image(&client, &repository, "amd64", "amd64").await.unwrap();
    let arm64_image = push_image(&client, &repository, "arm64", "arm64").await.unwrap();
    for media_type in [OCI_INDEX, DOCKER_MANIFEST_LIST] {
        let index = json!({
            "schemaVersion": 2, "mediaType": media_type, "manifests": [amd64_image, arm64_image],
        });
        let bytes = Bytes::from(index.to_string());
        let tag = TagOrDigest::tag("latest");
        let digest = client.put_manifest(&repository, &tag, media_type, bytes).await.unwrap();
        for (architecture, expected) in [("amd64", &amd64_image), ("arm64", &arm64_image)] {
            let platform = Platform::new("linux", architecture);
            let image = client.resolve(&repository, &tag, &platform).await.unwrap();
            assert_eq!((image.digest(), image.index_digest()), (expected.digest, Some(digest)));
        }
        let error = client.resolve(&repository, &tag, &Platform::new("linux", "s390x")).await.unwrap_err();
        assert_eq!(error.kind(), RegistryErrorKind::NotFound);
        assert!(error.to_string().contains("linux/amd64, linux/arm64"), "{error}");
    }
}

#[tokio::test]
async fn mounting_moves_no_bytes_and_says_when_it_cannot() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let proxy = FaultyProxy::in_front_of(&registry);
    let client = client();
    let (source, target) = (repository(&proxy.host(), "team/base"), repository(&proxy.host(), "other/image"));
    let pushed = push_blob(&client, &source, &content(100_000)).await.unwrap();
    proxy.forget_requests();

    assert_eq!(client.mount_blob(&target, &source, &pushed.digest).await.unwrap(), Mounted::Yes);
    assert_eq!(proxy.uploaded_bytes(), 0);
    assert!(client.probe_blob(&target, &pushed).await.unwrap());

    assert_eq!(client.mount_blob(&target, &source, &absent()).await.unwrap(), Mounted::No);
    let abandoned = proxy.requests().into_iter().find(|request| request.method == "DELETE");
    assert_eq!(abandoned.and_then(|request| request.status), Some(204), "the begun upload is ended");

    let elsewhere = repository("registry.example.org", "team/base");
    assert_eq!(client.mount_blob(&target, &elsewhere, &pushed.digest).await.unwrap(), Mounted::No);
}

#[tokio::test]
async fn blobs_are_copied_between_registries() {
    require_tool!("docker-registry");
    let (here, there) = (Registry::new(), Registry::new());
    let client = client();
    let (source, target) = (repository(&here.host(), "team/base"), repository(&there.host(), "team/image"));
    let bytes = content(3_000_000);
    let pushed = push_blob(&client, &source, &bytes).await.unwrap();
    client.copy_blob(&source, &target, &pushed, Progress::none()).await.unwrap();
    assert_eq!(pull_blob(&client, &target, &pushed).await.unwrap(), bytes);
}

#[tokio::test]
async fn collected_blobs_are_not_readable_though_the_registry_knows_them() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let (client, repository) = (client(), repository(&registry.host(), "team/image"));
    let pushed = push_blob(&client, &repository, &content(50_000)).await.unwrap();
    assert!(client.probe_blob(&repository, &pushed).await.unwrap());
    registry.garbage_collect();
    assert!(client.head_blob(&repository, &pushed.digest).await.unwrap().is_some(), "the trap is there");
    assert!(!client.probe_blob(&repository, &pushed).await.unwrap());
}

#[tokio::test]
async fn referrers_are_listed_where_the_registry_keeps_no_list() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let (client, repository) = (client(), repository(&registry.host(), "team/image"));
    let subject = push_image(&client, &repository, "1.0", "amd64").await.unwrap();
    let empty = push_blob(&client, &repository, &Bytes::from_static(b"{}")).await.unwrap();
    let mut written: Vec<Digest> = Vec::new();
    for artifact_type in ["application/vnd.example.lock", "application/vnd.example.sbom"] {
        let config = Descriptor::new(OCI_EMPTY, empty.digest, empty.size);
        let artefact = json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": artifact_type,
            "config": config, "layers": [config], "subject": subject,
        });
        let bytes = Bytes::from(artefact.to_string());
        let reference = TagOrDigest::from(Digest::of(&bytes));
        // Written twice, listed once.
        for _ in 0..2 {
            client.put_manifest(&repository, &reference, OCI_MANIFEST, bytes.clone()).await.unwrap();
        }
        written.push(Digest::of(&bytes));
    }
    let tag = TagOrDigest::tag(format!("sha256-{}", subject.digest.hex()));
    let found = client.get_manifest(&repository, &tag).await.unwrap().unwrap();
    let ManifestOrIndex::Index(index) = found.content else { panic!("the list is no index") };
    assert_eq!(index.manifests.iter().map(|entry| entry.digest).collect::<Vec<_>>(), written);
    assert_eq!(index.manifests[0].artifact_type.as_deref(), Some("application/vnd.example.lock"));
}
