use imagewright_store::specs::{CustomSpec, SpecFilter};
use imagewright_store::{BuildId, Page, StoreError};

use crate::support::rows::{at, of_spec, reference, request, secret, secret_id, spec};
use crate::support::{TestStore, on_both_databases};

on_both_databases!(a_spec_is_read_as_it_was_written, specs_are_listed_by_change_or_by_name);

async fn a_spec_is_read_as_it_was_written(store: &TestStore) {
    let full = CustomSpec {
        pull_secret: Some(secret_id("base")),
        url: Some(reference("registry.example/specs/full:0a1b2c3d-1")),
        build: Some(BuildId::new("spec-full-1")),
        created_at: at(1),
        updated_at: at(2),
        ..spec("full")
    };
    store
        .change(async |writer| {
            writer.insert_secret(&secret("base")).await?;
            writer.insert_spec(&spec("full")).await?;
            writer.insert_spec(&spec("plain")).await?;
            writer.enqueue_build(&request(of_spec("full"), 0)).await
        })
        .await;
    let reader = store.read();
    assert_eq!(reader.spec(&full.name).await.unwrap(), Some(spec("full")));

    let is_there = store
        .change(async |writer| {
            Ok((writer.update_spec(&full).await?, writer.update_spec(&spec("none")).await?))
        })
        .await;
    assert_eq!(is_there, (true, false));
    assert_eq!(reader.spec(&full.name).await.unwrap(), Some(full.clone()));
    assert_eq!(reader.spec(&spec("plain").name).await.unwrap(), Some(spec("plain")));

    let error = store.refused(async |writer| writer.insert_spec(&full).await).await;
    assert!(matches!(error, StoreError::Taken), "{error:?}");
    let wrong = CustomSpec { pull_secret: Some(secret_id("none")), ..spec("wrong") };
    let error = store.refused(async |writer| writer.insert_spec(&wrong).await).await;
    assert!(matches!(error, StoreError::Referred), "{error:?}");

    let deleted = store
        .change(async |writer| {
            Ok((writer.delete_spec(&full.name).await?, writer.delete_spec(&full.name).await?))
        })
        .await;
    assert_eq!(deleted, (true, false));
    assert_eq!(reader.spec(&full.name).await.unwrap(), None);
    assert!(reader.build(&BuildId::new("spec-full-1")).await.unwrap().is_some());
}

async fn specs_are_listed_by_change_or_by_name(store: &TestStore) {
    store
        .change(async |writer| {
            for (name, changed) in [("b", 1), ("a", 1), ("torch-2", 0), ("c", 2)] {
                writer.insert_spec(&CustomSpec { updated_at: at(changed), ..spec(name) }).await?;
            }
            Ok(())
        })
        .await;
    let names = async |filter: SpecFilter| {
        let found = store.read().specs(&filter, Page::ALL).await.unwrap();
        assert_eq!(found.total, found.rows.len() as u64);
        found.rows.into_iter().map(|spec| spec.name.to_string()).collect::<Vec<_>>()
    };
    let all = SpecFilter::default();

    assert_eq!(names(all.clone()).await, ["c", "a", "b", "torch-2"]);
    assert_eq!(names(SpecFilter { by_name: true, ..all.clone() }).await, ["a", "b", "c", "torch-2"]);
    let contains = |part: &str| SpecFilter { name_contains: Some(part.to_owned()), ..all.clone() };
    assert_eq!(names(contains("ch-")).await, ["torch-2"]);
    assert!(names(contains("CH-")).await.is_empty());
    assert!(names(contains("_")).await.is_empty());
    assert_eq!(names(SpecFilter { name: Some("a".to_owned()), ..all.clone() }).await, ["a"]);
    assert!(names(SpecFilter { name: Some("a".to_owned()), ..contains("b") }).await.is_empty());
    let second = store.read().specs(&all, Page::numbered(2, 3)).await.unwrap();
    assert_eq!((second.total, second.rows.len()), (4, 1));
    let past = store.read().specs(&all, Page::numbered(3, 3)).await.unwrap();
    assert_eq!((past.total, past.rows.len()), (4, 0));
}
