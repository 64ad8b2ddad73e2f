use imagewright_store::audit::AuditFilter;
use imagewright_store::users::{User, UserFilter};
use imagewright_store::{Page, StoreError};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::support::rows::{at, entry, group, group_id, of_image, request, token, user, user_id};
use crate::support::{TestStore, on_both_databases};

on_both_databases!(
    a_user_is_read_as_it_was_written,
    names_and_addresses_are_taken_once,
    changes_are_kept_and_reach_one_user,
    filters_hold_together,
    pages_follow_each_other_and_end,
    users_are_counted_and_found_by_identifier,
    deleting_a_user_takes_what_is_theirs_and_leaves_what_they_did,
);

/// The names of the users that a filter finds, on one page.
async fn names(store: &TestStore, filter: UserFilter) -> Vec<String> {
    let found = store.read().users(&filter, Page::ALL).await.unwrap();
    assert_eq!(found.total, found.rows.len() as u64);
    found.rows.into_iter().map(|user| user.username).collect()
}

fn alice() -> User {
    User {
        email: Some("Alice@example.org".to_owned()),
        first_name: "Älice".to_owned(),
        last_name: "O'Neill \"%_\\\" ☃".to_owned(),
        is_enabled: false,
        is_admin: true,
        password_hash: Some("$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA".into()),
        must_change_password: true,
        attributes: json!({ "zeta": 1, "alpha": [null, "\u{0}", "ü", 0.1] }),
        created_at: at(1),
        updated_at: at(2),
        ..user("alice")
    }
}

/// Passwords have no equality of their own.
fn fields(user: &User) -> (String, Option<&str>) {
    let hash = user.password_hash.as_ref().map(ExposeSecret::expose_secret);
    (format!("{user:?}"), hash)
}

async fn a_user_is_read_as_it_was_written(store: &TestStore) {
    store.change(async |writer| writer.insert_user(&alice()).await).await;

    let reader = store.read();
    let by_id = reader.user(&user_id("alice")).await.unwrap().unwrap();
    assert_eq!(fields(&by_id), fields(&alice()));
    let by_name = reader.user_by_name("alice").await.unwrap().unwrap();
    assert_eq!(fields(&by_name), fields(&alice()));
    let by_email = reader.user_by_email("Alice@example.org").await.unwrap().unwrap();
    assert_eq!(fields(&by_email), fields(&alice()));

    assert!(reader.user(&user_id("ALICE")).await.unwrap().is_none());
    assert!(reader.user_by_name("Alice").await.unwrap().is_none());
    assert!(reader.user_by_email("alice@example.org").await.unwrap().is_none());
    assert!(!format!("{by_id:?}").contains("aGFzaA"), "a hash is printed");
}

async fn names_and_addresses_are_taken_once(store: &TestStore) {
    store
        .change(async |writer| {
            writer.insert_user(&alice()).await?;
            // Nobody has no address twice.
            writer.insert_user(&user("bob")).await?;
            writer.insert_user(&user("carol")).await
        })
        .await;

    let twins = [
        user("alice"),
        User { id: user_id("other"), ..user("alice") },
        User { email: alice().email, ..user("other") },
    ];
    for twin in twins {
        let error = store.refused(async |writer| writer.insert_user(&twin).await).await;
        assert!(matches!(error, StoreError::Taken), "{error:?}");
    }
    for change in
        [User { username: "alice".to_owned(), ..user("bob") }, User { email: alice().email, ..user("bob") }]
    {
        let error = store.refused(async |writer| writer.update_user(&change).await).await;
        assert!(matches!(error, StoreError::Taken), "{error:?}");
    }
    assert_eq!(names(store, UserFilter::default()).await, ["alice", "bob", "carol"]);
}

async fn changes_are_kept_and_reach_one_user(store: &TestStore) {
    store
        .change(async |writer| {
            writer.insert_user(&user("alice")).await?;
            writer.insert_user(&user("bob")).await
        })
        .await;

    let is_there = store
        .change(async |writer| {
            Ok((writer.update_user(&alice()).await?, writer.update_user(&user("nobody")).await?))
        })
        .await;

    assert_eq!(is_there, (true, false));
    let reader = store.read();
    assert_eq!(fields(&reader.user(&user_id("alice")).await.unwrap().unwrap()), fields(&alice()));
    assert_eq!(fields(&reader.user(&user_id("bob")).await.unwrap().unwrap()), fields(&user("bob")));
    // What is searched has changed too.
    let search = Some("älice".to_owned());
    assert_eq!(names(store, UserFilter { search, ..UserFilter::default() }).await, ["alice"]);
}

