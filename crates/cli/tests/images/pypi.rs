//! Packages of the real, public index.

use imagewright_testkit::{WheelBuilder, bases, require_tool};

use crate::support::Workshop;

#[tokio::test]
async fn well_known_packages_work() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;

    let command =
        workshop.build(&base.reference, "team/image:1").pip("six").pip("requests[socks]").pip("numpy<3");
    command.asking_pypi().succeed();

    let image = workshop.run("team/image:1");
    let program =
        "import numpy, requests, six, socks\nprint(int(numpy.arange(4) @ numpy.arange(4)), six.moves.range)";
    let ran = image.python(program);
    assert_eq!(ran.stdout, "14 <class 'range'>\n", "{ran:?}");
    assert!(image.run(&["f2py", "-v"]).succeeded());
    let checked = image.run(&["pip", "check"]);
    assert!(checked.succeeded(), "{checked:?}");
}

#[tokio::test]
async fn an_ancient_wheel_is_no_answer_to_a_newer_source() {
    require_tool!("docker-registry", "mmdebstrap", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;

    let failure = workshop.build(&base.reference, "team/image:1").pip("seqeval").asking_pypi().fail();

    assert_eq!((failure.kind.as_str(), failure.status), ("unsupported", Some(12)));
    let told = format!("{}\n{}\n{}", failure.message, failure.explanation, failure.next_step);
    for words in ["seqeval", "1.2.2", "0.0.10"] {
        assert!(told.contains(words), "{words} in {told}");
    }
    assert!(workshop.registry.manifest("team/image", "1").await.is_none());
}

#[tokio::test]
async fn torchmetrics_keeps_the_vendors_torch() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let torch = WheelBuilder::new("torch", "2.3.0a0+ngc24.05").file("torch/__init__.py", "");
    let base = bases::with_packages(&workshop.registry, &[torch.build()]).await;

    let command = workshop.build(&base.reference, "team/image:1").pip("torchmetrics");
    let built = command.asking_pypi().succeed();

    assert!(built.added().iter().any(|added| added.starts_with("torchmetrics ")));
    let pulled_in =
        built.added().into_iter().find(|added| added.starts_with("torch ") || added.contains("nvidia"));
    assert_eq!(pulled_in, None);
    let image = workshop.run("team/image:1");
    let listed = image.run(&["pip", "list", "--format=freeze"]).stdout;
    assert!(
        listed.contains("torch==2.3.0a0+ngc24.5") || listed.contains("torch==2.3.0a0+ngc24.05"),
        "{listed}"
    );
    let checked = image.run(&["pip", "check"]);
    assert!(checked.succeeded(), "{checked:?}");
}
