use imagewright_spec::ImageKind;
use imagewright_store::images::{Image, ImageSource};
use imagewright_store::{BuildId, StoreError};

use crate::support::rows::{
    at, custom, group, group_id, image, of_image, reference, request, secret, secret_id,
};
use crate::support::{TestStore, on_both_databases};

on_both_databases!(
    an_image_is_read_as_it_was_written,
    what_an_image_names_must_exist,
    sharing_twice_is_sharing_once,
    images_are_found_by_their_address,
    builds_outlive_their_image,
);

/// A group's image with everything that an image can have.
fn built() -> Image {
    Image {
        display_name: "Base-Image Ü".to_owned(),
        description: "for \"all\" of us\nand 100 %".to_owned(),
        kind: ImageKind::Universal,
        url: Some(reference("registry.example:5000/images/built:0a1b2c3d-4")),
        url_for_gpu: Some(reference("registry.example:5000/images/built:0a1b2c3d-4-gpu")),
        pull_secret: Some(secret_id("pull")),
        group: Some(group_id("red")),
        is_global: false,
        source: ImageSource::Custom {
            recipe: crate::support::rows::recipe(),
            pull_secret: Some(secret_id("base")),
            build: Some(BuildId::new("image-built-4")),
        },
        created_at: at(1),
        updated_at: at(2),
        ..image("built")
    }
}

async fn with_what_images_need(store: &TestStore) {
    store
        .change(async |writer| {
            for name in ["red", "blue"] {
                writer.insert_group(&group(name)).await?;
            }
            for name in ["pull", "base"] {
                writer.insert_secret(&secret(name)).await?;
            }
            Ok(())
        })
        .await;
}

async fn an_image_is_read_as_it_was_written(store: &TestStore) {
    with_what_images_need(store).await;
    let waiting = Image { url: None, source: custom(None), ..image("waiting") };
    let images = [built(), image("plain"), waiting];
    store
        .change(async |writer| {
            for image in &images {
                writer.insert_image(image).await?;
            }
            Ok(())
        })
        .await;

    let reader = store.read();
    for image in &images {
        assert_eq!(reader.image(&image.name).await.unwrap().as_ref(), Some(image));
    }
    assert_eq!(reader.image(&image("none").name).await.unwrap(), None);

    let changed = Image { name: images[1].name.clone(), ..built() };
    let is_there = store
        .change(async |writer| {
            Ok((writer.update_image(&changed).await?, writer.update_image(&image("none")).await?))
        })
        .await;
    assert_eq!(is_there, (true, false));
    assert_eq!(reader.image(&changed.name).await.unwrap(), Some(changed));
    assert_eq!(reader.image(&images[2].name).await.unwrap().as_ref(), Some(&images[2]));
}

async fn what_an_image_names_must_exist(store: &TestStore) {
    with_what_images_need(store).await;
    store.change(async |writer| writer.insert_image(&built()).await).await;

    let error = store.refused(async |writer| writer.insert_image(&image("built")).await).await;
    assert!(matches!(error, StoreError::Taken), "{error:?}");
    let wrong = [
        Image { group: Some(group_id("none")), ..image("new") },
        Image { pull_secret: Some(secret_id("none")), ..image("new") },
        Image { source: custom(Some(secret_id("none"))), ..image("new") },
    ];
    for image in wrong {
        let error = store.refused(async |writer| writer.insert_image(&image).await).await;
        assert!(matches!(error, StoreError::Referred), "{image:?}: {error:?}");
        let change = Image { name: built().name, ..image };
        let error = store.refused(async |writer| writer.update_image(&change).await).await;
        assert!(matches!(error, StoreError::Referred), "{change:?}: {error:?}");
    }
    assert_eq!(store.read().image(&built().name).await.unwrap(), Some(built()));
}

async fn sharing_twice_is_sharing_once(store: &TestStore) {
    with_what_images_need(store).await;
    let [shared, other] = [image("shared"), image("other")];
    let [red, blue] = ["red", "blue"].map(group_id);
    store
        .change(async |writer| {
            for image in [&shared, &other] {
                writer.insert_image(image).await?;
                writer.share_image(&image.name, &red).await?;
            }
            writer.share_image(&shared.name, &blue).await?;
            writer.share_image(&shared.name, &red).await
        })
        .await;

    let groups = async |image: &Image| store.read().image_groups(&image.name).await.unwrap();
    assert_eq!(groups(&shared).await, [blue.clone(), red.clone()]);

    store
        .change(async |writer| {
            writer.unshare_image(&shared.name, &red).await?;
            writer.unshare_image(&shared.name, &red).await
        })
        .await;
    assert_eq!(groups(&shared).await, [blue]);
    assert_eq!(groups(&other).await, [red]);

    for (image, group) in [("none", "red"), ("shared", "none")] {
        let name = image.parse().unwrap();
        let error = store.refused(async |writer| writer.share_image(&name, &group_id(group)).await).await;
        assert!(matches!(error, StoreError::Referred), "{image} {group}: {error:?}");
    }

    store.change(async |writer| writer.delete_image(&other.name).await).await;
    assert!(groups(&other).await.is_empty());
}

async fn images_are_found_by_their_address(store: &TestStore) {
    with_what_images_need(store).await;
    let same = Image { url: built().url_for_gpu, ..image("same") };
    store
        .change(async |writer| {
            for image in [&built(), &same, &image("other")] {
                writer.insert_image(image).await?;
            }
            Ok(())
        })
        .await;

    let reader = store.read();
    let for_gpu = built().url_for_gpu.unwrap();
    assert_eq!(reader.images_at(&for_gpu).await.unwrap(), [built(), same]);
    assert_eq!(reader.images_at(&built().url.unwrap()).await.unwrap(), [built()]);
    assert!(reader.images_at(&reference("registry.example/none:1")).await.unwrap().is_empty());
}

async fn builds_outlive_their_image(store: &TestStore) {
    let image = Image { source: custom(None), ..image("built") };
    store
        .change(async |writer| {
            writer.insert_image(&image).await?;
            writer.enqueue_build(&request(of_image("built"), 0)).await
        })
        .await;

    let deleted = store
        .change(async |writer| {
            Ok((writer.delete_image(&image.name).await?, writer.delete_image(&image.name).await?))
        })
        .await;

    assert_eq!(deleted, (true, false));
    assert!(store.read().build(&BuildId::new("image-built-1")).await.unwrap().is_some());
}
