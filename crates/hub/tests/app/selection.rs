//! Which image a notebook may be started from.

use imagewright_hub::app::images::{NewImage, NewSource};
use imagewright_hub::error::Kind;
use imagewright_spec::ImageKind;

use crate::support::{TestHub, existing, kind};

#[tokio::test]
async fn a_member_chooses_from_what_the_group_may_use_and_sees_why_not() {
    let test = TestHub::new().await;
    let root = test.actor("root").await;
    let urls = |url: Option<&str>, for_gpu: Option<&str>| NewSource::Existing {
        url: url.map(str::to_owned),
        url_for_gpu: for_gpu.map(str::to_owned),
        pull_secret: None,
    };
    let both = urls(Some("registry.example/b:cpu"), Some("registry.example/b:gpu"));
    for new in [
        NewImage { is_global: true, source: both, ..existing("both") },
        NewImage { is_global: true, kind: ImageKind::Gpu, ..existing("gpu") },
        NewImage { group: Some(test.data.clone()), kind: ImageKind::Cpu, ..existing("own") },
        NewImage { is_global: true, source: urls(None, None), ..existing("unready") },
        existing("hidden"),
    ] {
        test.hub.create_image(&root, new).await.unwrap();
    }
    let max = test.actor("max").await;
    let shown = async |has_gpu| {
        let choices = test.hub.selection(&max, "data", has_gpu).await.unwrap();
        let lines = choices.iter().map(|choice| {
            let url = choice.url.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
            format!("{} | {} | {url} | {}", choice.label, choice.hint, choice.disabled.unwrap_or("yes"))
        });
        lines.collect::<Vec<_>>()
    };
    assert_eq!(
        shown(false).await,
        [
            "both | System / Universal | registry.example/b:cpu | yes",
            "gpu | System / GPU | registry.example/gpu:1 | The image needs a machine with a GPU",
            "own | Group / CPU | registry.example/own:1 | yes",
            "unready | (Not Ready) System / Universal | - | The image is not ready yet",
        ]
    );
    assert_eq!(
        shown(true).await[..2],
        [
            "both | System / Universal | registry.example/b:gpu | yes",
            "gpu | System / GPU | registry.example/gpu:1 | yes"
        ]
    );
    assert_eq!(kind(test.hub.selection(&test.actor("olga").await, "data", false).await), Kind::NotFound);
    assert_eq!(kind(test.hub.selection(&max, "no-such-group", false).await), Kind::NotFound);
    assert_eq!(
        kind(test.hub.selection(&test.actor("nobody").await, "data", false).await),
        Kind::NotAuthenticated
    );
}
