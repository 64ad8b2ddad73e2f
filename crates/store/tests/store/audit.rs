use imagewright_store::Page;
use imagewright_store::audit::{AuditEntry, AuditFilter};
use serde_json::json;

use crate::support::rows::{at, entry, group_id};
use crate::support::{TestStore, on_both_databases};

on_both_databases!(
    entries_are_listed_newest_first,
    entries_are_found_by_what_they_say,
    the_database_refuses_to_change_or_shorten_the_audit,
);

async fn add(store: &TestStore, entries: &[AuditEntry]) {
    store
        .change(async |writer| {
            for entry in entries {
                writer.add_audit(entry).await?;
            }
            Ok(())
        })
        .await;
}

async fn listed(store: &TestStore, filter: AuditFilter) -> Vec<AuditEntry> {
    let found = store.read().audit(&filter, Page::ALL).await.unwrap();
    assert_eq!(found.total, found.rows.len() as u64);
    found.rows
}

async fn entries_are_listed_newest_first(store: &TestStore) {
    let nobody = AuditEntry {
        actor: None,
        actor_name: String::new(),
        group: Some(group_id("red")),
        address: None,
        detail: json!(null),
        // Clocks go wrong; the order is that of writing.
        at: at(-5),
        ..entry("image.delete")
    };
    add(store, &[entry("image.create"), nobody.clone()]).await;

    let found = listed(store, AuditFilter::default()).await;

    assert!(found[0].id > found[1].id);
    let ids = [found[0].id, found[1].id];
    assert_eq!(
        found,
        [AuditEntry { id: ids[0], ..nobody }, AuditEntry { id: ids[1], ..entry("image.create") }]
    );
    let second = store.read().audit(&AuditFilter::default(), Page::numbered(2, 1)).await.unwrap();
    assert_eq!((second.total, &second.rows[..]), (2, &found[1..]));
    let past = store.read().audit(&AuditFilter::default(), Page::numbered(3, 1)).await.unwrap();
    assert_eq!((past.total, past.rows.len()), (2, 0));
}

async fn entries_are_found_by_what_they_say(store: &TestStore) {
    add(
        store,
        &[
            entry("plain"),
            AuditEntry { actor_name: "bob".to_owned(), ..entry("by bob") },
            AuditEntry { object_kind: "group".to_owned(), ..entry("of a group") },
            AuditEntry { object: "other".to_owned(), ..entry("of another") },
            AuditEntry { at: at(10), ..entry("later") },
        ],
    )
    .await;
    let actions = async |filter: AuditFilter| {
        listed(store, filter).await.into_iter().map(|entry| entry.action).collect::<Vec<_>>()
    };
    let text = |text: &str| Some(text.to_owned());
    let all = AuditFilter::default();

    assert_eq!(actions(AuditFilter { actor_name: text("bob"), ..all.clone() }).await, ["by bob"]);
    assert_eq!(actions(AuditFilter { action: text("plain"), ..all.clone() }).await, ["plain"]);
    assert_eq!(actions(AuditFilter { object_kind: text("group"), ..all.clone() }).await, ["of a group"]);
    assert_eq!(actions(AuditFilter { object: text("other"), ..all.clone() }).await, ["of another"]);
    assert_eq!(actions(AuditFilter { since: Some(at(10)), ..all.clone() }).await, ["later"]);
    assert_eq!(
        actions(AuditFilter { since: Some(at(0)), until: Some(at(10)), ..all.clone() }).await.len(),
        4
    );
    assert!(actions(AuditFilter { until: Some(at(0)), ..all.clone() }).await.is_empty());
    let narrow = AuditFilter { actor_name: text("alice"), object: text("base"), since: Some(at(1)), ..all };
    assert_eq!(actions(narrow.clone()).await, ["later"]);
    assert!(actions(AuditFilter { action: text("plain"), ..narrow }).await.is_empty());
}

async fn the_database_refuses_to_change_or_shorten_the_audit(store: &TestStore) {
    add(store, &[entry("first"), entry("second")]).await;
    let before = listed(store, AuditFilter::default()).await;
    let columns = "at, actor_name, action, object_kind, object_id, detail";
    let mut statements = vec![
        "UPDATE audit SET actor_name = 'mallory'".to_owned(),
        "UPDATE audit SET detail = '{}' WHERE action = 'first'".to_owned(),
        "DELETE FROM audit".to_owned(),
        format!("DELETE FROM audit WHERE id = {}", before[0].id),
    ];
    let values = format!("({}, 0, 'mallory', 'none', 'image', 'base', '{{}}')", before[0].id);
    if store.place.is_postgresql() {
        statements.push("TRUNCATE audit".to_owned());
        statements.push(format!("INSERT INTO audit (id, {columns}) VALUES {values}"));
        statements.push(format!(
            "INSERT INTO audit (id, {columns}) OVERRIDING SYSTEM VALUE VALUES {values}
             ON CONFLICT (id) DO UPDATE SET actor_name = 'mallory'"
        ));
    } else {
        statements.push(format!("REPLACE INTO audit (id, {columns}) VALUES {values}"));
        statements
            .push(format!("UPDATE OR REPLACE audit SET id = {} WHERE id = {}", before[0].id, before[1].id));
        statements.push(format!(
            "INSERT INTO audit (id, {columns}) VALUES {values} ON CONFLICT (id) DO UPDATE SET actor_name = 'mallory'"
        ));
    }

    for statement in statements {
        let error = store.place.execute(&statement).await.expect_err(&statement);
        let is_meant = error.contains("append-only") || error.contains("cannot insert a non-DEFAULT value");
        assert!(is_meant, "{statement}: {error}");
        assert_eq!(listed(store, AuditFilter::default()).await, before, "{statement}");
    }
    add(store, &[entry("third")]).await;
    assert_eq!(listed(store, AuditFilter::default()).await.len(), 3);
}
