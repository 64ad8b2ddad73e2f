use imagewright_store::groups::{Group, GroupFilter};
use imagewright_store::images::Image;
use imagewright_store::{Page, StoreError};
use serde_json::json;

use crate::support::rows::{at, group, group_id, image, secret, secret_id, user, user_id};
use crate::support::{TestStore, on_both_databases};

on_both_databases!(
    a_group_is_read_as_it_was_written,
    names_that_people_confuse_are_one,
    lists_are_narrowed,
    members_come_and_go,
    a_group_may_have_more_members_than_a_query_has_variables,
    a_group_that_owns_images_stays,
    a_group_goes_with_all_that_names_it,
);

fn described() -> Group {
    Group {
        display_name: "Grün & \"Blau\"".to_owned(),
        attributes: json!({ "quotaGpu": 2, "quotaCpu": null }),
        created_at: at(1),
        updated_at: at(2),
        ..group("Phys_Lab")
    }
}

async fn with_groups(store: &TestStore, names: &[&str]) {
    store
        .change(async |writer| {
            for name in names {
                writer.insert_group(&group(name)).await?;
            }
            Ok(())
        })
        .await;
}

async fn a_group_is_read_as_it_was_written(store: &TestStore) {
    store.change(async |writer| writer.insert_group(&described()).await).await;

    let reader = store.read();
    assert_eq!(reader.group(&group_id("Phys_Lab")).await.unwrap(), Some(described()));
    assert_eq!(reader.group_by_name("Phys_Lab").await.unwrap(), Some(described()));
    // What people confuse is refused when it is made, and not taken for the other when it is asked for.
    assert_eq!(reader.group_by_name("phys-lab").await.unwrap(), None);

    let changed = Group { display_name: "Physics".to_owned(), attributes: json!({}), ..described() };
    let is_there = store
        .change(async |writer| {
            Ok((writer.update_group(&changed).await?, writer.update_group(&group("other")).await?))
        })
        .await;
    assert_eq!(is_there, (true, false));
    assert_eq!(reader.group(&group_id("Phys_Lab")).await.unwrap(), Some(changed));
}

async fn names_that_people_confuse_are_one(store: &TestStore) {
    store.change(async |writer| writer.insert_group(&described()).await).await;

    for name in ["Phys_Lab", "phys-lab", "PHYS_LAB"] {
        let twin = Group { id: group_id("twin"), ..group(name) };
        let error = store.refused(async |writer| writer.insert_group(&twin).await).await;
        assert!(matches!(error, StoreError::Taken), "{name}: {error:?}");
    }
    with_groups(store, &["phys.lab", "physlab"]).await;
}

async fn lists_are_narrowed(store: &TestStore) {
    with_groups(store, &["blue", "Red", "dark-blue"]).await;
    let names = async |filter: GroupFilter| {
        let found = store.read().groups(&filter, Page::ALL).await.unwrap();
        assert_eq!(found.total, found.rows.len() as u64);
        found.rows.into_iter().map(|group| group.name).collect::<Vec<_>>()
    };
    let all = GroupFilter::default();

    // Byte by byte, on either database.
    assert_eq!(names(all.clone()).await, ["Red", "blue", "dark-blue"]);
    assert_eq!(names(GroupFilter { search: Some("RED".into()), ..all.clone() }).await, ["Red"]);
    assert_eq!(
        names(GroupFilter { name_contains: Some("blue".into()), ..all.clone() }).await,
        ["blue", "dark-blue"]
    );
    assert!(names(GroupFilter { name_contains: Some("BLUE".into()), ..all.clone() }).await.is_empty());
    let ids = Some(vec![group_id("blue"), group_id("none")]);
    assert_eq!(names(GroupFilter { ids: ids.clone(), ..all.clone() }).await, ["blue"]);
    assert!(names(GroupFilter { ids, search: Some("red".into()), ..all.clone() }).await.is_empty());
    assert!(names(GroupFilter { ids: Some(Vec::new()), ..all }).await.is_empty());
}

