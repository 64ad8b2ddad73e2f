//! Images: who sees, makes, changes and shares them.

use imagewright_hub::app::Change;
use imagewright_hub::app::images::{ImageChange, NewImage, NewSource};
use imagewright_hub::error::Kind;
use imagewright_spec::ImageKind;
use imagewright_store::Page;
use imagewright_store::images::{Image, ImageQuery};

use crate::support::{TestHub, custom, existing, kind};

async fn seen_by(test: &TestHub, name: &str) -> Vec<String> {
    let actor = test.actor(name).await;
    let images = test.hub.images(&actor, ImageQuery::default(), Page::ALL).await.unwrap();
    images.rows.into_iter().map(|listed| listed.image.name.to_string()).collect()
}

#[tokio::test]
async fn people_see_what_their_groups_may_use() {
    let test = TestHub::new().await;
    test.add_image("of-data", Some(&test.data), false).await;
    test.add_image("global", None, true).await;
    test.add_image("hidden", None, false).await;
    let root = test.actor("root").await;
    let shared = NewImage { shared_with: vec![test.other.clone()], ..existing("shared") };
    test.hub.create_image(&root, shared).await.unwrap();

    assert_eq!(seen_by(&test, "max").await, ["global", "of-data"]);
    assert_eq!(seen_by(&test, "olga").await, ["global", "shared"]);
    assert_eq!(seen_by(&test, "nora").await, ["global"]);
    assert_eq!(seen_by(&test, "root").await, ["global", "hidden", "of-data", "shared"]);
    let nobody = test.actor("nobody").await;
    let listed = test.hub.images(&nobody, ImageQuery::default(), Page::ALL).await;
    assert_eq!(kind(listed), Kind::NotAuthenticated);
    // What is not theirs is as if it did not exist.
    for hidden in ["of-data", "hidden", "no-such-image", "No Such Name"] {
        let error = test.hub.image(&test.actor("olga").await, hidden).await.unwrap_err();
        assert_eq!(error.message(), format!("images.primehub.io \"{hidden}\" not found"));
    }
    assert_eq!(kind(test.hub.image(&nobody, "no-such-image").await), Kind::NotAuthenticated);
}

#[tokio::test]
async fn an_admin_of_a_group_touches_the_groups_images_only() {
    let test = TestHub::new().await;
    let ann = test.actor("ann").await;
    test.add_image("of-other", Some(&test.other), false).await;
    test.add_image("global", None, true).await;
    let new = NewImage { group: Some(test.data.clone()), ..existing("mine") };
    test.hub.create_image(&ann, new.clone()).await.unwrap();

    let change = || ImageChange { description: Some("x".to_owned()), ..ImageChange::default() };
    test.hub.update_image(&ann, "mine", change()).await.unwrap();
    assert_eq!(kind(test.hub.update_image(&ann, "of-other", change()).await), Kind::NotFound);
    assert_eq!(kind(test.hub.update_image(&ann, "global", change()).await), Kind::NotAllowed);
    assert_eq!(kind(test.hub.delete_image(&ann, "global").await), Kind::NotAllowed);
    assert_eq!(kind(test.hub.delete_image(&ann, "of-other").await), Kind::NotFound);

    // Not for all, not for others, not somebody else's.
    for refused in [
        ImageChange { is_global: Some(true), ..ImageChange::default() },
        ImageChange { connect: vec![test.other.clone()], ..ImageChange::default() },
        ImageChange { connect: vec![test.everyone.clone()], ..ImageChange::default() },
        ImageChange { group: Change::Set(test.other.clone()), ..ImageChange::default() },
        ImageChange { group: Change::Clear, ..ImageChange::default() },
    ] {
        assert_eq!(kind(test.hub.update_image(&ann, "mine", refused).await), Kind::NotAllowed);
    }
    for refused in [
        NewImage { is_global: true, ..new.clone() },
        NewImage { shared_with: vec![test.other.clone()], ..new.clone() },
        existing("system"),
    ] {
        let refused = NewImage { name: None, ..refused };
        assert_eq!(kind(test.hub.create_image(&ann, refused).await), Kind::NotAllowed);
    }
    let foreign = NewImage { group: Some(test.other.clone()), ..existing("foreign") };
    assert_eq!(kind(test.hub.create_image(&ann, foreign).await), Kind::NotFound);
    let as_member = NewImage { name: None, ..new };
    assert_eq!(kind(test.hub.create_image(&test.actor("max").await, as_member).await), Kind::NotAllowed);
    test.hub.delete_image(&ann, "mine").await.unwrap();
}