async fn filters_hold_together(store: &TestStore) {
    let emily = User { email: Some("em@Example.org".to_owned()), ..user("emily") };
    store
        .change(async |writer| {
            for user in [emily, user("emil"), user("tom")] {
                writer.insert_user(&user).await?;
            }
            Ok(())
        })
        .await;

    let all = UserFilter::default();
    let part = |text: &str| Some(text.to_owned());
    assert_eq!(names(store, UserFilter { id: Some(user_id("tom")), ..all.clone() }).await, ["tom"]);
    assert_eq!(
        names(store, UserFilter { username_contains: part("mi"), ..all.clone() }).await,
        ["emil", "emily"]
    );
    assert!(names(store, UserFilter { username_contains: part("MI"), ..all.clone() }).await.is_empty());
    // Whoever has no address has nothing in it, not even nothing.
    assert_eq!(names(store, UserFilter { email_contains: part(""), ..all.clone() }).await, ["emily"]);
    assert_eq!(names(store, UserFilter { email_contains: part("@Ex"), ..all.clone() }).await, ["emily"]);
    assert!(names(store, UserFilter { email_contains: part("@ex"), ..all.clone() }).await.is_empty());
    assert_eq!(names(store, UserFilter { search: part("@EX"), ..all.clone() }).await, ["emily"]);
    let narrow = UserFilter { id: Some(user_id("emil")), search: part("em"), ..all.clone() };
    assert_eq!(names(store, narrow.clone()).await, ["emil"]);
    assert!(names(store, UserFilter { username_contains: part("y"), ..narrow }).await.is_empty());
}

async fn pages_follow_each_other_and_end(store: &TestStore) {
    let everybody: Vec<String> = (0..7).map(|number| format!("user{number}")).collect();
    store
        .change(async |writer| {
            for name in everybody.iter().rev() {
                writer.insert_user(&user(name)).await?;
            }
            Ok(())
        })
        .await;
    let page = async |page: Page| {
        let found = store.read().users(&UserFilter::default(), page).await.unwrap();
        assert_eq!(found.total, 7, "{page:?}");
        found.rows.into_iter().map(|user| user.username).collect::<Vec<_>>()
    };

    assert_eq!(page(Page::numbered(1, 3)).await, everybody[0..3]);
    assert_eq!(page(Page::numbered(2, 3)).await, everybody[3..6]);
    assert_eq!(page(Page::numbered(3, 3)).await, everybody[6..]);
    assert_eq!(page(Page::numbered(0, 3)).await, everybody[0..3]);
    assert_eq!(page(Page { offset: 2, limit: 1 }).await, everybody[2..3]);
    assert_eq!(page(Page { offset: 5, limit: u64::MAX }).await, everybody[5..]);
    assert!(page(Page::numbered(1, 0)).await.is_empty());
    for past in [
        Page::numbered(4, 3),
        Page::numbered(u64::MAX, 3),
        Page::numbered(u64::MAX, u64::MAX),
        Page { offset: u64::MAX, limit: u64::MAX },
    ] {
        assert!(page(past).await.is_empty(), "{past:?}");
    }
}

async fn users_are_counted_and_found_by_identifier(store: &TestStore) {
    let left = User { is_enabled: false, is_admin: true, ..user("left") };
    let admin = User { is_admin: true, ..user("admin") };
    store
        .change(async |writer| {
            for user in [left, admin, user("member")] {
                writer.insert_user(&user).await?;
            }
            Ok(())
        })
        .await;

    let reader = store.read();
    assert_eq!(reader.count_users().await.unwrap(), 3);
    assert_eq!(reader.count_enabled_admins().await.unwrap(), 1);
    let ids = ["member", "nobody", "admin", "member"].map(user_id);
    let found = reader.users_with(&ids).await.unwrap();
    assert_eq!(found.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["admin", "member"]);
    assert!(reader.users_with(&[]).await.unwrap().is_empty());
}

async fn deleting_a_user_takes_what_is_theirs_and_leaves_what_they_did(store: &TestStore) {
    store
        .change(async |writer| {
            writer.insert_group(&group("blue")).await?;
            for name in ["alice", "bob"] {
                writer.insert_user(&user(name)).await?;
                writer.set_member(&group_id("blue"), &user_id(name), true).await?;
                writer.insert_token(&token(name, name), &format!("hash of {name}")).await?;
                writer
                    .insert_authorization_code(&format!("code of {name}"), &user_id(name), at(0), at(9))
                    .await?;
            }
            writer.enqueue_build(&request(of_image("base"), 0)).await?;
            writer.add_audit(&entry("image.create")).await
        })
        .await;

    let deleted = store
        .change(async |writer| {
            let alice = user_id("alice");
            Ok((writer.delete_user(&alice).await?, writer.delete_user(&alice).await?))
        })
        .await;

    assert_eq!(deleted, (true, false));
    let reader = store.read();
    let members = reader.members(&group_id("blue")).await.unwrap();
    assert_eq!(members.iter().map(|member| member.user.username.as_str()).collect::<Vec<_>>(), ["bob"]);
    assert!(reader.token_by_hash("hash of alice").await.unwrap().is_none());
    assert!(reader.token_by_hash("hash of bob").await.unwrap().is_some());
    let codes = store
        .change(async |writer| {
            let alice = writer.take_authorization_code("code of alice", at(1)).await?;
            Ok((alice, writer.take_authorization_code("code of bob", at(1)).await?))
        })
        .await;
    assert_eq!(codes, (None, Some(user_id("bob"))));
    let build = reader.latest_build(&of_image("base")).await.unwrap().unwrap();
    assert_eq!(build.requested_by, user_id("alice"));
    let audit = reader.audit(&AuditFilter::default(), Page::ALL).await.unwrap();
    assert_eq!(audit.rows[0].actor, Some(user_id("alice")));
}
