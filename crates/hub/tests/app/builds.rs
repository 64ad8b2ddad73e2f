//! Custom images and custom image specs: asking for builds.

use imagewright_hub::app::images::{ImageChange, NewSource, RecipeInput};
use imagewright_hub::app::specs::SpecChange;
use imagewright_hub::error::Kind;
use imagewright_spec::ImageKind;
use imagewright_store::Page;
use imagewright_store::builds::BuildStatus;
use imagewright_store::images::ImageQuery;
use imagewright_store::specs::SpecFilter;

use crate::support::{TestHub, custom, kind, recipe};

#[tokio::test]
async fn each_confirmed_request_is_a_build_with_a_number_and_a_tag_of_its_own() {
    let test = TestHub::new().await;
    let ann = test.actor("ann").await;
    let made = test.hub.create_image(&ann, custom("x", Some(&test.data))).await.unwrap();
    let first = made.latest_build.unwrap();
    assert_eq!(
        (first.number, first.status, first.requested_by_name.as_str()),
        (1, BuildStatus::Queued, "ann")
    );
    assert_eq!(first.tag, format!("{}-1", first.spec_hash));
    assert!(!made.image.is_ready());
    // One at a time: the second click changes nothing.
    assert_eq!(kind(test.hub.rebuild_image(&ann, "x", None, None).await), Kind::Conflict);
    test.build_next().await;
    let second = test.hub.rebuild_image(&ann, "x", Some(recipe("polars")), None).await.unwrap();
    assert_eq!(second.latest_build.unwrap().number, 2);
    test.build_next().await;

    // A name that is used again does not begin again.
    test.hub.delete_image(&ann, "x").await.unwrap();
    let again = test.hub.create_image(&ann, custom("x", Some(&test.data))).await.unwrap();
    assert_eq!(again.latest_build.unwrap().number, 3);
    let builds = test.hub.image_builds(&ann, "x", Page::ALL).await.unwrap();
    assert_eq!(builds.total, 1, "those of the image that was deleted are not this one's");
}

#[tokio::test]
async fn only_admins_of_the_group_build_and_see_builds() {
    let test = TestHub::new().await;
    let ann = test.actor("ann").await;
    test.hub.create_image(&ann, custom("x", Some(&test.data))).await.unwrap();
    let id = test.build_next().await.id;
    for (who, expected) in [
        ("max", Kind::NotAllowed),
        ("otto", Kind::NotFound),
        ("nora", Kind::NotFound),
        ("nobody", Kind::NotAuthenticated),
    ] {
        let actor = test.actor(who).await;
        assert_eq!(kind(test.hub.rebuild_image(&actor, "x", None, None).await), expected, "{who}");
        assert_eq!(kind(test.hub.cancel_image_build(&actor, "x").await), expected, "{who}");
        assert_eq!(kind(test.hub.roll_back_image(&actor, "x", 1).await), expected, "{who}");
        assert_eq!(kind(test.hub.image_builds(&actor, "x", Page::ALL).await), expected, "{who}");
        assert_eq!(kind(test.hub.latest_image_build(&actor, "x").await), expected, "{who}");
        assert_eq!(kind(test.hub.build(&actor, &id).await), expected, "{who}");
    }
    test.hub.build(&ann, &id).await.unwrap();
    assert!(test.hub.image(&test.actor("max").await, "x").await.unwrap().latest_build.is_none());
}

#[tokio::test]
async fn cancelling_ends_what_waits_and_nothing_else() {
    let test = TestHub::new().await;
    let ann = test.actor("ann").await;
    test.hub.create_image(&ann, custom("x", Some(&test.data))).await.unwrap();
    let cancelled = test.hub.cancel_image_build(&ann, "x").await.unwrap();
    assert_eq!(cancelled.latest_build.unwrap().status, BuildStatus::Cancelled);
    assert_eq!(kind(test.hub.cancel_image_build(&ann, "x").await), Kind::Conflict);
    test.hub.rebuild_image(&ann, "x", None, None).await.unwrap();
    test.build_next().await;
    assert_eq!(kind(test.hub.cancel_image_build(&ann, "x").await), Kind::Conflict);
    let builds = test.hub.image_builds(&ann, "x", Page::ALL).await.unwrap().rows;
    let statuses: Vec<BuildStatus> = builds.iter().map(|build| build.status).collect();
    assert_eq!(statuses, [BuildStatus::Succeeded, BuildStatus::Cancelled]);
}

