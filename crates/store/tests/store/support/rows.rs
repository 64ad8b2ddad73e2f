//! Rows, each as plain as it can be: tests change what they are about.

use imagewright_spec::{ImageKind, ImageReference};
use imagewright_store::audit::AuditEntry;
use imagewright_store::builds::{Failure, Finish, NewBuild, Outcome, Product, Stage, Subject};
use imagewright_store::groups::Group;
use imagewright_store::images::{Image, ImageSource, Recipe};
use imagewright_store::secrets::{Secret, SecretKind};
use imagewright_store::specs::CustomSpec;
use imagewright_store::tokens::Token;
use imagewright_store::users::User;
use imagewright_store::{GroupId, SecretId, TokenId, UserId};
use jiff::Timestamp;
use serde_json::json;

/// A moment that many milliseconds after a moment in 2026.
pub(crate) fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_767_225_600_000 + milliseconds).unwrap()
}

pub(crate) fn user_id(name: &str) -> UserId {
    UserId::new(format!("user-{name}"))
}

pub(crate) fn group_id(name: &str) -> GroupId {
    GroupId::new(format!("group-{name}"))
}

pub(crate) fn secret_id(name: &str) -> SecretId {
    SecretId::new(format!("secret-{name}"))
}

pub(crate) fn user(name: &str) -> User {
    User {
        id: user_id(name),
        username: name.to_owned(),
        email: None,
        first_name: String::new(),
        last_name: String::new(),
        is_enabled: true,
        is_admin: false,
        password_hash: None,
        must_change_password: false,
        attributes: json!({}),
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn token(name: &str, user: &str) -> Token {
    Token {
        id: TokenId::new(format!("token-{name}")),
        user_id: user_id(user),
        name: name.to_owned(),
        created_at: at(0),
        expires_at: None,
        used_at: None,
    }
}

pub(crate) fn group(name: &str) -> Group {
    Group {
        id: group_id(name),
        name: name.to_owned(),
        display_name: format!("Group {name}"),
        attributes: json!({}),
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn secret(name: &str) -> Secret {
    Secret {
        id: secret_id(name),
        name: name.to_owned(),
        display_name: format!("Secret {name}"),
        kind: SecretKind::Pull,
        registry_host: Some("registry.example".to_owned()),
        username: Some("puller".to_owned()),
        sealed: format!("sealed {name}"),
        is_offered_to_all: true,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn reference(text: &str) -> ImageReference {
    text.parse().unwrap()
}

pub(crate) fn recipe() -> Recipe {
    Recipe {
        kind: ImageKind::Cpu,
        base: reference("registry.example/base:1"),
        apt: vec!["git".to_owned()],
        conda: Vec::new(),
        pip: vec!["numpy<3  # höchstens".to_owned()],
    }
}

/// A system image for all, from a registry.
pub(crate) fn image(name: &str) -> Image {
    Image {
        name: name.parse().unwrap(),
        display_name: format!("Image {name}"),
        description: String::new(),
        kind: ImageKind::Cpu,
        url: Some(reference(&format!("registry.example/{name}:1"))),
        url_for_gpu: None,
        pull_secret: None,
        group: None,
        is_global: true,
        source: ImageSource::Existing,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn custom(pull_secret: Option<SecretId>) -> ImageSource {
    ImageSource::Custom { recipe: recipe(), pull_secret, build: None }
}

pub(crate) fn spec(name: &str) -> CustomSpec {
    CustomSpec {
        name: name.parse().unwrap(),
        recipe: recipe(),
        pull_secret: None,
        url: None,
        build: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn of_image(name: &str) -> Subject {
    Subject::Image(name.parse().unwrap())
}

pub(crate) fn of_spec(name: &str) -> Subject {
    Subject::Spec(name.parse().unwrap())
}

/// A request for a build that alice makes that many milliseconds after the start.
pub(crate) fn request(subject: Subject, milliseconds: i64) -> NewBuild {
    NewBuild {
        subject,
        group: None,
        recipe: recipe(),
        recipe_secret: None,
        spec_hash: "0a1b2c3d".parse().unwrap(),
        requested_by: user_id("alice"),
        requested_by_name: "alice".to_owned(),
        requested_at: at(milliseconds),
    }
}

pub(crate) fn stage(name: &str) -> Stage {
    Stage { name: name.to_owned(), started_at: at(5), seconds: Some(1.5), detail: "3 layers".to_owned() }
}

pub(crate) fn product(url: &str) -> Product {
    Product {
        url: reference(url),
        digest: format!("sha256:{:064}", 1),
        gpu_url: None,
        gpu_digest: None,
        base_digest: Some(format!("sha256:{:064}", 2)),
        pull_secret: None,
        size_bytes: Some(1000),
        summary: json!({ "layers": [{ "size": 1000 }] }),
    }
}

pub(crate) fn failure() -> Failure {
    Failure {
        kind: "conflict".to_owned(),
        message: "numpy 3 and numpy 2 cannot both be there".to_owned(),
        explanation: Some("because a requires b".to_owned()),
        next_step: Some("ask for less".to_owned()),
    }
}

pub(crate) fn end(outcome: Outcome, milliseconds: i64) -> Finish {
    Finish { outcome, stages: vec![stage("push")], at: at(milliseconds) }
}

pub(crate) fn entry(action: &str) -> AuditEntry {
    AuditEntry {
        id: 0,
        at: at(0),
        actor: Some(user_id("alice")),
        actor_name: "alice".to_owned(),
        action: action.to_owned(),
        object_kind: "image".to_owned(),
        object: "base".to_owned(),
        group: None,
        address: Some("192.0.2.7".to_owned()),
        detail: json!({ "url": "registry.example/base:1" }),
    }
}
