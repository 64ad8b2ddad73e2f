//! conda packages on a base in the shape of Jupyter's images.

use imagewright_testkit::conda::{Channels, CondaPackageBuilder, PrefixBuilder, python};
use imagewright_testkit::{bases, require_tool};

use super::consistency::assert_consistent;
use super::packages::{compiled, forge, plain, pure};
use crate::support::Workshop;

/// A prefix with Python, `greeting` 1.0 and `library` 1.0.
fn prefix() -> PrefixBuilder {
    PrefixBuilder::new("/opt/conda")
        .install_requested(&python(), "python=3.11")
        .install(&pure("greeting", "1.0").build())
        .install(&pure("library", "1.0").build())
        .history("# update specs: ['python=3.11']")
}

#[tokio::test]
async fn what_is_installed_stays_where_it_fits() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::jupyter(&workshop.registry, &prefix()).await;
    let channels = forge();
    channels
        .channel("conda-forge")
        .add(&pure("needs", "1.0").depends("greeting >=1").depends("library >=1").build());

    let built = workshop.build(&base.reference, "team/image:1").conda("needs").channels(&channels).succeed();

    assert_eq!(built.conda(), ["needs 1.0"]);
    let image = workshop.run("team/image:1");
    assert_eq!(image.run(&["needs"]).stdout, "needs 1.0\n");
    assert_eq!(image.run(&["greeting"]).stdout, "greeting 1.0\n");
    // Everything belongs to the notebook user, as in the base.
    let command = image.file_metadata("/opt/conda/bin/needs");
    assert_eq!((command.uid, command.gid), (1000, 100));
    let folder = image.file_metadata("/opt/conda/bin");
    assert_eq!((folder.uid, folder.gid, folder.mode), (1000, 100, 0o2775));
    let new = image.file_metadata("/opt/conda/lib/python3.11/site-packages/needs");
    assert_eq!((new.uid, new.gid), (1000, 100));
    let history = String::from_utf8(image.read_file("/opt/conda/conda-meta/history")).unwrap();
    assert!(history.contains("# update specs: ['python=3.11']"), "{history}");
    assert!(history.ends_with("# update specs: ['needs']\n"), "{history}");
}

#[tokio::test]
async fn an_upgrade_replaces_the_whole_package() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let old = pure("greeting", "1.0").module("greeting/gone.py", "").build();
    let prefix = PrefixBuilder::new("/opt/conda").install(&python()).install(&old);
    let base = bases::jupyter(&workshop.registry, &prefix).await;
    let channels = forge();

    let built =
        workshop.build(&base.reference, "team/image:1").conda("greeting>=2").channels(&channels).succeed();

    assert_eq!(built.conda(), ["greeting 2.0"]);
    let image = workshop.run("team/image:1");
    assert_eq!(image.run(&["greeting"]).stdout, "greeting 2.0\n");
    assert!(!image.exists("/opt/conda/lib/python3.11/site-packages/greeting/gone.py"));
    assert!(!image.exists("/opt/conda/conda-meta/greeting-1.0-py_0.json"));
    assert!(image.exists("/opt/conda/conda-meta/greeting-2.0-py_0.json"));
    let metadata = "/opt/conda/lib/python3.11/site-packages/greeting-1.0.dist-info";
    assert!(!image.exists(metadata), "{metadata} is left");
    assert_consistent(&image, "/opt/conda");
}

#[tokio::test]
async fn a_downgrade_that_is_asked_for_is_done() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let prefix =
        PrefixBuilder::new("/opt/conda").install(&python()).install(&pure("greeting", "2.0").build());
    let base = bases::jupyter(&workshop.registry, &prefix).await;

    let built =
        workshop.build(&base.reference, "team/image:1").conda("greeting<2").channels(&forge()).succeed();

    assert_eq!(built.conda(), ["greeting 1.0"]);
    let image = workshop.run("team/image:1");
    assert_eq!(image.run(&["greeting"]).stdout, "greeting 1.0\n");
    assert_consistent(&image, "/opt/conda");
}

