//! The client of the small requests: everything but the bytes of blobs.
//!
//! The client library reads manifests and error bodies whole, whatever their size, and hands out
//! neither `Retry-After` nor `WWW-Authenticate`. These requests are therefore sent directly.

use bytes::{Bytes, BytesMut};

use super::config::RegistryClientConfig;
use super::error::RegistryError;
use super::tls;

pub(super) const USER_AGENT: &str = concat!("imagewright/", env!("CARGO_PKG_VERSION"));

/// An HTTP client with our timeouts, certificates and name.
///
/// Redirects are followed up to ten times; the credential is left behind when one leads to another
/// host, port or scheme.
pub(super) struct HttpClient {
    inner: reqwest::Client,
}

impl HttpClient {
    pub(super) fn new(
        config: &RegistryClientConfig,
        certificates: &[Vec<u8>],
    ) -> Result<Self, RegistryError> {
        tls::install_tls_provider();
        let certificates: Vec<reqwest::Certificate> = certificates
            .iter()
            .map(|der| reqwest::Certificate::from_der(der))
            .collect::<Result<_, _>>()
            .map_err(|error| setup_error(&error))?;
        let inner = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(config.timeouts.connect)
            .read_timeout(config.timeouts.read)
            .tls_certs_merge(certificates)
            // Digests are of the bytes as they are stored.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .build()
            .map_err(|error| setup_error(&error))?;
        Ok(Self { inner })
    }

    pub(super) fn inner(&self) -> &reqwest::Client {
        &self.inner
    }
}

fn setup_error(error: &reqwest::Error) -> RegistryError {
    let mut reasons = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(current) = source {
        reasons = format!("{reasons}: {current}");
        source = current.source();
    }
    RegistryError::Setup(format!(
        "the HTTP client cannot be set up: {reasons}; are the system's certificates installed \
         (package “ca-certificates”)?"
    ))
}

/// Why a body could not be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// It has more bytes than the limit.
    TooLarge,
    /// The connection broke.
    Request(reqwest::Error),
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read_bounded(mut response: reqwest::Response, limit: u64) -> Result<Bytes, ReadError> {
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(ReadError::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(piece) = response.chunk().await.map_err(|error| ReadError::Request(error.without_url()))? {
        if (body.len() + piece.len()) as u64 > limit {
            return Err(ReadError::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// Reads the start of an error body: what cannot be read is not worth another error.
pub(super) async fn read_error_body(mut response: reqwest::Response) -> Vec<u8> {
    const LIMIT: usize = 64 * 1024;
    let mut body = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        let room = LIMIT - body.len();
        body.extend_from_slice(&piece[..piece.len().min(room)]);
        if body.len() == LIMIT {
            break;
        }
    }
    body
}