#[tokio::test]
async fn a_name_is_made_from_the_one_that_is_shown_and_is_there_once() {
    let test = TestHub::new().await;
    let root = test.actor("root").await;
    let unnamed = NewImage { name: None, display_name: Some("My Image 2.0".to_owned()), ..existing("x") };
    let made = test.hub.create_image(&root, unnamed.clone()).await.unwrap().image;
    assert!(made.name.as_str().starts_with("my-image-2-0-"), "{}", made.name);
    let again = test.hub.create_image(&root, unnamed.clone()).await.unwrap().image;
    assert_ne!(made.name, again.name);
    test.hub.create_image(&root, existing("x")).await.unwrap();
    let taken = test.hub.create_image(&root, existing("x")).await.unwrap_err();
    assert_eq!((taken.kind(), taken.message().contains("Resource already exist")), (Kind::Conflict, true));
    let strict = NewImage { is_display_name_strict: true, ..unnamed };
    let error = test.hub.create_image(&root, strict).await.unwrap_err();
    assert_eq!(error.problems()[0].field, "displayName");
    assert_eq!(kind(test.hub.create_image(&root, existing("Bad Name")).await), Kind::Invalid);
}

async fn changed(test: &TestHub, name: &str, change: ImageChange) -> Image {
    test.hub.update_image(&test.actor("root").await, name, change).await.unwrap().image
}

#[tokio::test]
async fn the_address_for_gpu_follows_unless_it_is_its_own() {
    let test = TestHub::new().await;
    test.add_image("x", None, true).await;
    let url = |text: &str| ImageChange { url: Some(text.to_owned()), ..ImageChange::default() };
    let on_gpu = |image: &Image| image.url_on(true).unwrap().to_string();

    assert_eq!(on_gpu(&changed(&test, "x", url("registry.example/a:1")).await), "registry.example/a:1");
    // A client that sends back what it has read changes one address, not two.
    let sent_back = ImageChange {
        url_for_gpu: Change::Set("registry.example/a:1".to_owned()),
        ..url("registry.example/b:1")
    };
    assert_eq!(on_gpu(&changed(&test, "x", sent_back).await), "registry.example/b:1");
    let own =
        ImageChange { url_for_gpu: Change::Set("registry.example/g:1".to_owned()), ..ImageChange::default() };
    let image = changed(&test, "x", own).await;
    assert_eq!(
        (on_gpu(&image), image.url_on(false).unwrap().to_string().as_str()),
        ("registry.example/g:1".to_owned(), "registry.example/b:1")
    );
    // The type alone changes no address of a universal image, and others have one address.
    let as_cpu = ImageChange { kind: Some(ImageKind::Cpu), ..ImageChange::default() };
    assert_eq!(on_gpu(&changed(&test, "x", as_cpu).await), "registry.example/b:1");
    assert_eq!(
        kind(test.hub.update_image(&test.actor("root").await, "x", url("not a reference")).await),
        Kind::Invalid
    );
}

#[tokio::test]
async fn what_is_not_said_stays_when_an_image_is_shared() {
    let test = TestHub::new().await;
    test.add_image("x", None, false).await;
    let connect = ImageChange { connect: vec![test.data.clone()], ..ImageChange::default() };
    let before = changed(&test, "x", connect.clone()).await;
    let after = changed(&test, "x", connect).await;
    assert_eq!((before.url, before.is_global, before.group), (after.url, after.is_global, after.group));
    assert_eq!(seen_by(&test, "max").await, ["x"]);
    // Everyone's group is what makes it global; the list of groups is kept.
    let everyone = ImageChange { connect: vec![test.everyone.clone()], ..ImageChange::default() };
    assert!(changed(&test, "x", everyone).await.is_global);
    assert_eq!(seen_by(&test, "nora").await, ["x"]);
    let everyone = ImageChange { disconnect: vec![test.everyone.clone()], ..ImageChange::default() };
    assert!(!changed(&test, "x", everyone).await.is_global);
    assert_eq!((seen_by(&test, "nora").await.len(), seen_by(&test, "max").await.len()), (0, 1));
    let none = ImageChange { disconnect: vec![test.data.clone()], ..ImageChange::default() };
    changed(&test, "x", none).await;
    assert!(seen_by(&test, "max").await.is_empty());
}

#[tokio::test]
async fn nothing_of_an_image_is_made_when_a_part_is_wrong() {
    let test = TestHub::new().await;
    let root = test.actor("root").await;
    let mut new = custom("x", None);
    let NewSource::Custom(recipe) = &mut new.source else { panic!("a custom image") };
    recipe.pull_secret = Some("image-none".to_owned().into());
    assert_eq!(kind(test.hub.create_image(&root, new).await), Kind::Invalid);
    assert_eq!(kind(test.hub.image(&root, "x").await), Kind::NotFound);
    assert!(test.hub.queue(&root).await.unwrap().1.is_empty());
    let shared = NewImage { shared_with: vec!["no-group".to_owned().into()], ..existing("x") };
    assert_eq!(kind(test.hub.create_image(&root, shared).await), Kind::NotFound);
    assert_eq!(kind(test.hub.image(&root, "x").await), Kind::NotFound);
}