#[tokio::test]
async fn earlier_requests_and_pins_hold() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let channels = forge();
    let forge = channels.channel("conda-forge");
    for of in ["greeting", "library", "other"] {
        forge.add(&pure(&format!("newer{of}"), "1.0").depends(&format!("{of} >=2")).build());
    }
    forge.add(&pure("other", "2.0").build());
    let prefix = prefix()
        .history("# update specs: ['greeting<2']")
        .install_requested(&pure("other", "1.0").build(), "other=1.*")
        .pin("library 1.*");
    let base = bases::jupyter(&workshop.registry, &prefix).await;

    for (wanted, earlier) in
        [("newergreeting", "greeting"), ("newerother", "other"), ("newerlibrary", "library")]
    {
        let refused =
            workshop.build(&base.reference, "team/image:1").conda(wanted).channels(&channels).fail();
        assert_eq!(refused.kind, "conflict", "{wanted}: {refused:#?}");
        // Asked for by name, it may change; a pin holds even then.
        let build = workshop.build(&base.reference, "team/image:1").conda(wanted).channels(&channels);
        let build = build.conda(&format!("{earlier}>=2"));
        if earlier == "library" {
            assert_eq!(build.fail().kind, "conflict");
        } else {
            assert!(build.succeed().conda().contains(&format!("{earlier} 2.0")));
        }
    }
}

#[tokio::test]
async fn what_nobody_asked_for_gives_way_and_nothing_else() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let prefix =
        prefix().install(&plain("intheway", "1.0").build()).install(&plain("harmless", "1.0").build());
    let base = bases::jupyter(&workshop.registry, &prefix).await;
    let channels = forge();
    channels.channel("conda-forge").add(&plain("wanted", "1.0").constrains("intheway <0").build());

    let built = workshop.build(&base.reference, "team/image:1").conda("wanted").channels(&channels).succeed();

    assert!(built.says(&["intheway 1.0", "is removed"]), "{:?}", built.said());
    let image = workshop.run("team/image:1");
    assert!(!image.exists("/opt/conda/share/intheway"));
    assert!(!image.exists("/opt/conda/conda-meta/intheway-1.0-h0_0.json"));
    for stays in ["share/harmless/version", "share/wanted/version", "bin/greeting"] {
        assert!(image.exists(&format!("/opt/conda/{stays}")), "{stays}");
    }
    assert_consistent(&image, "/opt/conda");
}

#[tokio::test]
async fn files_of_the_base_that_a_package_replaces_are_told_of() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let below = plain("below", "1.0").file("share/both", "below\n").file("share/same", "below\n").build();
    let old = plain("above", "1.0").file("share/old", "old\n").build();
    let prefix = prefix().install(&below).install(&old).file("share/mine", "mine\n");
    let base = bases::jupyter(&workshop.registry, &prefix).await;
    let channels = forge();
    let above = ["both", "same", "mine", "old"]
        .into_iter()
        .fold(plain("above", "2.0"), |package, name| package.file(&format!("share/{name}"), "above\n"));
    channels.channel("conda-forge").add(&above.build());

    let built =
        workshop.build(&base.reference, "team/image:1").conda("above>=2").channels(&channels).succeed();

    let of_below = ["/opt/conda/share/both (and 1 file more)", "below 1.0", "above 2.0"];
    assert!(built.says(&of_below), "{:?}", built.said());
    assert!(built.says(&["/opt/conda/share/mine of the base is in above 2.0"]), "{:?}", built.said());
    // What the package itself had there goes with it.
    assert!(!built.says(&["share/old"]) && !built.says(&["share/above"]), "{:?}", built.said());
    assert_eq!(workshop.run("team/image:1").read_file("/opt/conda/share/both"), b"above\n");
}

