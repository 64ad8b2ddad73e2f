use std::slice;

use imagewright_store::images::Image;
use imagewright_store::secrets::{Secret, SecretFilter, SecretKind};
use imagewright_store::specs::CustomSpec;
use imagewright_store::{Page, StoreError};

use crate::support::rows::{at, custom, group, group_id, image, secret, secret_id, spec};
use crate::support::{TestStore, on_both_databases};

on_both_databases!(
    a_secret_is_read_as_it_was_written,
    secrets_are_offered_to_all_or_to_chosen_groups,
    a_secret_in_use_stays,
    a_password_is_sealed_anew_unless_it_has_changed,
);

fn opaque() -> Secret {
    Secret {
        kind: SecretKind::Opaque,
        registry_host: None,
        username: None,
        is_offered_to_all: false,
        created_at: at(1),
        updated_at: at(2),
        ..secret("opaque")
    }
}

async fn a_secret_is_read_as_it_was_written(store: &TestStore) {
    store
        .change(async |writer| {
            writer.insert_secret(&opaque()).await?;
            writer.insert_secret(&secret("pull")).await
        })
        .await;

    let reader = store.read();
    assert_eq!(reader.secret(&secret_id("opaque")).await.unwrap(), Some(opaque()));
    assert_eq!(reader.secret(&secret_id("none")).await.unwrap(), None);
    for twin in [secret("pull"), Secret { id: secret_id("other"), ..secret("pull") }] {
        let error = store.refused(async |writer| writer.insert_secret(&twin).await).await;
        assert!(matches!(error, StoreError::Taken), "{error:?}");
    }

    let changed =
        Secret { registry_host: Some("other.example".to_owned()), is_offered_to_all: true, ..opaque() };
    let is_there = store
        .change(async |writer| {
            Ok((writer.update_secret(&changed).await?, writer.update_secret(&secret("none")).await?))
        })
        .await;
    assert_eq!(is_there, (true, false));
    assert_eq!(reader.secret(&secret_id("opaque")).await.unwrap(), Some(changed));
    assert_eq!(reader.secret(&secret_id("pull")).await.unwrap(), Some(secret("pull")));
}

async fn secrets_are_offered_to_all_or_to_chosen_groups(store: &TestStore) {
    let [red, blue, green] = ["red", "blue", "green"].map(group_id);
    store
        .change(async |writer| {
            for name in ["red", "blue", "green"] {
                writer.insert_group(&group(name)).await?;
            }
            writer.insert_secret(&secret("all")).await?;
            for name in ["chosen", "nobody", "opaque"] {
                writer.insert_secret(&Secret { is_offered_to_all: false, ..secret(name) }).await?;
            }
            writer.update_secret(&opaque()).await?;
            writer.set_secret_groups(&secret_id("opaque"), slice::from_ref(&green)).await?;
            writer.set_secret_groups(&secret_id("chosen"), slice::from_ref(&green)).await?;
            // In place of the last; who is named twice is meant once.
            writer.set_secret_groups(&secret_id("chosen"), &[red.clone(), blue.clone(), red.clone()]).await
        })
        .await;
    let names = async |kind: Option<SecretKind>, offered_to: Option<Vec<_>>| {
        let found = store.read().secrets(&SecretFilter { kind, offered_to }, Page::ALL).await.unwrap();
        assert_eq!(found.total, found.rows.len() as u64);
        found.rows.into_iter().map(|secret| secret.name).collect::<Vec<_>>()
    };

    assert_eq!(names(None, None).await, ["all", "chosen", "nobody", "opaque"]);
    assert_eq!(names(Some(SecretKind::Opaque), None).await, ["opaque"]);
    assert_eq!(names(None, Some(vec![red.clone()])).await, ["all", "chosen"]);
    assert_eq!(names(None, Some(vec![green.clone()])).await, ["all", "opaque"]);
    assert_eq!(names(Some(SecretKind::Pull), Some(vec![green])).await, ["all"]);
    assert_eq!(names(None, Some(vec![red.clone(), blue.clone()])).await, ["all", "chosen"]);
    assert_eq!(names(None, Some(Vec::new())).await, ["all"]);
    assert_eq!(store.read().secret_groups(&secret_id("chosen")).await.unwrap(), [blue, red]);

    store.change(async |writer| writer.set_secret_groups(&secret_id("chosen"), &[]).await).await;
    assert!(store.read().secret_groups(&secret_id("chosen")).await.unwrap().is_empty());
    let error = store
        .refused(async |writer| writer.set_secret_groups(&secret_id("chosen"), &[group_id("none")]).await);
    let error = error.await;
    assert!(matches!(error, StoreError::Referred), "{error:?}");
}

async fn a_secret_in_use_stays(store: &TestStore) {
    let pulled = Image { pull_secret: Some(secret_id("image")), ..image("pulled") };
    let built = Image { source: custom(Some(secret_id("base"))), ..image("built") };
    let spec = CustomSpec { pull_secret: Some(secret_id("spec")), ..spec("spec") };
    store
        .change(async |writer| {
            for name in ["image", "base", "spec", "unused"] {
                writer.insert_secret(&secret(name)).await?;
            }
            writer.insert_image(&pulled).await?;
            writer.insert_image(&built).await?;
            writer.insert_spec(&spec).await
        })
        .await;

    for name in ["image", "base", "spec"] {
        let error = store.refused(async |writer| writer.delete_secret(&secret_id(name)).await).await;
        assert!(matches!(error, StoreError::Referred), "{name}: {error:?}");
    }
    let reader = store.read();
    assert_eq!(reader.images_with_secret(&secret_id("image")).await.unwrap(), slice::from_ref(&pulled));
    assert_eq!(reader.images_with_secret(&secret_id("base")).await.unwrap(), slice::from_ref(&built));
    assert_eq!(reader.specs_with_secret(&secret_id("spec")).await.unwrap(), slice::from_ref(&spec));
    assert!(reader.images_with_secret(&secret_id("spec")).await.unwrap().is_empty());
    assert!(reader.specs_with_secret(&secret_id("base")).await.unwrap().is_empty());

    let deleted = store
        .change(async |writer| {
            let unused = writer.delete_secret(&secret_id("unused")).await?;
            writer.delete_image(&pulled.name).await?;
            writer.update_image(&Image { source: custom(None), ..built }).await?;
            writer.delete_spec(&spec.name).await?;
            let mut deleted = vec![unused];
            for name in ["image", "base", "spec", "unused"] {
                deleted.push(writer.delete_secret(&secret_id(name)).await?);
            }
            Ok(deleted)
        })
        .await;
    assert_eq!(deleted, [true, true, true, true, false]);
}

async fn a_password_is_sealed_anew_unless_it_has_changed(store: &TestStore) {
    store
        .change(async |writer| {
            writer.insert_secret(&secret("pull")).await?;
            writer.insert_secret(&secret("other")).await
        })
        .await;
    let id = secret_id("pull");

    let outcomes = store
        .change(async |writer| {
            Ok((
                writer.reseal_secret(&id, "what it is not", "new").await?,
                writer.reseal_secret(&id, "sealed pull", "new").await?,
                writer.reseal_secret(&id, "sealed pull", "newer").await?,
                writer.reseal_secret(&secret_id("none"), "sealed pull", "new").await?,
            ))
        })
        .await;

    assert_eq!(outcomes, (false, true, false, false));
    let reader = store.read();
    assert_eq!(
        reader.secret(&id).await.unwrap(),
        Some(Secret { sealed: "new".to_owned(), ..secret("pull") })
    );
    assert_eq!(reader.secret(&secret_id("other")).await.unwrap(), Some(secret("other")));
}
