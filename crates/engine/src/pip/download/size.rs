//! How large a file is, without fetching it.

use std::time::Duration;

use url::Url;

use super::Downloader;
use super::attempt::authorised;

/// A size is nice to know and not worth a long wait.
const TIMEOUT: Duration = Duration::from_secs(10);

impl Downloader {
    /// The length of the file at an address in bytes, as its server tells it. `None` where it does not.
    pub async fn size(&self, url: &str) -> Option<u64> {
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
        let request = authorised(self.client.head(url.clone()), &url, &self.settings.credentials);
        let response = request.timeout(TIMEOUT).send().await.ok()?.error_for_status().ok()?;
        response.headers().get(reqwest::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }
}