#[tokio::test]
async fn another_minor_version_of_python_comes_only_when_asked_for() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::jupyter(&workshop.registry, &prefix()).await;
    let channels = forge();
    let forge = channels.channel("conda-forge");
    // Stands for a Python: what matters here is where packages go.
    forge.add(
        &CondaPackageBuilder::new("python", "3.12.1")
            .build_string("h2_0_cpython", 0)
            .program("bin/python3.12", "#!/bin/sh\necho 3.12\n")
            .symlink("bin/python3", "python3.12")
            .symlink("bin/python", "python3.12")
            .file("lib/python3.12/os.py", "")
            .build(),
    );
    forge.add(&pure("modern", "1.0").depends("python >=3.12").build());

    let refused = workshop.build(&base.reference, "team/image:1").conda("modern").channels(&channels).fail();
    assert_eq!(refused.kind, "conflict", "{refused:#?}");

    let wanted = workshop.build(&base.reference, "team/image:1").conda("modern python=3.12");
    let built = wanted.channels(&channels).succeed();
    assert_eq!(built.conda(), ["greeting 1.0", "library 1.0", "modern 1.0", "python 3.12.1"]);
    let image = workshop.run("team/image:1");
    assert!(image.exists("/opt/conda/lib/python3.12/site-packages/greeting/__init__.py"));
    assert!(!image.exists("/opt/conda/lib/python3.11/site-packages/greeting/__init__.py"));
    assert!(!image.exists("/opt/conda/bin/python3.11"));
    let launcher = String::from_utf8(image.read_file("/opt/conda/bin/greeting")).unwrap();
    assert_eq!(launcher.lines().next(), Some("#!/opt/conda/bin/python3.12"));
    assert_consistent(&image, "/opt/conda");
}

#[tokio::test]
async fn requests_that_only_records_tell_of_outlive_their_records() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let prefix = prefix().install_requested(&pure("other", "1.0").build(), "other=1.*");
    let base = bases::jupyter(&workshop.registry, &prefix).await;
    let channels = forge();
    let forge = channels.channel("conda-forge");
    for version in ["1.0", "1.1", "2.0"] {
        forge.add(&pure("other", version).build());
    }
    forge.add(&pure("newer", "1.0").depends("other >=1.1").build());
    forge.add(&pure("newest", "1.0").depends("other >=2").build());
    let build = |base: &str, to: &str| workshop.build(base, to).channels(&channels);

    let first = build(&base.reference, "team/below:1").conda("newer").succeed();
    assert_eq!(first.conda(), ["newer 1.0", "other 1.1"]);
    let record = workshop.run("team/below:1").read_file("/opt/conda/conda-meta/other-1.1-py_0.json");
    assert!(String::from_utf8(record).unwrap().contains("other=1.*"));

    let below = workshop.reference("team/below:1");
    let refused = build(&below, "team/above:1").conda("newest").fail();
    assert_eq!(refused.kind, "conflict", "{refused:#?}");
}

#[tokio::test]
async fn an_image_of_ours_is_built_upon_as_if_it_were_one_request() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::jupyter(&workshop.registry, &prefix()).await;
    let channels: Channels = forge();
    channels.channel("conda-forge").add(&compiled());
    let build = |base: &str, to: &str| workshop.build(base, to).channels(&channels);

    build(&base.reference, "team/below:1").conda("greeting>=2").succeed();
    let below = workshop.reference("team/below:1");
    let above = build(&below, "team/above:1").conda("compiled").succeed();
    let kept = build(&workshop.reference("team/above:1"), "team/kept:1").pip("greeting").succeed();

    assert_eq!(above.conda(), ["compiled 1.0", "greeting 2.0"]);
    assert_eq!(kept.conda(), above.conda());
    let image = workshop.run("team/kept:1");
    assert_eq!(image.run(&["greeting"]).stdout, "greeting 2.0\n");
    assert_eq!(image.run(&["compiled"]).stdout, "/opt/conda /opt/conda\n");
    assert!(!image.exists("/opt/conda/conda-meta/greeting-1.0-py_0.json"));
    let history = String::from_utf8(image.read_file("/opt/conda/conda-meta/history")).unwrap();
    assert!(history.contains("'compiled', 'greeting[version=\">=2\"]'"), "{history}");
}
