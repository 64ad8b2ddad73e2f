//! Fetching wheels from servers that work, break, lie and want credentials.

use std::sync::atomic::{AtomicU64, Ordering};

use imagewright_spec::IndexUrl;
use imagewright_testkit::{Fault, PackageIndex, Wheel, WheelBuilder, sha256};
use tokio_util::sync::CancellationToken;

use crate::pip::download::{DownloadSettings, Downloader, FetchedFile, WantedFile};
use crate::pip::{FileUrl, PipError};

fn demo() -> Wheel {
    WheelBuilder::new("demo", "1.0").file("demo/data.bin", vec![7_u8; 200_000]).build()
}

fn wanted(index: &PackageIndex, wheel: &Wheel) -> WantedFile {
    WantedFile {
        file_name: wheel.file_name.clone(),
        url: FileUrl::new(index.file_url(&wheel.file_name).parse().unwrap()),
        sha256: Some(digest(wheel)),
        size: Some(wheel.bytes.len() as u64),
    }
}

fn digest(wheel: &Wheel) -> String {
    sha256(&wheel.bytes).trim_start_matches("sha256:").to_owned()
}

fn settings(folder: &tempfile::TempDir) -> DownloadSettings {
    DownloadSettings {
        first_pause: std::time::Duration::from_millis(1),
        ..DownloadSettings::new(folder.path(), folder.path().join("staging"))
    }
}

async fn fetch(settings: DownloadSettings, wanted: &[WantedFile]) -> Result<Vec<FetchedFile>, PipError> {
    Downloader::new(settings).unwrap().fetch(wanted, &|_, _| {}, &CancellationToken::new()).await
}

#[tokio::test]
async fn a_file_is_fetched_once_and_counted() {
    let (wheel, folder) = (demo(), tempfile::tempdir().unwrap());
    let index = PackageIndex::with([&wheel]);
    let done = AtomicU64::new(0);
    let count = |bytes, total| {
        assert!(bytes <= total);
        done.store(bytes, Ordering::Relaxed);
    };
    let downloader = Downloader::new(settings(&folder)).unwrap();
    let wanted = [wanted(&index, &wheel)];
    let first = downloader.fetch(&wanted, &count, &CancellationToken::new()).await.unwrap();
    assert_eq!(std::fs::read(&first[0].path).unwrap(), wheel.bytes.as_ref() as &[u8]);
    assert_eq!(done.load(Ordering::Relaxed), wheel.bytes.len() as u64);
    assert!(!first[0].cached);
    let again = downloader.fetch(&wanted, &count, &CancellationToken::new()).await.unwrap();
    assert!(again[0].cached);
    assert_eq!(index.requests().len(), 1);
    assert_eq!(std::fs::read_dir(folder.path().join("staging")).unwrap().count(), 0);
}

#[tokio::test]
async fn broken_connections_and_busy_servers_are_asked_again() {
    let (wheel, folder) = (demo(), tempfile::tempdir().unwrap());
    let index = PackageIndex::with([&wheel]);
    index.inject(Fault::on("/files/").times(1).truncate_after(100));
    index.inject(Fault::on("/files/").times(2).status(503));
    let fetched = fetch(settings(&folder), &[wanted(&index, &wheel)]).await.unwrap();
    assert_eq!(fetched[0].sha256, digest(&wheel));
}

#[tokio::test]
async fn other_bytes_than_promised_are_refused_and_not_kept() {
    let (wheel, folder) = (demo(), tempfile::tempdir().unwrap());
    let index = PackageIndex::with([&wheel]);
    index.inject(Fault::on("/files/").corrupt(10));
    let error = fetch(settings(&folder), &[wanted(&index, &wheel)]).await.unwrap_err();
    assert!(matches!(error, PipError::DigestMismatch { .. }), "{error}");
    assert!(!folder.path().join("wheels/sha256").exists());
    index.clear_faults();
    fetch(settings(&folder), &[wanted(&index, &wheel)]).await.unwrap();
}

#[tokio::test]
async fn more_bytes_than_announced_are_refused() {
    let (wheel, folder) = (demo(), tempfile::tempdir().unwrap());
    let index = PackageIndex::with([&wheel]);
    let short = WantedFile { size: Some(100), ..wanted(&index, &wheel) };
    let error = fetch(settings(&folder), &[short]).await.unwrap_err();
    assert!(matches!(error, PipError::TooLarge { limit: 100, .. }), "{error}");
}

#[tokio::test]
async fn credentials_are_for_their_own_host_only() {
    let (wheel, folder) = (demo(), tempfile::tempdir().unwrap());
    let private = PackageIndex::builder().basic_auth("me", "s3cret").start();
    private.add_wheel(&wheel);
    let elsewhere = PackageIndex::with([&wheel]);
    let url: IndexUrl = private.url_with_credentials().parse().unwrap();
    let mut settings = settings(&folder);
    settings.credentials.extend(url.credentials());
    fetch(settings.clone(), &[wanted(&private, &wheel)]).await.unwrap();
    std::fs::remove_dir_all(folder.path().join("wheels")).unwrap();
    fetch(settings.clone(), &[wanted(&elsewhere, &wheel)]).await.unwrap();
    assert!(elsewhere.requests().iter().all(|request| !request.authorized));
    settings.credentials.clear();
    std::fs::remove_dir_all(folder.path().join("wheels")).unwrap();
    let error = fetch(settings, &[wanted(&private, &wheel)]).await.unwrap_err();
    assert!(matches!(error, PipError::Unauthorized { .. }), "{error}");
}

#[tokio::test]
async fn only_files_of_web_servers_with_sane_names_are_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, url: &str, sha256: &str| WantedFile {
        file_name: name.to_owned(),
        url: FileUrl::new(url.parse().unwrap()),
        sha256: Some(sha256.to_owned()),
        size: None,
    };
    let digest = "0".repeat(64);
    for refused in [
        file("a.whl", "file:///etc/passwd", &digest),
        file("../a.whl", "https://example.com/a.whl", &digest),
        file("a.whl", "https://example.com/a.whl", "../../etc"),
    ] {
        let error = fetch(settings(&folder), &[refused]).await.unwrap_err();
        assert!(matches!(error, PipError::Refused { .. }), "{error}");
    }
}

#[tokio::test]
async fn cancelling_ends_a_download_that_hangs() {
    let (wheel, folder) = (demo(), tempfile::tempdir().unwrap());
    let index = PackageIndex::with([&wheel]);
    index.inject(Fault::on("/files/").stall_after(1000));
    let cancellation = CancellationToken::new();
    let downloader = Downloader::new(settings(&folder)).unwrap();
    let begun = |_, _| cancellation.cancel();
    let outcome = downloader.fetch(&[wanted(&index, &wheel)], &begun, &cancellation).await;
    assert!(matches!(outcome, Err(PipError::Cancelled)), "{outcome:?}");
    assert_eq!(std::fs::read_dir(folder.path().join("staging")).unwrap().count(), 0);
}
