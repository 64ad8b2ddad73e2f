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
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;

    let built = workshop.build(&base.reference, "team/image:1").pip("seqeval").asking_pypi().succeed();

    // 0.0.10 is the newest with a wheel.
    assert!(built.added().iter().any(|added| added == "seqeval 1.2.2"), "{:?}", built.added());
    let ran = workshop.run("team/image:1").python("import seqeval; print(seqeval.__name__)");
    assert_eq!(ran.stdout, "seqeval\n", "{ran:?}");
}

#[tokio::test]
async fn a_package_in_c_is_built_with_the_systems_compiler() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;

    let command = workshop.build(&base.reference, "team/image:1").pip("ujson==1.35");
    let command = command.arguments(&["--apt", "gcc", "--apt", "libc6-dev", "--apt", "python3-dev"]);
    command.asking_pypi().succeed();

    let image = workshop.run("team/image:1");
    let ran = image.python("import ujson; print(ujson.dumps({'built': True}))");
    assert_eq!(ran.stdout, "{\"built\":true}\n", "{ran:?}");
    // The system packages came from the base's own mirrors, and are whole.
    let verified = image.run(&["dpkg", "--verify", "gcc-12", "libc6-dev", "python3-dev"]);
    assert!(verified.succeeded() && verified.stdout.is_empty(), "{verified:?}");
    assert!(
        image
            .run(&["sh", "-c", "dpkg --audit && test -z \"$(ls /var/lib/apt/lists/*Packages 2>/dev/null)\""])
            .succeeded()
    );
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