#[tokio::test]
async fn going_back_restores_everything_of_a_revision() {
    let test = TestHub::new().await;
    let ann = test.actor("ann").await;
    test.hub.create_image(&ann, custom("x", Some(&test.data))).await.unwrap();
    let first = test.build_next().await.product.unwrap();
    test.hub.rebuild_image(&ann, "x", Some(recipe("polars")), Some(ImageKind::Cpu)).await.unwrap();
    test.build_next().await;
    let back = test.hub.roll_back_image(&ann, "x", 1).await.unwrap().image;
    assert_eq!((back.url, back.kind), (Some(first.url), ImageKind::Universal));
    assert_eq!(kind(test.hub.roll_back_image(&ann, "x", 7).await), Kind::NotFound);
    test.hub.rebuild_image(&ann, "x", None, None).await.unwrap();
    test.hub.cancel_image_build(&ann, "x").await.unwrap();
    assert_eq!(kind(test.hub.roll_back_image(&ann, "x", 3).await), Kind::Invalid);
}

#[tokio::test]
async fn what_comes_from_builds_is_not_typed() {
    let test = TestHub::new().await;
    let ann = test.actor("ann").await;
    test.hub.create_image(&ann, custom("x", Some(&test.data))).await.unwrap();
    let url = ImageChange { url: Some("registry.example/evil:1".to_owned()), ..ImageChange::default() };
    assert_eq!(kind(test.hub.update_image(&ann, "x", url).await), Kind::Invalid);
    let kind_change = ImageChange { kind: Some(ImageKind::Gpu), ..ImageChange::default() };
    assert_eq!(kind(test.hub.update_image(&ann, "x", kind_change).await), Kind::Invalid);
    test.add_image("plain", Some(&test.data), false).await;
    assert_eq!(kind(test.hub.rebuild_image(&ann, "plain", None, None).await), Kind::Invalid);
}

#[tokio::test]
async fn lines_are_checked_before_anything_is_queued() {
    let test = TestHub::new().await;
    let ann = test.actor("ann").await;
    let mut new = custom("x", Some(&test.data));
    new.source = NewSource::Custom(RecipeInput { apt: vec!["curl\n-y".to_owned()], ..recipe("numpy=1.26") });
    let error = test.hub.create_image(&ann, new).await.unwrap_err();
    let places: Vec<_> = error.problems().iter().map(|problem| (problem.field, problem.line)).collect();
    assert_eq!(places, [("imageSpec.packages.apt", Some(2)), ("imageSpec.packages.pip", Some(1))]);
    let here = RecipeInput { base: "127.0.0.1:5000/base:1".to_owned(), ..recipe("pandas") };
    let error = test.hub.check_recipe(&ann, Some(&test.data), ImageKind::Cpu, &here).await.unwrap_err();
    assert!(error.message().contains("loopback"), "{error}");
    let count = test.hub.queue(&test.actor("root").await).await.unwrap().1.len();
    assert_eq!(count, 0);
}

#[tokio::test]
async fn nobody_builds_upon_what_the_hub_has_built_for_others() {
    let test = TestHub::configured(&[("IMAGEWRIGHT_REGISTRY__PREFIX", "registry.example/hub")]).await;
    test.hub.create_image(&test.actor("ann").await, custom("secret", Some(&test.data))).await.unwrap();
    let base = |name: &str| RecipeInput {
        base: format!("registry.example/hub/images/{name}:1"),
        ..recipe("pandas")
    };
    let check = async |who: &str, group, name: &str| {
        let actor = test.actor(who).await;
        test.hub.check_recipe(&actor, Some(group), ImageKind::Cpu, &base(name)).await
    };
    check("ann", &test.data, "secret").await.unwrap();
    let refused = check("otto", &test.other, "secret").await.unwrap_err();
    let unknown = check("otto", &test.other, "nothing").await.unwrap_err();
    assert_eq!(refused.message().replace("secret", "nothing"), unknown.message());
    check("root", &test.other, "secret").await.unwrap();
}

