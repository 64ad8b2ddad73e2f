//! Pull secrets.

use imagewright_hub::app::Change;
use imagewright_hub::app::images::{ImageChange, NewImage, NewSource};
use imagewright_hub::app::secrets::{NewSecret, SecretChange};
use imagewright_hub::error::Kind;
use imagewright_store::secrets::SecretKind;
use imagewright_store::{GroupId, SecretId};

use crate::support::{TestHub, existing, kind};

fn secret(name: &str, groups: Option<Vec<GroupId>>) -> NewSecret {
    NewSecret {
        name: name.to_owned(),
        display_name: None,
        kind: SecretKind::Pull,
        registry_host: Some("https://registry.example/v2/".to_owned()),
        username: Some("robot".to_owned()),
        password: "canary-in-a-cage".into(),
        groups,
    }
}

#[tokio::test]
async fn a_secret_is_used_by_the_groups_that_it_is_offered_to() {
    let test = TestHub::new().await;
    let (root, ann, otto) = (test.actor("root").await, test.actor("ann").await, test.actor("otto").await);
    let for_data =
        test.hub.create_secret(&root, secret("for-data", Some(vec![test.data.clone()]))).await.unwrap();
    let for_all = test.hub.create_secret(&root, secret("for-all", None)).await.unwrap();
    let opaque = NewSecret { kind: SecretKind::Opaque, ..secret("git", None) };
    let opaque = test.hub.create_secret(&root, opaque).await.unwrap();
    assert_eq!((for_data.id.as_str(), opaque.id.as_str()), ("image-for-data", "gitsync-secret-git"));
    assert_eq!(for_data.registry_host.as_deref(), Some("registry.example"));
    assert!(!for_data.sealed.contains("canary"));

    let names = |secrets: Vec<imagewright_store::secrets::Secret>| -> Vec<String> {
        secrets.into_iter().map(|secret| secret.name).collect()
    };
    assert_eq!(names(test.hub.usable_secrets(&ann, None).await.unwrap()), ["for-all", "for-data"]);
    assert_eq!(names(test.hub.usable_secrets(&otto, None).await.unwrap()), ["for-all"]);
    assert!(test.hub.usable_secrets(&test.actor("max").await, None).await.unwrap().is_empty());
    assert_eq!(kind(test.hub.usable_secrets(&otto, Some(&test.data)).await), Kind::NotAllowed);

    let with = |name: &str, group: &GroupId, id: &SecretId| NewImage {
        group: Some(group.clone()),
        source: NewSource::Existing { url: None, url_for_gpu: None, pull_secret: Some(id.clone()) },
        ..existing(name)
    };
    test.hub.create_image(&ann, with("a", &test.data, &for_data.id)).await.unwrap();
    assert_eq!(kind(test.hub.create_image(&otto, with("b", &test.other, &for_data.id)).await), Kind::Invalid);
    assert_eq!(kind(test.hub.create_image(&ann, with("c", &test.data, &opaque.id)).await), Kind::Invalid);
    test.hub.create_image(&otto, with("b", &test.other, &for_all.id)).await.unwrap();
    let take = ImageChange { pull_secret: Change::Set(for_data.id), ..ImageChange::default() };
    assert_eq!(kind(test.hub.update_image(&otto, "b", take).await), Kind::Invalid);
}

#[tokio::test]
async fn a_secret_in_use_is_not_deleted_and_its_users_are_named() {
    let test = TestHub::new().await;
    let root = test.actor("root").await;
    let made = test.hub.create_secret(&root, secret("s", None)).await.unwrap();
    let source = NewSource::Existing { url: None, url_for_gpu: None, pull_secret: Some(made.id.clone()) };
    test.hub.create_image(&root, NewImage { source, ..existing("x") }).await.unwrap();
    let error = test.hub.delete_secret(&root, &made.id).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::InUse, "The secret s is used by image x"));
    let without = ImageChange { pull_secret: Change::Clear, ..ImageChange::default() };
    test.hub.update_image(&root, "x", without).await.unwrap();
    test.hub.delete_secret(&root, &made.id).await.unwrap();
    assert_eq!(kind(test.hub.secret(&root, &made.id).await), Kind::NotFound);
}

#[tokio::test]
async fn what_clients_see_instead_of_a_password_is_no_password() {
    let test = TestHub::new().await;
    let root = test.actor("root").await;
    let made = test.hub.create_secret(&root, secret("s", None)).await.unwrap();
    let masked = SecretChange {
        password: Some("******".into()),
        username: Some("other".to_owned()),
        ..SecretChange::default()
    };
    let changed = test.hub.update_secret(&root, &made.id, masked).await.unwrap();
    assert_eq!((changed.sealed, changed.username.as_deref()), (made.sealed, Some("other")));
    assert_eq!(kind(test.hub.create_secret(&root, secret("s", None)).await), Kind::Conflict);
    assert_eq!(
        kind(test.hub.create_secret(&test.actor("ann").await, secret("t", None)).await),
        Kind::NotAllowed
    );
    let hostless = NewSecret { registry_host: Some(" ".to_owned()), ..secret("u", None) };
    assert_eq!(kind(test.hub.create_secret(&root, hostless).await), Kind::Invalid);
}

#[tokio::test]
async fn another_key_seals_everything_anew() {
    let test = TestHub::new().await;
    let root = test.actor("root").await;
    let made = test.hub.create_secret(&root, secret("s", None)).await.unwrap();
    assert_eq!(test.hub.rotate_key().await.unwrap(), 1);
    let after = test.hub.secret(&root, &made.id).await.unwrap();
    assert_ne!(after.sealed, made.sealed);
    let opened = test.hub.vault.open_sealed(after.id.as_str(), &after.sealed).unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&opened), "canary-in-a-cage");
    assert!(test.hub.vault.open_sealed(made.id.as_str(), &made.sealed).is_err());
}
