//! Tables of other versions.

use imagewright_store::StoreError;

use crate::support::rows::{group, group_id};
use crate::support::{TestStore, on_both_databases};

on_both_databases!(tables_stay_when_a_store_is_opened_again, tables_of_a_newer_version_are_left_alone);

async fn tables_stay_when_a_store_is_opened_again(store: &TestStore) {
    store.change(async |writer| writer.insert_group(&group("red")).await).await;

    let again = store.another().await;

    assert_eq!(again.read().group(&group_id("red")).await.unwrap(), Some(group("red")));
    assert_eq!(store.place.texts("SELECT version FROM seaql_migrations").await, ["first"]);
}

async fn tables_of_a_newer_version_are_left_alone(store: &TestStore) {
    store
        .place
        .execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('second', 0)")
        .await
        .unwrap();

    let error = store.place.open().await.unwrap_err();

    assert!(matches!(&error, StoreError::Newer(name) if name == "second"), "{error:?}");
    assert!(error.to_string().contains("newer version of Imagewright"), "{error}");
}
