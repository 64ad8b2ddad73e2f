//! One file: requests until all its bytes are there, or it is hopeless.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::time::Duration;

use imagewright_spec::IndexCredentials;
use reqwest::header::{AUTHORIZATION, CONTENT_RANGE, HeaderValue, RANGE};
use reqwest::{Client, RequestBuilder, StatusCode};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::client::chain;
use super::{DownloadSettings, WantedFile};
use crate::conda::{self, ChannelCredentials};
use crate::pip::error::PipError;
use crate::plan::Mirror;

/// What was received.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) sha256: String,
    pub(super) size: u64,
}

/// Why an attempt ended early.
enum Broken {
    /// It is worth another one.
    Again(PipError),
    /// It is not.
    Final(PipError),
}

/// Bytes that are there so far, with the state of their digest.
struct Partial<'a> {
    file: &'a File,
    digest: Sha256,
    length: u64,
}

impl Partial<'_> {
    fn restart(&mut self) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.digest = Sha256::new();
        self.length = 0;
        Ok(())
    }
}

/// Downloads a file into an empty one; `report` is told the bytes of each piece.
pub(super) async fn download(
    client: &Client,
    settings: &DownloadSettings,
    wanted: &WantedFile,
    file: &File,
    report: &(dyn Fn(u64) + Send + Sync),
) -> Result<Received, PipError> {
    let mut partial = Partial { file, digest: Sha256::new(), length: 0 };
    let mut pause = settings.first_pause;
    let mut retries = 0;
    loop {
        match request(client, settings, wanted, &mut partial, report).await {
            Ok(()) => {
                let sha256 = hex::encode(partial.digest.finalize());
                return Ok(Received { sha256, size: partial.length });
            }
            Err(Broken::Final(error)) => return Err(error),
            Err(Broken::Again(error)) if retries >= settings.retries => return Err(error),
            Err(Broken::Again(error)) => {
                tracing::debug!(file = wanted.file_name, %error, "a download is taken up again");
                retries += 1;
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(20));
            }
        }
    }
}

async fn request(
    client: &Client,
    settings: &DownloadSettings,
    wanted: &WantedFile,
    partial: &mut Partial<'_>,
    report: &(dyn Fn(u64) + Send + Sync),
) -> Result<(), Broken> {
    let url = &Mirror::of(&settings.mirrors, wanted.url.expose());
    let address = || wanted.url.to_string();
    let unreachable = |explanation: String| PipError::Unreachable { address: address(), explanation };
    let limit = wanted.size.unwrap_or(settings.maximum_size).min(settings.maximum_size);
    let too_large = || Broken::Final(PipError::TooLarge { file_name: wanted.file_name.clone(), limit });
    let file_error = |source| {
        Broken::Final(PipError::File { action: "write", path: settings.staging_folder.clone(), source })
    };
    let mut request = match conda::opening(&settings.channel_credentials, url) {
        Some(_) => for_channel(client, url, &settings.channel_credentials),
        None => authorised(client.get(url.clone()), url, &settings.credentials),
    };
    if partial.length > 0 {
        request = request.header(RANGE, format!("bytes={}-", partial.length));
    }
    let mut response = request.send().await.map_err(|error| Broken::Again(unreachable(chain(&error))))?;
    let status = response.status();
    let goes_on = status == StatusCode::PARTIAL_CONTENT
        && response
            .headers()
            .get(CONTENT_RANGE)
            .and_then(|range| range.to_str().ok())
            .is_some_and(|range| range.starts_with(&format!("bytes {}-", partial.length)));
    if status == StatusCode::OK || (partial.length > 0 && !goes_on) {
        // The whole file, or an answer to a range that we did not ask for: from the start.
        partial.restart().map_err(file_error)?;
    }
    match status {
        StatusCode::OK => {}
        StatusCode::PARTIAL_CONTENT if goes_on => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let explanation = format!("the server answered {status}");
            return Err(Broken::Final(PipError::Unauthorized { index: address(), explanation }));
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            let explanation = format!("{} answered {status}", address());
            return Err(Broken::Final(PipError::FileGone {
                file_name: wanted.file_name.clone(),
                explanation,
            }));
        }
        _ => {
            let error = unreachable(format!("the server answered {status}"));
            let passes = status.is_server_error()
                || status == StatusCode::TOO_MANY_REQUESTS
                || status == StatusCode::REQUEST_TIMEOUT
                || status == StatusCode::RANGE_NOT_SATISFIABLE
                || status == StatusCode::PARTIAL_CONTENT;
            return Err(if passes { Broken::Again(error) } else { Broken::Final(error) });
        }
    }
    let announced = response.content_length().map(|rest| rest.saturating_add(partial.length));
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    loop {
        let piece = response.chunk().await.map_err(|error| Broken::Again(unreachable(chain(&error))))?;
        let Some(piece) = piece else { break };
        let length = piece.len() as u64;
        if partial.length + length > limit {
            return Err(too_large());
        }
        partial.file.write_all(&piece).map_err(file_error)?;
        partial.digest.update(&piece);
        partial.length += length;
        report(length);
    }
    if announced.is_some_and(|length| partial.length < length) {
        return Err(Broken::Again(unreachable("the connection ended before the file did".to_owned())));
    }
    Ok(())
}

/// A request to a conda channel that takes credentials.
fn for_channel(client: &Client, url: &Url, credentials: &[ChannelCredentials]) -> RequestBuilder {
    let authorised = conda::authorised(credentials, url);
    let request = client.get(authorised.address);
    let value = authorised.header.and_then(|header| {
        let mut value = HeaderValue::from_str(header.expose_secret()).ok()?;
        value.set_sensitive(true);
        Some(value)
    });
    match value {
        Some(value) => request.header(AUTHORIZATION, value),
        None => request,
    }
}

/// A request with the credentials for its address, if there are any.
pub(super) fn authorised(
    request: RequestBuilder,
    url: &Url,
    credentials: &[IndexCredentials],
) -> RequestBuilder {
    match credentials_for(url, credentials) {
        Some(one) => request.basic_auth(&one.username, Some(one.password.expose_secret())),
        None => request,
    }
}

/// The credentials of the index on this very scheme, host and port; those in the address itself go with it anyway.
fn credentials_for<'a>(url: &Url, credentials: &'a [IndexCredentials]) -> Option<&'a IndexCredentials> {
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    credentials.iter().find(|one| one.url.origin() == url.origin())
}
