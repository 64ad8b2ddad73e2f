//! Signing in, tokens, users.

use imagewright_hub::access::Actor;
use imagewright_hub::app::users::{NewUser, UserChange};
use imagewright_hub::error::Kind;
use imagewright_store::Page;
use imagewright_store::audit::AuditFilter;
use secrecy::{ExposeSecret as _, SecretString};

use crate::support::{PASSWORD, TestHub, kind};

async fn with_password(test: &TestHub, name: &str) {
    let user = test.hub.user_by_name(&Actor::Machine, name).await.unwrap();
    test.hub.reset_password(&Actor::Machine, &user.id, &PASSWORD.into(), false).await.unwrap();
}

#[tokio::test]
async fn a_token_is_good_until_it_is_revoked_or_expires_or_its_user_may_not_come_in() {
    let test = TestHub::new().await;
    let ann = test.actor("ann").await;
    let (token, secret) = test.hub.create_token(&ann, None, "laptop", None).await.unwrap();
    let come = async |secret: &SecretString| test.hub.actor_by_token(secret.expose_secret(), None).await;
    assert_eq!(come(&secret).await.unwrap().name(), "ann");

    test.hub.revoke_token(&ann, &token.id).await.unwrap();
    assert_eq!(kind(come(&secret).await), Kind::NotAuthenticated);

    let end = test.hub.clock.now() + jiff::SignedDuration::from_secs(30);
    let (_, short) = test.hub.create_token(&ann, None, "short", Some(end)).await.unwrap();
    come(&short).await.unwrap();
    while test.hub.clock.now() < end {}
    assert_eq!(kind(come(&short).await), Kind::NotAuthenticated);

    let (_, last) = test.hub.create_token(&ann, None, "last", None).await.unwrap();
    let change = UserChange { is_enabled: Some(false), ..UserChange::default() };
    let id = ann.account().unwrap().id.clone();
    test.hub.update_user(&test.actor("root").await, &id, change).await.unwrap();
    assert_eq!(kind(come(&last).await), Kind::NotAuthenticated);
}

#[tokio::test]
async fn nobody_sees_or_ends_the_token_of_another() {
    let test = TestHub::new().await;
    let (ann, max) = (test.actor("ann").await, test.actor("max").await);
    let (token, _) = test.hub.create_token(&ann, None, "laptop", None).await.unwrap();
    assert_eq!(kind(test.hub.revoke_token(&max, &token.id).await), Kind::NotFound);
    assert!(test.hub.tokens(&max).await.unwrap().is_empty());
    let id = ann.account().unwrap().id.clone();
    assert_eq!(kind(test.hub.create_token(&max, Some(&id), "mine", None).await), Kind::NotAllowed);
    test.hub.revoke_token(&test.actor("root").await, &token.id).await.unwrap();
}

#[tokio::test]
async fn too_many_wrong_passwords_make_the_right_one_wait() {
    let test = TestHub::configured(&[("IMAGEWRIGHT_LOGIN__ATTEMPTS", "3")]).await;
    with_password(&test, "ann").await;
    let sign_in = async |password: &str| test.hub.sign_in("Ann", &password.into(), None).await;
    assert_eq!(sign_in(PASSWORD).await.unwrap().name(), "ann");
    for _ in 0..3 {
        assert_eq!(kind(sign_in("wrong").await), Kind::NotAuthenticated);
    }
    assert_eq!(kind(sign_in(PASSWORD).await), Kind::TooMany);
}

#[tokio::test]
async fn wrong_names_and_wrong_passwords_look_alike() {
    let test = TestHub::new().await;
    with_password(&test, "ann").await;
    let wrong_name = test.hub.sign_in("nobody", &PASSWORD.into(), None).await.unwrap_err();
    let wrong_password = test.hub.sign_in("ann", &"wrong".into(), None).await.unwrap_err();
    assert_eq!(wrong_name.message(), wrong_password.message());
}

#[tokio::test]
async fn a_code_is_good_for_one_token() {
    let test = TestHub::new().await;
    let code = test.hub.create_authorization_code(&test.actor("ann").await).await.unwrap();
    let token = test.hub.exchange_authorization_code(code.expose_secret(), None).await.unwrap();
    let actor = test.hub.actor_by_token(token.expose_secret(), None).await.unwrap();
    assert_eq!(actor.name(), "ann");
    let again = test.hub.exchange_authorization_code(code.expose_secret(), None).await;
    assert_eq!(kind(again), Kind::NotAuthenticated);
}

#[tokio::test]
async fn the_last_admin_stays_one() {
    let test = TestHub::new().await;
    let root = test.actor("root").await;
    let id = root.account().unwrap().id.clone();
    let demoted = UserChange { is_admin: Some(false), ..UserChange::default() };
    assert_eq!(kind(test.hub.update_user(&root, &id, demoted).await), Kind::InUse);
    let disabled = UserChange { is_enabled: Some(false), ..UserChange::default() };
    assert_eq!(kind(test.hub.update_user(&root, &id, disabled).await), Kind::InUse);
    assert_eq!(kind(test.hub.delete_user(&root, &id).await), Kind::InUse);
}

#[tokio::test]
async fn names_and_addresses_are_there_once() {
    let test = TestHub::new().await;
    let root = test.actor("root").await;
    let new = |username: &str, email: &str| NewUser {
        username: username.to_owned(),
        email: Some(email.to_owned()),
        is_enabled: true,
        ..NewUser::default()
    };
    test.hub.create_user(&root, new("eve", "eve@example.org")).await.unwrap();
    assert_eq!(kind(test.hub.create_user(&root, new("EVE", "")).await), Kind::Conflict);
    assert_eq!(kind(test.hub.create_user(&root, new("eva", "eve@example.org")).await), Kind::Conflict);
    assert_eq!(kind(test.hub.create_user(&root, new("no blanks", "")).await), Kind::Invalid);
    assert_eq!(kind(test.hub.create_user(&test.actor("ann").await, new("x", "")).await), Kind::NotAllowed);
    assert_eq!(
        kind(test.hub.create_user(&test.actor("nobody").await, new("x", "")).await),
        Kind::NotAuthenticated
    );
}

#[tokio::test]
async fn the_audit_tells_who_did_what_and_no_secret() {
    let test = TestHub::new().await;
    with_password(&test, "ann").await;
    let ann = test.hub.sign_in("ann", &PASSWORD.into(), Some("192.0.2.7".to_owned())).await.unwrap();
    let (_, secret) = test.hub.create_token(&ann, None, "laptop", None).await.unwrap();
    let root = test.actor("root").await;
    assert_eq!(kind(test.hub.audit(&ann, &AuditFilter::default(), Page::ALL).await), Kind::NotAllowed);
    let entries = test.hub.audit(&root, &AuditFilter::default(), Page::ALL).await.unwrap().rows;
    let newest = &entries[0];
    assert_eq!((newest.action.as_str(), newest.actor_name.as_str()), ("token.create", "ann"));
    assert_eq!(newest.address.as_deref(), Some("192.0.2.7"));
    let told = format!("{entries:?}");
    assert!(!told.contains(PASSWORD) && !told.contains(secret.expose_secret()), "{told}");
}
