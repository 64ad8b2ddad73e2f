//! What registries may answer and the real one does not: redirects, token exchanges, long errors.

mod registry_support;

use std::sync::{Arc, Mutex};

use imagewright_oci::credential::{Credential, CredentialSource};
use imagewright_oci::media_type::OCI_MANIFEST;
use imagewright_oci::registry::{Registry as _, RegistryClient, RegistryErrorKind, TagOrDigest};
use registry_support::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

type Requests = Arc<Mutex<Vec<String>>>;

/// Answers each request with what `answer` makes of its head and body, and keeps the requests.
async fn scripted(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> (String, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let host = listener.local_addr().expect("an address").to_string();
    let requests = Requests::default();
    let seen = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let request = read_request(&mut connection).await;
            let response = answer(&request);
            seen.lock().expect("the requests").push(request);
            // The client may hang up in the middle of a long answer.
            let _ = connection.write_all(response.as_bytes()).await;
        }
    });
    (host, requests)
}

/// The head of a request, and the body if it announces one.
async fn read_request(connection: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let announced = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if announced.is_none_or(|length| body.len() >= length.parse().expect("a length")) {
                return String::from_utf8_lossy(&bytes).into_owned();
            }
        }
        let mut piece = [0; 4096];
        match connection.read(&mut piece).await {
            Ok(length) if length > 0 => bytes.extend_from_slice(&piece[..length]),
            _ => return String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

fn response(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
}

fn signed_in(host: &str, credential: Credential) -> RegistryClient {
    let source = CredentialSource::Registry { registry: host.to_owned(), credential };
    RegistryClient::new(config(source)).expect("a client")
}

fn ada() -> Credential {
    Credential::Password { username: "ada".to_owned(), password: "secret".into() }
}

#[tokio::test]
async fn a_redirect_does_not_take_the_credential_along() {
    let (storage, stored) = scripted(|_| response("200 OK", "", "the blob")).await;
    let location = format!("Location: http://{storage}/signed?signature=s3cr3t\r\n");
    let (host, _) = scripted(move |request| {
        let authorized = request.to_ascii_lowercase().contains("authorization: basic ");
        if authorized {
            response("307 Temporary Redirect", &location, "")
        } else {
            response("401 Unauthorized", "WWW-Authenticate: Basic realm=\"r\"\r\n", "")
        }
    })
    .await;
    let blob = layer(&"the blob".into());
    let client = signed_in(&host, ada());
    assert_eq!(pull_blob(&client, &repository(&host, "team/image"), &blob).await.unwrap(), b"the blob");
    let requests = stored.lock().unwrap();
    assert_eq!(requests.len(), 1);
    assert!(!requests[0].to_ascii_lowercase().contains("authorization"), "{}", requests[0]);
}

#[tokio::test]
async fn an_identity_token_is_exchanged() {
    let (issuer, asked) = scripted(|_| response("200 OK", "", r#"{"access_token": "short-lived"}"#)).await;
    let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{issuer}/token\",service=\"main\"\r\n");
    let (host, _) = scripted(move |request| {
        if request.to_ascii_lowercase().contains("authorization: bearer short-lived") {
            response("404 Not Found", "", "")
        } else {
            response("401 Unauthorized", &challenge, "")
        }
    })
    .await;
    let client = signed_in(&host, Credential::IdentityToken("long-lived".into()));
    let found =
        client.get_manifest(&repository(&host, "team/image"), &TagOrDigest::tag("1.0")).await.unwrap();
    assert!(found.is_none());
    let requests = asked.lock().unwrap();
    assert!(requests[0].starts_with("POST /token"), "{}", requests[0]);
    for part in ["grant_type=refresh_token", "service=main", "refresh_token=long-lived", "image%3Apull"] {
        assert!(requests[0].contains(part), "{part}: {}", requests[0]);
    }
}

#[tokio::test]
async fn what_an_issuer_of_tokens_answers_is_not_repeated() {
    let (issuer, _) = scripted(|_| response("418 I'm a teapot", "", "internal page")).await;
    let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{issuer}/admin\"\r\n");
    let (host, _) = scripted(move |_| response("401 Unauthorized", &challenge, "")).await;
    let tag = TagOrDigest::tag("1.0");
    let error = client().get_manifest(&repository(&host, "team/image"), &tag).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("internal page"), "{error:?}");
}

#[tokio::test]
async fn long_and_strange_error_texts_are_shortened() {
    let (host, _) = scripted(|request| {
        if request.starts_with("GET /v2/ ") {
            return response("200 OK", "", "");
        }
        let message =
            format!("\\u001b[31mno\\nsee https://u:p@x.example/y?token=s3cr3t {}", "x".repeat(30_000));
        response("400 Bad Request", "", &format!(r#"{{"errors":[{{"code":"NO","message":"{message}"}}]}}"#))
    })
    .await;
    let tag = TagOrDigest::tag("1.0");
    let error = client().get_manifest(&repository(&host, "team/image"), &tag).await.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), RegistryErrorKind::Protocol);
    assert!(text.len() < 600 && text.contains("x.example"), "{text}");
    for unwanted in ["\u{1b}", "\n", "s3cr3t", "u:p"] {
        assert!(!text.contains(unwanted), "{text}");
    }
}

#[tokio::test]
async fn an_endless_error_is_not_read_to_its_end() {
    let (host, _) = scripted(|request| {
        if request.starts_with("GET /v2/ ") {
            return response("200 OK", "", "");
        }
        // More than is sent: whoever waits for the rest waits until the connection ends.
        let body = "x".repeat(10_000_000);
        format!("HTTP/1.1 403 Forbidden\r\nContent-Length: 99999999999\r\n\r\n{body}")
    })
    .await;
    let tag = TagOrDigest::tag("1.0");
    let error = client().get_manifest(&repository(&host, "team/image"), &tag).await.unwrap_err();
    assert_eq!(error.kind(), RegistryErrorKind::Forbidden, "{error}");
}

#[tokio::test]
async fn tags_are_read_page_by_page() {
    let (host, _) = scripted(|request| {
        let page = match request.split(' ').nth(1).unwrap_or_default() {
            "/v2/" => "",
            path if path.contains("last=b") => r#"{"name":"team/image","tags":["c"]}"#,
            path if path.contains("last=c") => r#"{"name":"team/image","tags":null}"#,
            _ => r#"{"name":"team/image","tags":["a","b"]}"#,
        };
        response("200 OK", "", page)
    })
    .await;
    assert_eq!(client().list_tags(&repository(&host, "team/image")).await.unwrap(), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_manifest_is_sent_again_when_its_blob_is_being_replaced() {
    let refusals = Mutex::new(2);
    let (host, requests) = scripted(move |request| {
        let mut refusals = refusals.lock().expect("the refusals");
        if !request.starts_with("PUT ") {
            return response("200 OK", "", "");
        }
        if *refusals == 0 {
            return response("201 Created", "", "");
        }
        *refusals -= 1;
        // Distribution's words when the link of a blob is empty because somebody uploads that blob once more.
        response("400 Bad Request", "", r#"{"errors":[{"code":"DIGEST_INVALID","message":"did not match"}]}"#)
    })
    .await;
    let (repository, tag) = (repository(&host, "team/image"), TagOrDigest::tag("1.0"));
    let manifest = r#"{"schemaVersion": 2}"#.into();
    client().put_manifest(&repository, &tag, OCI_MANIFEST, manifest).await.unwrap();
    let requests = requests.lock().expect("the requests");
    assert_eq!(requests.iter().filter(|request| request.starts_with("PUT ")).count(), 3, "{requests:?}");
}
