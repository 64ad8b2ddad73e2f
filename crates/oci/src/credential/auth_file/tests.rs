use secrecy::ExposeSecret as _;
use serde_json::json;

use super::*;

async fn find(content: serde_json::Value, registry: &str, repository: &str) -> Option<String> {
    let file = AuthFile::parse(Path::new("auth.json"), content.to_string().as_bytes()).unwrap();
    let found = file.find(registry, repository).await.unwrap()?;
    Some(match found.credential {
        Credential::Password { username, password } => format!("{username}:{}", password.expose_secret()),
        Credential::IdentityToken(token) => format!("token:{}", token.expose_secret()),
    })
}

fn encoded(text: &str) -> serde_json::Value {
    json!({ "auth": base64::engine::general_purpose::STANDARD_NO_PAD.encode(text) })
}

#[tokio::test]
async fn most_specific_entry_wins() {
    let content = json!({ "auths": {
        "registry.example.org": encoded("everyone:1"),
        "registry.example.org/team": encoded("team:2"),
        "registry.example.org/team/image": encoded("image:3"),
    }});
    for (repository, expected) in
        [("team/image", "image:3"), ("team/other", "team:2"), ("teams/image", "everyone:1")]
    {
        let found = find(content.clone(), "registry.example.org", repository).await;
        assert_eq!(found.as_deref(), Some(expected), "{repository}");
    }
    assert_eq!(find(content, "registry.example.org:5000", "team/image").await, None);
}

#[tokio::test]
async fn docker_hub_is_found_under_its_old_name() {
    let content = json!({ "auths": { "https://index.docker.io/v1/": encoded("hub:pass:word") } });
    assert_eq!(find(content, "docker.io", "library/python").await.as_deref(), Some("hub:pass:word"));
}

#[tokio::test]
async fn plain_fields_and_identity_tokens_are_read() {
    let content = json!({ "auths": {
        "plain.example.org": { "username": "ada", "password": "secret" },
        "token.example.org": { "auth": "PHRva2VuPjo=", "identitytoken": "refresh" },
        "empty.example.org": {},
    }});
    let found = |registry: &'static str| find(content.clone(), registry, "image");
    assert_eq!(found("plain.example.org").await.as_deref(), Some("ada:secret"));
    assert_eq!(found("token.example.org").await.as_deref(), Some("token:refresh"));
    assert_eq!(found("empty.example.org").await, None);
}

#[tokio::test]
async fn helper_names_cannot_leave_the_search_path() {
    let content = json!({ "credHelpers": { "registry.example.org": "../../tmp/evil" } });
    let file = AuthFile::parse(Path::new("auth.json"), content.to_string().as_bytes()).unwrap();
    let error = file.find("registry.example.org", "image").await.unwrap_err();
    assert!(matches!(error, CredentialError::Helper { .. }), "{error}");
}

#[test]
fn malformed_files_are_named_but_not_quoted() {
    let error = AuthFile::parse(Path::new("auth.json"), br#"{"auths": "c2VjcmV0"}"#).err().unwrap();
    assert!(error.to_string().contains("auth.json"), "{error}");
    assert!(!format!("{error:?} {error}").contains("c2VjcmV0"), "{error:?}");
}