async fn members_come_and_go(store: &TestStore) {
    with_groups(store, &["red", "blue"]).await;
    store
        .change(async |writer| {
            for name in ["bob", "alice"] {
                writer.insert_user(&user(name)).await?;
                writer.set_member(&group_id("red"), &user_id(name), false).await?;
            }
            writer.set_member(&group_id("blue"), &user_id("alice"), false).await?;
            writer.set_member(&group_id("red"), &user_id("alice"), true).await?;
            writer.set_member(&group_id("red"), &user_id("alice"), true).await
        })
        .await;
    let members = async |group: &str| {
        let members = store.read().members(&group_id(group)).await.unwrap();
        members.into_iter().map(|member| (member.user.username, member.is_admin)).collect::<Vec<_>>()
    };

    assert_eq!(members("red").await, [("alice".to_owned(), true), ("bob".to_owned(), false)]);
    assert_eq!(members("blue").await, [("alice".to_owned(), false)]);
    let of_alice = store.read().groups_of(&user_id("alice")).await.unwrap();
    assert_eq!(of_alice, [(group("blue"), false), (group("red"), true)]);
    assert!(store.read().groups_of(&user_id("nobody")).await.unwrap().is_empty());

    let removed = store
        .change(async |writer| {
            let (red, alice) = (group_id("red"), user_id("alice"));
            Ok((writer.remove_member(&red, &alice).await?, writer.remove_member(&red, &alice).await?))
        })
        .await;
    assert_eq!(removed, (true, false));
    assert_eq!(members("red").await, [("bob".to_owned(), false)]);
    assert_eq!(members("blue").await, [("alice".to_owned(), false)]);

    for (group, user) in [("red", "nobody"), ("none", "alice")] {
        let error =
            store.refused(async |writer| writer.set_member(&group_id(group), &user_id(user), false).await);
        let error = error.await;
        assert!(matches!(error, StoreError::Referred), "{group} {user}: {error:?}");
    }
}

async fn a_group_may_have_more_members_than_a_query_has_variables(store: &TestStore) {
    let many = 33_000;
    with_groups(store, &["everyone"]).await;
    store.change(async |writer| writer.insert_user(&user("alice")).await).await;
    store
        .place
        .execute(&format!(
            "INSERT INTO users
                WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {many})
                SELECT 'id' || number, 'name' || number, NULL, first_name, last_name, is_enabled, is_admin, NULL,
                    must_change_password, attributes, search, created_at, updated_at
                FROM numbers, users;
             INSERT INTO members SELECT 'group-everyone', id, is_admin FROM users;"
        ))
        .await
        .unwrap();

    assert_eq!(store.read().members(&group_id("everyone")).await.unwrap().len(), many + 1);
}

async fn a_group_that_owns_images_stays(store: &TestStore) {
    with_groups(store, &["red"]).await;
    let owned = Image { group: Some(group_id("red")), is_global: false, ..image("base") };
    store.change(async |writer| writer.insert_image(&owned).await).await;

    let error = store.refused(async |writer| writer.delete_group(&group_id("red")).await).await;

    assert!(matches!(error, StoreError::Referred), "{error:?}");
    assert_eq!(store.read().group(&group_id("red")).await.unwrap(), Some(group("red")));
    let deleted = store
        .change(async |writer| {
            writer.delete_image(&owned.name).await?;
            writer.delete_group(&group_id("red")).await
        })
        .await;
    assert!(deleted);
}

async fn a_group_goes_with_all_that_names_it(store: &TestStore) {
    with_groups(store, &["red", "blue"]).await;
    let shared = image("base");
    let both = [group_id("blue"), group_id("red")];
    store
        .change(async |writer| {
            writer.insert_user(&user("alice")).await?;
            writer.insert_secret(&secret("pull")).await?;
            writer.insert_image(&shared).await?;
            for group in &both {
                writer.set_member(group, &user_id("alice"), false).await?;
                writer.share_image(&shared.name, group).await?;
            }
            writer.set_secret_groups(&secret_id("pull"), &both).await
        })
        .await;

    let deleted = store
        .change(async |writer| {
            Ok((writer.delete_group(&both[1]).await?, writer.delete_group(&both[1]).await?))
        })
        .await;

    assert_eq!(deleted, (true, false));
    let reader = store.read();
    assert_eq!(reader.groups_of(&user_id("alice")).await.unwrap(), [(group("blue"), false)]);
    assert_eq!(reader.image_groups(&shared.name).await.unwrap(), both[..1]);
    assert_eq!(reader.secret_groups(&secret_id("pull")).await.unwrap(), both[..1]);
}
