//! Transactions that end before they should.

use std::time::Duration;

use imagewright_store::groups::GroupFilter;
use imagewright_store::{Page, Store, StoreError};

use crate::support::rows::{group, group_id, user, user_id};
use crate::support::{TestStore, on_both_databases};

on_both_databases!(
    a_transaction_that_is_dropped_leaves_nothing,
    a_transaction_that_failed_leaves_nothing,
    what_is_not_committed_is_seen_by_nobody_else,
    requests_that_are_given_up_leave_all_or_nothing,
);

async fn count(store: &Store) -> u64 {
    store.read().groups(&GroupFilter::default(), Page::ALL).await.unwrap().total
}

async fn a_transaction_that_is_dropped_leaves_nothing(store: &TestStore) {
    // More often than there are connections.
    for _ in 0..20 {
        let writer = store.write().await.unwrap();
        writer.insert_group(&group("red")).await.unwrap();
        drop(writer);
    }
    drop(store.write().await.unwrap());

    assert_eq!(count(store).await, 0);
    store.change(async |writer| writer.insert_group(&group("red")).await).await;
    assert_eq!(count(store).await, 1);
}

async fn a_transaction_that_failed_leaves_nothing(store: &TestStore) {
    store.change(async |writer| writer.insert_group(&group("red")).await).await;

    let error = store
        .refused(async |writer| {
            writer.insert_group(&group("blue")).await?;
            writer.insert_group(&group("red")).await
        })
        .await;

    assert!(matches!(error, StoreError::Taken), "{error:?}");
    assert_eq!(count(store).await, 1);
}

async fn what_is_not_committed_is_seen_by_nobody_else(store: &TestStore) {
    let writer = store.write().await.unwrap();
    writer.insert_group(&group("red")).await.unwrap();

    assert!(writer.group(&group_id("red")).await.unwrap().is_some());
    // Readers go on meanwhile, here and elsewhere.
    assert_eq!(count(store).await, 0);
    let another = store.another().await;
    assert_eq!(count(&another).await, 0);
    writer.commit().await.unwrap();
    assert_eq!(count(store).await, 1);
    assert_eq!(count(&another).await, 1);
}

/// As the hub's doors give up a request whose client is gone, at whichever step it is.
async fn requests_that_are_given_up_leave_all_or_nothing(store: &TestStore) {
    const REQUESTS: u64 = 120;
    store.change(async |writer| writer.insert_user(&user("alice")).await).await;
    let tasks: Vec<_> = (0..REQUESTS)
        .map(|number| {
            let store = Store::clone(store);
            tokio::spawn(async move {
                let change = async {
                    let name = format!("n{number}");
                    let writer = store.write().await?;
                    writer.insert_group(&group(&name)).await?;
                    writer.set_member(&group_id(&name), &user_id("alice"), true).await?;
                    writer.commit().await
                };
                // From at once to long enough.
                let patience = Duration::from_micros(number * number * 10);
                match tokio::time::timeout(patience, change).await {
                    Ok(outcome) => outcome.map(|()| true),
                    Err(_) => Ok(false),
                }
            })
        })
        .collect();
    let mut committed = 0;
    for task in tasks {
        committed += u64::from(task.await.unwrap().unwrap());
    }

    let groups = store.read().groups(&GroupFilter::default(), Page::ALL).await.unwrap().rows;
    let memberships = store.read().groups_of(&user_id("alice")).await.unwrap();
    assert_eq!(groups, memberships.into_iter().map(|(group, _)| group).collect::<Vec<_>>());
    // One whose commit was given up may have been committed.
    assert!(groups.len() as u64 >= committed, "{} of {committed}", groups.len());
    // Every connection is as good as before.
    for number in 0..20 {
        store.change(async |writer| writer.insert_group(&group(&format!("after{number}"))).await).await;
    }
    assert_eq!(count(store).await, groups.len() as u64 + 20);
}
