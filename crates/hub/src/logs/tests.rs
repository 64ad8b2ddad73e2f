use std::time::Duration;

use futures_util::StreamExt as _;
use secrecy::SecretString;

use super::*;

/// How long a test waits for what must come.
const DEADLINE: Duration = Duration::from_secs(20);

fn logs() -> (tempfile::TempDir, Logs) {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(&folder.path().join("logs"), 64 << 20).unwrap();
    (folder, logs)
}

fn build(name: &str) -> BuildId {
    BuildId::new(name)
}

async fn text(stream: impl Stream<Item = Bytes>) -> String {
    let chunks: Vec<Bytes> =
        tokio::time::timeout(DEADLINE, stream.collect()).await.expect("the end of the log");
    for chunk in &chunks {
        assert!(chunk.ends_with(b"\n"), "chunks end where lines do");
        assert!(std::str::from_utf8(chunk).is_ok());
    }
    String::from_utf8(chunks.concat()).unwrap()
}

#[tokio::test]
async fn who_follows_gets_every_line_once_whenever_they_come() {
    let (_folder, logs) = logs();
    let id = build("image-x-1");
    let early = logs.follow(&id, Some(10), false).unwrap();
    let early = tokio::spawn(text(early));
    let mut writer = logs.writer(&id, Scrubber::default()).unwrap();
    let mut late = Vec::new();
    for number in 0..5000 {
        writer.line(&format!("line {number} é")).unwrap();
        if number % 500 == 0 {
            late.push((number, tokio::spawn(text(logs.follow(&id, Some(100_000), false).unwrap()))));
            tokio::task::yield_now().await;
        }
    }
    logs.close(&id);
    let expected = (0..5000).map(|number| format!("line {number} é\n")).collect::<Vec<_>>().concat();
    assert!(early.await.unwrap() == expected);
    for (number, late) in late {
        assert!(late.await.unwrap() == expected, "who came after line {number}");
    }
    assert!(text(logs.follow(&id, None, true).unwrap()).await == expected);
    assert!(logs.live_builds().is_empty());
}

#[tokio::test]
async fn a_slow_reader_is_waited_for_by_nobody_and_misses_nothing() {
    let (_folder, logs) = logs();
    let id = build("image-x-1");
    let mut slow = Box::pin(logs.follow(&id, None, false).unwrap());
    let mut writer = logs.writer(&id, Scrubber::default()).unwrap();
    let line = "x".repeat(100);
    // Far more than is kept for those who lag: each burst is sent and forgotten.
    for _ in 0..60 {
        for _ in 0..500 {
            writer.line(&line).unwrap();
        }
        logs.live(&id).send();
    }
    logs.close(&id);
    let mut length = 0;
    while let Some(chunk) = tokio::time::timeout(DEADLINE, slow.next()).await.unwrap() {
        length += chunk.len();
        tokio::task::yield_now().await;
    }
    assert_eq!(length, 60 * 500 * 101);
}

#[tokio::test]
async fn the_last_lines_are_found_in_long_files() {
    let (_folder, logs) = logs();
    let id = build("image-x-1");
    assert_eq!(logs.tail(&id, 5).unwrap(), "");
    let mut writer = logs.writer(&id, Scrubber::default()).unwrap();
    for number in 0..30_000 {
        writer.line(&format!("line {number}")).unwrap();
    }
    assert_eq!(logs.tail(&id, 2).unwrap(), "line 29998\nline 29999\n");
    assert_eq!(logs.tail(&id, 0).unwrap(), "");
    let tail = logs.tail(&id, 20_000).unwrap();
    assert!(tail.starts_with(b"line 10000\n"));
    assert_eq!(logs.tail(&id, 1_000_000).unwrap().len() as u64, logs.whole(&id).unwrap().unwrap().1);
}

#[tokio::test]
async fn lines_are_text_without_secrets_whatever_is_written() {
    let (_folder, logs) = logs();
    let id = build("image-x-1");
    let secret = SecretString::from("hunter2canary");
    let mut writer = logs.writer(&id, Scrubber::new([(None, &secret)])).unwrap();
    writer.line("a\u{7}b\u{1b}[31mred\u{1b}[0m\ttab\rprogress hunter2canary\u{0}").unwrap();
    writer.line(&"é".repeat(20_000)).unwrap();
    let text = String::from_utf8(logs.tail(&id, 10).unwrap().to_vec()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], ["ab\u{1b}[31mred\u{1b}[0m\ttab", "progress ******"]);
    assert!(lines[2].ends_with("é …") && lines[2].len() < 17_000);
}

#[tokio::test]
async fn a_log_ends_to_grow_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(folder.path(), 1000).unwrap();
    let id = build("image-x-1");
    let mut writer = logs.writer(&id, Scrubber::default()).unwrap();
    for _ in 0..1000 {
        writer.line("a line of some length").unwrap();
    }
    let text = text(logs.follow(&id, None, true).unwrap()).await;
    assert!(text.len() < 1100 && text.ends_with("left out.\n"), "{text}");
}

#[test]
fn no_identifier_leads_out_of_the_folder() {
    let (_folder, logs) = logs();
    for bad in ["", "..", "../x", "a/b", ".hidden", "x\0y"] {
        assert!(logs.tail(&build(bad), 1).is_err(), "{bad:?}");
    }
}