#[tokio::test]
async fn limits_of_the_operator_hold() {
    let test = TestHub::configured(&[
        ("IMAGEWRIGHT_LIMITS__PACKAGES_PER_SPEC", "1"),
        ("IMAGEWRIGHT_LIMITS__QUEUE_PER_GROUP", "1"),
        ("IMAGEWRIGHT_LIMITS__STORAGE_PER_GROUP", "1500"),
    ])
    .await;
    let (ann, otto) = (test.actor("ann").await, test.actor("otto").await);
    let mut two = custom("two", Some(&test.data));
    two.source = NewSource::Custom(recipe("pandas\nnumpy"));
    assert_eq!(kind(test.hub.create_image(&ann, two).await), Kind::Invalid);
    test.hub.create_image(&ann, custom("a", Some(&test.data))).await.unwrap();
    assert_eq!(kind(test.hub.create_image(&ann, custom("b", Some(&test.data))).await), Kind::TooMany);
    assert_eq!(kind(test.hub.image(&ann, "b").await), Kind::NotFound, "both or neither");
    test.hub.create_image(&otto, custom("c", Some(&test.other))).await.unwrap();
    test.build_next().await;
    test.build_next().await;
    test.hub.create_image(&ann, custom("b", Some(&test.data))).await.unwrap();
    test.build_next().await;
    let error = test.hub.create_image(&ann, custom("d", Some(&test.data))).await.unwrap_err();
    assert!(error.message().contains("2000 bytes of the 1500"), "{error}");
}

#[tokio::test]
async fn without_a_builder_everything_else_works() {
    let test = TestHub::configured(&[("IMAGEWRIGHT_BUILDER", "off")]).await;
    let ann = test.actor("ann").await;
    test.add_image("plain", Some(&test.data), false).await;
    let error = test.hub.create_image(&ann, custom("x", Some(&test.data))).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (Kind::Unavailable, "Building images is switched off in this hub")
    );
    assert_eq!(kind(test.hub.image(&ann, "x").await), Kind::NotFound);
}

#[tokio::test]
async fn specs_are_for_admins_and_are_no_images() {
    let test = TestHub::new().await;
    let root = test.actor("root").await;
    let spec = test.hub.create_spec(&root, "base-tools", recipe("pandas")).await.unwrap();
    assert_eq!(spec.latest_build.unwrap().id.as_str(), "spec-base-tools-1");
    assert_eq!(kind(test.hub.create_spec(&root, "base-tools", recipe("x")).await), Kind::Conflict);
    assert_eq!(kind(test.hub.create_spec(&root, "Base Tools", recipe("x")).await), Kind::Invalid);
    let built = test.build_next().await;
    // A change that changes nothing builds nothing; one that does builds.
    let same = SpecChange { pip: Some(vec!["pandas".to_owned()]), ..SpecChange::default() };
    assert_eq!(
        test.hub.update_spec(&root, "base-tools", same).await.unwrap().latest_build.unwrap().number,
        1
    );
    let change =
        SpecChange { pip: Some(Vec::new()), apt: Some(vec!["curl".to_owned()]), ..SpecChange::default() };
    let changed = test.hub.update_spec(&root, "base-tools", change).await.unwrap();
    assert_eq!((changed.latest_build.unwrap().number, changed.spec.recipe.pip.len()), (2, 0));
    let none = SpecChange { apt: Some(Vec::new()), ..SpecChange::default() };
    assert_eq!(kind(test.hub.update_spec(&root, "base-tools", none).await), Kind::Invalid);

    let images = test.hub.images(&root, ImageQuery::default(), Page::ALL).await.unwrap();
    assert_eq!(images.total, 0);
    for who in ["ann", "max"] {
        let actor = test.actor(who).await;
        assert_eq!(kind(test.hub.specs(&actor, &SpecFilter::default(), Page::ALL).await), Kind::NotAllowed);
        assert_eq!(kind(test.hub.create_spec(&actor, "y", recipe("x")).await), Kind::NotAllowed);
        assert_eq!(kind(test.hub.delete_spec(&actor, "base-tools").await), Kind::NotAllowed);
        assert_eq!(kind(test.hub.build(&actor, &built.id).await), Kind::NotFound);
    }
    test.hub.delete_spec(&root, "base-tools").await.unwrap();
    assert!(test.hub.queue(&root).await.unwrap().1.is_empty(), "its build was ended");
}
