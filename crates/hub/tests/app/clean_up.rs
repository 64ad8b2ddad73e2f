//! What is removed from the registry, and what never.

use imagewright_hub::app::clean_up::Reason;
use imagewright_hub::app::images::{NewSource, RecipeInput};
use imagewright_hub::error::Kind;
use imagewright_oci::credential::CredentialSource;
use imagewright_oci::registry::{Registry as _, RegistryClient, RegistryClientConfig, TagOrDigest};
use imagewright_spec::ImageReference;
use imagewright_store::builds::Build;
use imagewright_testkit::{ImageBuilder, Registry, require_tool};

use crate::support::{TestHub, custom, kind, recipe};

const KEEP_ONE: &[(&str, &str)] =
    &[("IMAGEWRIGHT_LIMITS__REVISIONS_KEPT", "1"), ("IMAGEWRIGHT_LIMITS__REVISIONS_DAYS", "0")];

async fn planned(test: &TestHub) -> Vec<(String, Reason, usize)> {
    let removals = test.hub.plan_clean_up(&test.actor("root").await).await.unwrap();
    let rows = removals.into_iter();
    rows.map(|removal| (removal.build.to_string(), removal.reason, removal.manifests.len())).collect()
}

async fn built(test: &TestHub, number: u32) -> Build {
    test.build_next_as("registry.example", &format!("sha256:{number:064}")).await
}

#[tokio::test]
async fn old_revisions_go_but_for_those_in_use() {
    let test = TestHub::configured(KEEP_ONE).await;
    let ann = test.actor("ann").await;
    test.hub.create_image(&ann, custom("x", Some(&test.data))).await.unwrap();
    built(&test, 1).await;
    for number in 2..=4 {
        test.hub.rebuild_image(&ann, "x", Some(recipe(&format!("p{number}"))), None).await.unwrap();
        built(&test, number).await;
    }
    assert_eq!(planned(&test).await, [1, 2, 3].map(|number| (format!("image-x-{number}"), Reason::Old, 1)));
    // One that an image uses again stays, one that something is built upon too.
    test.hub.roll_back_image(&ann, "x", 2).await.unwrap();
    let first = test.hub.image_build(&ann, "x", 1).await.unwrap().product.unwrap().url;
    let mut upon = custom("upon", Some(&test.data));
    upon.source = NewSource::Custom(RecipeInput { base: first.to_string(), ..recipe("pandas") });
    test.hub.create_image(&ann, upon).await.unwrap();
    assert_eq!(planned(&test).await, [("image-x-3".to_owned(), Reason::Old, 1)]);
    assert_eq!(kind(test.hub.plan_clean_up(&ann).await), Kind::NotAllowed);
}

#[tokio::test]
async fn nothing_goes_before_its_time() {
    let test = TestHub::configured(&[("IMAGEWRIGHT_LIMITS__REVISIONS_KEPT", "1")]).await;
    let ann = test.actor("ann").await;
    test.hub.create_image(&ann, custom("x", Some(&test.data))).await.unwrap();
    built(&test, 1).await;
    test.hub.rebuild_image(&ann, "x", None, None).await.unwrap();
    built(&test, 2).await;
    assert_eq!(planned(&test).await, [], "it is not old enough");
    test.hub.delete_image(&ann, "x").await.unwrap();
    assert_eq!(planned(&test).await.len(), 2, "nobody has it any more");
}

#[tokio::test]
async fn a_manifest_that_a_kept_revision_has_too_stays() {
    let test = TestHub::configured(KEEP_ONE).await;
    let ann = test.actor("ann").await;
    test.hub.create_image(&ann, custom("x", Some(&test.data))).await.unwrap();
    built(&test, 1).await;
    test.hub.rebuild_image(&ann, "x", None, None).await.unwrap();
    built(&test, 1).await;
    assert_eq!(planned(&test).await, [("image-x-1".to_owned(), Reason::Old, 0)]);
}

#[tokio::test]
async fn what_is_not_needed_is_removed_from_the_registry() {
    require_tool!("docker-registry");
    let test = TestHub::configured(KEEP_ONE).await;
    let registry = Registry::new();
    let ann = test.actor("ann").await;
    let mut references: Vec<ImageReference> = Vec::new();
    for number in 1..=2_u32 {
        let recipe = recipe(&format!("p{number}"));
        if number == 1 {
            let source = NewSource::Custom(recipe);
            test.hub
                .create_image(
                    &ann,
                    imagewright_hub::app::images::NewImage { source, ..custom("x", Some(&test.data)) },
                )
                .await
                .unwrap();
        } else {
            test.hub.rebuild_image(&ann, "x", Some(recipe), None).await.unwrap();
        }
        let tag = test.hub.latest_image_build(&ann, "x").await.unwrap().tag;
        let image = ImageBuilder::new().env("NUMBER", &number.to_string());
        let pushed = image.push(&registry, &format!("images/x:{tag}")).await;
        let build = test.build_next_as(&registry.host(), &pushed.digest).await;
        references.push(build.product.unwrap().url);
    }
    let client = RegistryClient::new(RegistryClientConfig {
        credentials: CredentialSource::Anonymous,
        ..RegistryClientConfig::default()
    })
    .unwrap();
    let removed = test.hub.clean_up(&client).await.unwrap();
    assert_eq!(removed.len(), 1);
    assert!(removed[0].problem.is_none(), "{removed:?}");
    let mut is_there = Vec::new();
    for reference in &references {
        let tag = TagOrDigest::tag(reference.identifier());
        is_there.push(client.head_manifest(reference.repository_reference(), &tag).await.unwrap().is_some());
    }
    assert_eq!(is_there, [false, true]);
    assert_eq!(planned(&test).await, [], "it is not removed twice");
    assert_eq!(kind(test.hub.roll_back_image(&ann, "x", 1).await), Kind::Invalid);
}
