//! What the tests of the registry client share.

#![allow(
    dead_code,
    reason = "each test binary uses another part of these helpers, so that an expectation fails"
)]

use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use imagewright_oci::credential::CredentialSource;
use imagewright_oci::digest::Digest;
use imagewright_oci::manifest::{Descriptor, Platform};
use imagewright_oci::media_type::{OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST};
use imagewright_oci::registry::{
    BlobSource, Progress, Registry as _, RegistryClient, RegistryClientConfig, RegistryError,
    RepositoryReference, RetryPolicy, TagOrDigest, Timeouts,
};
use serde_json::json;

/// Settings that give up soon: a test that waits for a minute has failed.
pub(crate) fn config(credentials: CredentialSource) -> RegistryClientConfig {
    RegistryClientConfig {
        credentials,
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(10),
            commit: Duration::from_secs(20),
        },
        retries: RetryPolicy {
            attempts: 4,
            first_delay: Duration::from_millis(5),
            longest_delay: Duration::from_millis(50),
        },
        ..Default::default()
    }
}

pub(crate) fn client() -> RegistryClient {
    RegistryClient::new(config(CredentialSource::Anonymous)).expect("a client")
}

pub(crate) fn repository(host: &str, path: &str) -> RepositoryReference {
    format!("{host}/{path}").parse().expect("a repository")
}

pub(crate) fn amd64() -> Platform {
    Platform::new("linux", "amd64")
}

/// Bytes that do not repeat, so that a piece in the wrong place is noticed.
pub(crate) fn content(size: usize) -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&(state >> 11).to_le_bytes()[..6]);
    }
    bytes.truncate(size);
    bytes.into()
}

pub(crate) fn layer(bytes: &Bytes) -> Descriptor {
    Descriptor::of(OCI_LAYER_GZIP, bytes)
}

pub(crate) async fn push_blob(
    client: &RegistryClient,
    repository: &RepositoryReference,
    bytes: &Bytes,
) -> Result<Descriptor, RegistryError> {
    let descriptor = layer(bytes);
    let source = BlobSource::Bytes(bytes.clone());
    client.put_blob(repository, &descriptor.digest, descriptor.size, &source, Progress::none()).await?;
    Ok(descriptor)
}

pub(crate) async fn pull_blob(
    client: &RegistryClient,
    repository: &RepositoryReference,
    descriptor: &Descriptor,
) -> Result<Vec<u8>, RegistryError> {
    let stream = client.get_blob(repository, descriptor).await?;
    let pieces: Vec<Bytes> = stream.try_collect().await?;
    Ok(pieces.concat())
}

/// Pushes an image with one small layer and gives its manifest's descriptor.
pub(crate) async fn push_image(
    client: &RegistryClient,
    repository: &RepositoryReference,
    tag: &str,
    architecture: &str,
) -> Result<Descriptor, RegistryError> {
    let config = Bytes::from(json!({ "os": "linux", "architecture": architecture }).to_string());
    let layer = push_blob(client, repository, &content(1000)).await?;
    let mut config_descriptor = push_blob(client, repository, &config).await?;
    OCI_CONFIG.clone_into(&mut config_descriptor.media_type);
    let manifest = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config_descriptor, "layers": [layer],
    });
    let bytes = Bytes::from(manifest.to_string());
    client.put_manifest(repository, &TagOrDigest::tag(tag), OCI_MANIFEST, bytes.clone()).await?;
    let mut descriptor = Descriptor::of(OCI_MANIFEST, &bytes);
    descriptor.platform = Some(Platform::new("linux", architecture));
    Ok(descriptor)
}

pub(crate) fn absent() -> Digest {
    Digest::of(b"never pushed")
}
