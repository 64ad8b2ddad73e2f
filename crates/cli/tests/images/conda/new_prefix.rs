//! conda packages on a base that has no conda.

use imagewright_testkit::conda::CondaPackageBuilder;
use imagewright_testkit::{bases, require_tool};
use serde_json::Value;

use super::packages::{forge, pure};
use crate::support::Workshop;

#[tokio::test]
async fn a_new_prefix_works_and_comes_first() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let channels = forge();

    let built = workshop
        .build(&base.reference, "team/image:1")
        .conda("compiled greeting")
        .channels(&channels)
        .succeed();

    assert_eq!(built.conda().len(), 3, "{:?}", built.conda());
    assert!(built.says(&["python3 is /opt/conda/bin/python3"]), "{:?}", built.said());
    let image = workshop.run("team/image:1");
    assert_eq!(image.run(&["greeting"]).stdout, "greeting 2.0\n");
    assert_eq!(image.run(&["compiled"]).stdout, "/opt/conda /opt/conda\n");
    let asked = "import sys, greeting; print(sys.executable, sys.prefix, greeting.__file__)";
    assert_eq!(
        image.run(&["python3", "-c", asked]).stdout,
        "/opt/conda/bin/python3 /opt/conda /opt/conda/lib/python3.11/site-packages/greeting/__init__.py\n"
    );
    let variables =
        image.run(&["sh", "-c", "echo $CONDA_PREFIX $CONDA_DEFAULT_ENV; command -v python3"]).stdout;
    assert_eq!(variables, "/opt/conda base\n/opt/conda/bin/python3\n");
    // The length of a binary is kept, and its strings end where they did.
    let library = image.read_file("/opt/conda/lib/libcompiled.so");
    assert!(library.starts_with(b"\x7fELF before\0/opt/conda/share\0"), "{library:?}");
    assert!(library.ends_with(b"\0after"));
    assert!(image.file_metadata("/opt/conda/lib/libcompiled.so.1").is_symlink);
}

#[tokio::test]
async fn the_records_tell_conda_what_is_there_and_what_was_asked_for() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let channels = forge();

    workshop.build(&base.reference, "team/image:1").conda("greeting=1").channels(&channels).succeed();

    let image = workshop.run("team/image:1");
    let history = String::from_utf8(image.read_file("/opt/conda/conda-meta/history")).unwrap();
    assert!(history.contains("::greeting-1.0-py_0\n"), "{history}");
    assert!(history.contains("# update specs: ['greeting[version=\"1.*\"]']"), "{history}");
    let record = image.read_file("/opt/conda/conda-meta/greeting-1.0-py_0.json");
    let record: Value = serde_json::from_slice(&record).unwrap();
    assert_eq!(record["requested_specs"][0], "greeting[version=\"1.*\"]");
    for file in record["files"].as_array().unwrap() {
        let path = format!("/opt/conda/{}", file.as_str().unwrap());
        assert!(image.exists(&path), "{path} is in the record and not in the image");
    }
    let compiled = "lib/python3.11/site-packages/greeting/__pycache__/__init__.cpython-311.pyc";
    assert!(record["files"].as_array().unwrap().iter().any(|file| file == compiled), "{record}");
    // Python takes the bytecode as it is: nothing is written when it is imported.
    let checked = "import greeting, importlib.util as u; print(greeting.__cached__)";
    assert!(image.run(&["python3", "-v", "-c", checked]).stderr.contains("matches"), "the bytecode is stale");
}

#[tokio::test]
async fn activation_scripts_that_only_set_variables_are_taken_over() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let channels = forge();
    let forge = channels.channel("conda-forge");
    forge.add(
        &CondaPackageBuilder::new("maps", "1.0")
            .file(
                "etc/conda/activate.d/maps.sh",
                "#!/bin/sh\nexport MAPS_DATA=\"$CONDA_PREFIX/share/maps\"\n",
            )
            .file("etc/conda/activate.d/maps.fish", "set -gx MAPS_DATA nothing\n")
            .build(),
    );
    forge.add(
        &CondaPackageBuilder::new("java", "1.0")
            .file("etc/conda/activate.d/java.sh", "export JAVA_HOME=$(dirname $(which java))\n")
            .program("bin/.java-post-link.sh", "#!/bin/sh\ntouch /ran\n")
            .build(),
    );

    let built =
        workshop.build(&base.reference, "team/image:1").conda("maps java").channels(&channels).succeed();

    assert!(built.says(&["etc/conda/activate.d/java.sh", "is not run"]), "{:?}", built.said());
    assert!(built.says(&["java 1.0", "post-link"]), "{:?}", built.said());
    let image = workshop.run("team/image:1");
    assert_eq!(image.run(&["sh", "-c", "echo $MAPS_DATA"]).stdout, "/opt/conda/share/maps\n");
    assert!(!image.exists("/ran"));
}

#[tokio::test]
async fn an_image_upon_an_image_is_activated_once() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let channels = forge();
    let maps = CondaPackageBuilder::new("maps", "1.0")
        .file("etc/conda/activate.d/maps.sh", "PATH=$CONDA_PREFIX/maps:$PATH\nexport MAPS=1\n")
        .build();
    channels.channel("conda-forge").add(&maps).add(&CondaPackageBuilder::new("maps", "2.0").build());
    let build = |base: &str, to: &str, spec: &str| {
        workshop.build(base, to).channels(&channels).conda(spec).succeed();
        workshop.run(to).run(&["sh", "-c", "echo ${PATH%%:/usr/*} $MAPS"]).stdout
    };

    let first = build(&base.reference, "team/first:1", "maps=1");
    assert_eq!(first, "/opt/conda/maps:/opt/conda/bin 1\n");
    assert_eq!(build(&workshop.reference("team/first:1"), "team/second:1", "compiled"), first);
    assert_eq!(build(&workshop.reference("team/second:1"), "team/third:1", "maps=2"), "/opt/conda/bin\n");
}

#[tokio::test]
async fn of_a_file_in_two_packages_the_later_one_is_used_and_told_of() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let channels = forge();
    let forge = channels.channel("conda-forge");
    forge.add(&CondaPackageBuilder::new("below", "1.0").file("share/both", "below\n").build());
    forge.add(
        &CondaPackageBuilder::new("above", "1.0").depends("below").file("share/both", "above\n").build(),
    );

    let built = workshop.build(&base.reference, "team/image:1").conda("above").channels(&channels).succeed();

    assert!(built.says(&["/opt/conda/share/both", "below 1.0", "above 1.0"]), "{:?}", built.said());
    let image = workshop.run("team/image:1");
    assert_eq!(image.read_file("/opt/conda/share/both"), b"above\n");
}

#[tokio::test]
async fn the_same_packages_make_the_same_image_and_the_same_plan_is_a_lookup() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let channels = forge();
    channels.channel("conda-forge").add(&pure("old", "1.0").old_format().build());
    let build = |to: &str| workshop.build(&base.reference, to).conda("compiled old").channels(&channels);

    let first = build("team/image:1").succeed();
    let again = build("team/image:2").succeed();
    assert_eq!(again.summary()["unchanged"], true);
    let other = tempfile::tempdir().unwrap();
    let elsewhere = build("team/image:3").cache(other.path()).succeed();
    assert_eq!(elsewhere.summary()["unchanged"], false);

    assert_eq!(first.digest(), again.digest());
    assert_eq!(first.digest(), elsewhere.digest());
    assert_eq!(workshop.run("team/image:3").run(&["old"]).stdout, "old 1.0\n");
}
