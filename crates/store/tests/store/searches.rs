//! What people type is looked for as it stands, whatever it means to a database.

use imagewright_store::Page;
use imagewright_store::groups::{Group, GroupFilter};
use imagewright_store::users::{User, UserFilter};

use crate::support::rows::{group, user};
use crate::support::{TestStore, on_both_databases};

on_both_databases!(case_is_folded_in_every_script, wildcards_are_text, fields_are_searched_apart);

async fn found(store: &TestStore, keyword: &str) -> Vec<String> {
    let filter = GroupFilter { search: Some(keyword.to_owned()), ..GroupFilter::default() };
    let groups = store.read().groups(&filter, Page::ALL).await.unwrap();
    groups.rows.into_iter().map(|group| group.display_name).collect()
}

async fn with_groups(store: &TestStore, display_names: &[&str]) {
    store
        .change(async |writer| {
            for (number, display_name) in display_names.iter().enumerate() {
                let name = format!("n{number}");
                writer
                    .insert_group(&Group { display_name: (*display_name).to_owned(), ..group(&name) })
                    .await?;
            }
            Ok(())
        })
        .await;
}

async fn case_is_folded_in_every_script(store: &TestStore) {
    with_groups(store, &["Größe", "ΟΔΥΣΣΕΥΣ ΣΟΦΟΣ", "ЖУРНАЛ", "Ǆungla", "straße", "画像"]).await;

    for (keyword, expected) in [
        ("GRÖ", "Größe"),
        ("größe", "Größe"),
        ("οδυσσευς", "ΟΔΥΣΣΕΥΣ ΣΟΦΟΣ"),
        ("ΟΔΥΣΣΕΥΣ", "ΟΔΥΣΣΕΥΣ ΣΟΦΟΣ"),
        // At the end of a keyword, and in the middle of the word.
        ("ΟΔΥΣ", "ΟΔΥΣΣΕΥΣ ΣΟΦΟΣ"),
        ("οδυς", "ΟΔΥΣΣΕΥΣ ΣΟΦΟΣ"),
        ("σοφοσ", "ΟΔΥΣΣΕΥΣ ΣΟΦΟΣ"),
        ("журнал", "ЖУРНАЛ"),
        ("ǆUNGLA", "Ǆungla"),
        ("STRAẞE", "straße"),
        ("画", "画像"),
        ("  画像 ", "画像"),
    ] {
        assert_eq!(found(store, keyword).await, [expected], "{keyword}");
    }
    assert!(found(store, "groesse").await.is_empty());
    assert_eq!(found(store, "").await.len(), 6);
}

async fn wildcards_are_text(store: &TestStore) {
    with_groups(store, &["100% of it", "a_b", "back\\slash", "what? [it] *", "it's \"so\"; --", "aXb"]).await;

    for (keyword, expected) in [
        ("%", "100% of it"),
        ("0% O", "100% of it"),
        ("_", "a_b"),
        ("A_B", "a_b"),
        ("\\", "back\\slash"),
        ("k\\S", "back\\slash"),
        ("?", "what? [it] *"),
        ("[IT]", "what? [it] *"),
        ("*", "what? [it] *"),
        ("'S \"", "it's \"so\"; --"),
        ("; --", "it's \"so\"; --"),
    ] {
        assert_eq!(found(store, keyword).await, [expected], "{keyword}");
    }
    for nowhere in ["%%", "a%b", "\\%", "\\\\", "100_", "?*", "\0", "b\0"] {
        assert!(found(store, nowhere).await.is_empty(), "{nowhere:?}");
    }
    // Longer than the pattern of any database may be.
    assert!(found(store, &"%a".repeat(100_000)).await.is_empty());
}

async fn fields_are_searched_apart(store: &TestStore) {
    let alice = User {
        first_name: "Alice".to_owned(),
        last_name: "Zuse".to_owned(),
        email: Some("az@example.org".to_owned()),
        ..user("konrad")
    };
    store.change(async |writer| writer.insert_user(&alice).await).await;
    let is_found = async |keyword: &str| {
        let filter = UserFilter { search: Some(keyword.to_owned()), ..UserFilter::default() };
        store.read().users(&filter, Page::ALL).await.unwrap().total == 1
    };

    for keyword in ["KONRAD", "alice", "ZUSE", "AZ@"] {
        assert!(is_found(keyword).await, "{keyword}");
    }
    for keyword in ["alicezuse", "alice zuse", "konradaz", "user-konrad"] {
        assert!(!is_found(keyword).await, "{keyword}");
    }
}
