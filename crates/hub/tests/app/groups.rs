//! Groups and their members.

use imagewright_hub::access::Actor;
use imagewright_hub::app::groups::{GroupChange, NewGroup};
use imagewright_hub::error::Kind;
use serde_json::{Map, json};

use crate::support::{TestHub, kind};

#[tokio::test]
async fn an_admin_of_a_group_changes_who_is_in_it_and_nothing_else() {
    let test = TestHub::new().await;
    let ann = test.actor("ann").await;
    let nora = test.hub.user_by_name(&ann, "nora").await.unwrap().id;
    let change = || GroupChange { connect: vec![nora.clone()], ..GroupChange::default() };
    test.hub.update_group(&ann, &test.data, change()).await.unwrap();
    let names: Vec<String> =
        test.hub.members(&ann, &test.data).await.unwrap().into_iter().map(|m| m.user.username).collect();
    assert_eq!(names, ["ann", "max", "nora"]);

    let admins =
        GroupChange { admins: Some(vec!["ann".into(), "nora".into(), "otto".into()]), ..Default::default() };
    test.hub.update_group(&ann, &test.data, admins).await.unwrap();
    let members = test.hub.members(&ann, &test.data).await.unwrap();
    let admins: Vec<&str> =
        members.iter().filter(|member| member.is_admin).map(|member| member.user.username.as_str()).collect();
    assert_eq!(admins, ["ann", "nora"], "otto is not in the group");

    let quota = Map::from_iter([("quotaGpu".to_owned(), json!(8))]);
    let quota = GroupChange { attributes: quota, ..GroupChange::default() };
    assert_eq!(kind(test.hub.update_group(&ann, &test.data, quota).await), Kind::NotAllowed);
    assert_eq!(kind(test.hub.update_group(&ann, &test.other, change()).await), Kind::NotFound);
    assert_eq!(
        kind(test.hub.update_group(&test.actor("max").await, &test.data, change()).await),
        Kind::NotAllowed
    );
    assert_eq!(kind(test.hub.group(&test.actor("otto").await, &test.data).await), Kind::NotFound);
}

#[tokio::test]
async fn a_group_that_owns_images_is_not_deleted_and_they_are_named() {
    let test = TestHub::new().await;
    let root = test.actor("root").await;
    test.add_image("mine", Some(&test.data), false).await;
    let error = test.hub.delete_group(&root, &test.data).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::InUse, "The group data owns images: mine"));
    test.hub.delete_image(&root, "mine").await.unwrap();
    test.hub.delete_group(&root, &test.data).await.unwrap();
    assert_eq!(kind(test.hub.group(&root, &test.data).await), Kind::NotFound);
}

#[tokio::test]
async fn names_that_people_confuse_are_the_same() {
    let test = TestHub::new().await;
    let new = |name: &str| NewGroup { name: name.to_owned(), ..NewGroup::default() };
    test.hub.create_group(&Actor::Machine, new("deep-learning")).await.unwrap();
    for taken in ["Deep-Learning", "deep_learning", "everyone", "EveryOne"] {
        assert_eq!(kind(test.hub.create_group(&Actor::Machine, new(taken)).await), Kind::Conflict, "{taken}");
    }
    for bad in ["", "-a", "a b", "a/b"] {
        assert_eq!(kind(test.hub.create_group(&Actor::Machine, new(bad)).await), Kind::Invalid, "{bad}");
    }
}

#[tokio::test]
async fn everyone_is_in_the_group_everyone_which_stays() {
    let test = TestHub::new().await;
    let nora = test.actor("nora").await;
    assert_eq!(test.hub.group(&nora, &test.everyone).await.unwrap().name, "everyone");
    assert!(test.hub.members(&nora, &test.everyone).await.unwrap().is_empty(), "others are not shown to her");
    let root = test.actor("root").await;
    assert_eq!(test.hub.members(&root, &test.everyone).await.unwrap().len(), 6);
    assert_eq!(kind(test.hub.delete_group(&root, &test.everyone).await), Kind::InUse);
}
