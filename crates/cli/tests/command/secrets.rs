//! No credential is ever printed: not on success, not in an error, not in the log at its chattiest.

use imagewright_testkit::{
    ImageBuilder, PackageIndex, Registry, TokenAuth, WheelBuilder, bases, require_tool,
};

use crate::support::{Outcome, User, text};

const REGISTRY_PASSWORD: &str = "canary-of-the-registry-9f3a";
const INDEX_PASSWORD: &str = "canary-of-the-index-77c1";

/// What must not be seen: the passwords, and what they are in headers and files.
fn canaries() -> Vec<String> {
    let pairs = [("ada", REGISTRY_PASSWORD), ("ada", INDEX_PASSWORD)];
    let mut canaries: Vec<String> = [REGISTRY_PASSWORD, INDEX_PASSWORD].map(str::to_owned).into();
    canaries.extend(pairs.map(|(user, password)| base64(&format!("{user}:{password}"))));
    canaries
}

/// Base64, as `Authorization` headers and credentials files have it.
fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let digit = bits >> (18 - 6 * place) & 63;
            encoded.push(char::from(DIGITS[usize::try_from(digit).unwrap()]));
        }
    }
    encoded
}

#[track_caller]
fn assert_silent(outcome: &Outcome) {
    for canary in canaries() {
        for (stream, printed) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
            let line = printed.lines().find(|line| line.contains(&canary));
            assert!(line.is_none(), "{canary} on {stream}: {}", line.unwrap_or_default());
        }
    }
}

/// Nothing of the cache may hold a credential either: it is kept for ever.
fn assert_none_kept(user: &User) {
    let mut folders = vec![user.cache()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap_or_default();
            let kept = String::from_utf8_lossy(&bytes);
            for canary in canaries() {
                assert!(!kept.contains(&canary), "{canary} in {}", path.display());
            }
        }
    }
}

#[tokio::test]
async fn no_output_holds_a_credential() {
    require_tool!("docker-registry", "uv");
    assert_eq!(base64("ada:pw"), "YWRhOnB3");
    let registry = Registry::builder().token_auth(TokenAuth::single("ada", REGISTRY_PASSWORD)).start();
    let base = bases::musl_layout(&registry).await;
    let index = PackageIndex::builder().basic_auth("ada", INDEX_PASSWORD).start();
    index.add_wheel(&WheelBuilder::new("words", "1.0").file("words.py", "").build());
    let url = index.url_with_credentials();
    assert!(url.contains(INDEX_PASSWORD));
    let auth_file = registry.auth_file_for("ada", REGISTRY_PASSWORD);
    let wrong_file = registry.auth_file_for("eve", REGISTRY_PASSWORD);
    let target = format!("{}/x:1", registry.host());
    // Not an image: the failure is deep inside.
    let broken = ImageBuilder::new().top_level_value("rootfs", 7).push(&registry, "broken:1").await;

    let user = User::new().with_variable("IMAGEWRIGHT_LOG", "trace");
    let build = async |base: &str, auth_file: &str, url: &str, further: &[&str]| {
        let fixed = ["build", "--base", base, "--to", &target, "--authfile", auth_file, "--index-url", url];
        let outcome = user.run(&[&fixed[..], further].concat()).await;
        assert_silent(&outcome);
        assert!(outcome.code == 2 || outcome.stderr.contains(" TRACE "), "the log is on: {}", outcome.stderr);
        outcome.code
    };
    let (good, wrong) = (text(&auth_file), text(&wrong_file));
    assert_eq!(build(&base.reference, good, &url, &["--pip", "words"]).await, 0);
    assert_eq!(
        build(&base.reference, good, &url, &["--pip", "words", "--fresh", "--events", "json"]).await,
        0
    );
    assert_eq!(build(&base.reference, good, &url, &["--pip", "words", "--dry-run"]).await, 0);
    assert_eq!(build(&base.reference, good, &url, &["--pip", "words>=7"]).await, 4);
    assert_ne!(build(&base.reference, good, &url, &["--pip", "missing-package"]).await, 0);
    assert_ne!(build(&broken.reference, good, &url, &["--pip", "words"]).await, 0);
    assert_eq!(build(&base.reference, wrong, &url, &["--pip", "words"]).await, 5);
    let wrong_url = url.replace("ada:", "eve:");
    assert_ne!(build(&base.reference, good, &wrong_url, &["--fresh", "--pip", "words"]).await, 0);
    // Typed wrongly: the line is shown, but not what is secret in it.
    let line = format!("words @ https://ada:{INDEX_PASSWORD}@host/words.tar.bz7");
    assert_ne!(build(&base.reference, good, &url, &["--pip", &line]).await, 0);
    let malformed = format!("ftp://ada:{INDEX_PASSWORD}@host/simple");
    assert_eq!(build(&base.reference, good, &malformed, &["--pip", "words"]).await, 2);

    let inspected = user.run(&["inspect", &target, "--authfile", good]).await;
    assert_eq!(inspected.code, 0);
    assert_silent(&inspected);
    let file = user.file("broken.json", &format!("{{\"auths\": {{\"x\": \"{REGISTRY_PASSWORD}\"}}"));
    let refused = user.run(&["inspect", &target, "--authfile", text(&file)]).await;
    assert_ne!(refused.code, 0);
    assert_silent(&refused);
    assert_none_kept(&user);
}
