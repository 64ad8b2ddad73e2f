use imagewright_store::StoreError;
use imagewright_store::tokens::Token;

use crate::support::rows::{at, token, user, user_id};
use crate::support::{TestStore, on_both_databases};

on_both_databases!(
    a_token_is_found_by_its_hash_with_its_user,
    a_hash_is_there_once_and_of_somebody,
    a_token_that_was_removed_is_good_for_nothing,
    a_code_is_good_once_and_for_its_time,
    a_code_is_taken_by_one_of_many,
);

async fn with_users(store: &TestStore) {
    store
        .change(async |writer| {
            writer.insert_user(&user("alice")).await?;
            writer.insert_user(&user("bob")).await
        })
        .await;
}

async fn a_token_is_found_by_its_hash_with_its_user(store: &TestStore) {
    with_users(store).await;
    let limited =
        Token { expires_at: Some(at(9)), used_at: Some(at(3)), created_at: at(2), ..token("b", "alice") };
    store
        .change(async |writer| {
            writer.insert_token(&token("a", "alice"), "hash a").await?;
            writer.insert_token(&limited, "hash b").await?;
            writer.insert_token(&token("c", "bob"), "hash c").await
        })
        .await;

    let reader = store.read();
    let (found, owner) = reader.token_by_hash("hash b").await.unwrap().unwrap();
    assert_eq!((found, owner.username.as_str()), (limited.clone(), "alice"));
    assert!(reader.token_by_hash("HASH B").await.unwrap().is_none());
    assert_eq!(reader.token(&limited.id).await.unwrap(), Some(limited.clone()));
    let of_alice = reader.tokens_of(&user_id("alice")).await.unwrap();
    assert_eq!(of_alice, [limited, token("a", "alice")]);

    store.change(async |writer| writer.touch_token(&token("a", "alice").id, at(7)).await).await;
    let (used, _) = reader.token_by_hash("hash a").await.unwrap().unwrap();
    assert_eq!((used.used_at, used.expires_at), (Some(at(7)), None));
    assert_eq!(reader.token_by_hash("hash c").await.unwrap().unwrap().0.used_at, None);
}

async fn a_hash_is_there_once_and_of_somebody(store: &TestStore) {
    with_users(store).await;
    store.change(async |writer| writer.insert_token(&token("a", "alice"), "hash").await).await;

    let error = store.refused(async |writer| writer.insert_token(&token("b", "bob"), "hash").await).await;
    assert!(matches!(error, StoreError::Taken), "{error:?}");
    let error = store.refused(async |writer| writer.insert_token(&token("b", "nobody"), "other").await).await;
    assert!(matches!(error, StoreError::Referred), "{error:?}");
}

async fn a_token_that_was_removed_is_good_for_nothing(store: &TestStore) {
    with_users(store).await;
    let removed = store
        .change(async |writer| {
            for (name, owner) in [("a", "alice"), ("b", "alice"), ("c", "alice"), ("d", "bob")] {
                writer.insert_token(&token(name, owner), &format!("hash {name}")).await?;
            }
            let id = token("a", "alice").id;
            Ok((
                writer.delete_token(&id).await?,
                writer.delete_token(&id).await?,
                writer.delete_tokens_of(&user_id("alice")).await?,
            ))
        })
        .await;

    assert_eq!(removed, (true, false, 2));
    let reader = store.read();
    for hash in ["hash a", "hash b", "hash c"] {
        assert!(reader.token_by_hash(hash).await.unwrap().is_none(), "{hash}");
    }
    assert!(reader.token_by_hash("hash d").await.unwrap().is_some());
}

async fn a_code_is_good_once_and_for_its_time(store: &TestStore) {
    with_users(store).await;
    let alice = user_id("alice");
    store
        .change(async |writer| {
            writer.insert_authorization_code("one", &alice, at(0), at(10)).await?;
            writer.insert_authorization_code("late", &alice, at(0), at(10)).await
        })
        .await;
    let take = async |hash: &str, now| {
        store.change(async |writer| writer.take_authorization_code(hash, at(now)).await).await
    };

    assert_eq!(take("other", 5).await, None);
    assert_eq!(take("one", 9).await, Some(alice.clone()));
    assert_eq!(take("one", 9).await, None);
    assert_eq!(take("late", 10).await, None);
    // It was taken all the same.
    assert_eq!(take("late", 9).await, None);

    store
        .change(async |writer| {
            writer.insert_authorization_code("old", &alice, at(0), at(10)).await?;
            writer.insert_authorization_code("new", &alice, at(10), at(20)).await
        })
        .await;
    assert_eq!(store.place.texts("SELECT hash FROM authorization_codes").await, ["new"]);
}

async fn a_code_is_taken_by_one_of_many(store: &TestStore) {
    with_users(store).await;
    store
        .change(async |writer| writer.insert_authorization_code("one", &user_id("alice"), at(0), at(9)).await)
        .await;

    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let store = imagewright_store::Store::clone(store);
            tokio::spawn(async move {
                let writer = store.write().await.unwrap();
                let taken = writer.take_authorization_code("one", at(1)).await.unwrap();
                writer.commit().await.unwrap();
                taken.is_some()
            })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += usize::from(task.await.unwrap());
    }

    assert_eq!(winners, 1);
}
