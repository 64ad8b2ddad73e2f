//! Where packages go, and what the base tells pip: virtual environments, linked prefixes, musl, constraints.

use imagewright_testkit::{ImageBuilder, PackageIndex, WheelBuilder, bases, require_tool};

use crate::support::{Workshop, demo, demo_wheel, file_layer};

#[tokio::test]
async fn a_virtual_environment_first_in_path_gets_the_packages() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python_venv(&workshop.registry).await;
    let index = PackageIndex::with(&[demo_wheel("thing", "1.0")]);

    workshop.build(&base.reference, "team/image:1").pip("thing").index(&index).succeed();

    let image = workshop.run("team/image:1");
    assert_eq!(image.run(&["thing"]).stdout, "thing 1.0\n");
    let place = image.python("import thing; print(thing.__file__)").stdout;
    assert_eq!(place, "/opt/venv/lib/python3.11/site-packages/thing/__init__.py\n");
    let launcher = String::from_utf8(image.read_file("/opt/venv/bin/thing")).unwrap();
    assert_eq!(launcher.lines().next(), Some("#!/opt/venv/bin/python3"), "as pip writes it");
    let system = image.run(&["/usr/bin/python3", "-c", "import thing"]);
    assert!(!system.succeeded(), "the system's Python has it too");
    assert!(image.run(&["pip", "uninstall", "--yes", "thing"]).succeeded());
}

#[tokio::test]
async fn a_linked_prefix_stays_a_link() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::symlinked_prefix(&workshop.registry).await;
    let index = PackageIndex::with(&[demo_wheel("thing", "1.0")]);

    workshop.build(&base.reference, "team/image:1").pip("thing").index(&index).succeed();

    let image = workshop.run("team/image:1");
    assert!(image.file_metadata("/opt/py").is_symlink);
    assert!(image.exists("/srv/py/lib/python3.11/site-packages/thing/__init__.py"));
    assert_eq!(image.run(&["thing"]).stdout, "thing 1.0\n");
    assert!(image.run(&["pip", "check"]).succeeded());
}

#[tokio::test]
async fn constraints_of_the_base_hold_and_its_marks_stay() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let debian = bases::debian_python(&workshop.registry).await;
    let by_variable = ImageBuilder::from_image(&debian)
        .layer(file_layer("etc/vendor-constraints.txt", "library<2\n").build())
        .env("PIP_CONSTRAINT", "/etc/vendor-constraints.txt")
        .push(&workshop.registry, "bases/constrained:variable")
        .await;
    let by_file = ImageBuilder::from_image(&debian)
        .layer(
            file_layer("etc/vendor-constraints.txt", "library<2\n")
                .file("etc/pip.conf", "[install]\nconstraint = /etc/vendor-constraints.txt\n")
                .build(),
        )
        .push(&workshop.registry, "bases/constrained:file")
        .await;
    let wheels = [demo_wheel("library", "1.5"), demo_wheel("library", "2.0"), demo_wheel("tool", "1.0")];
    let index = PackageIndex::with(&wheels);

    for (base, to) in [(by_variable, "team/image:variable"), (by_file, "team/image:file")] {
        let built = workshop.build(&base.reference, to).pip("library").index(&index).succeed();
        assert_eq!(built.added(), ["library 1.5"], "{to}");
        let refused = workshop.build(&base.reference, to).pip("library>=2").index(&index).fail();
        assert_eq!((refused.kind.as_str(), refused.status), ("conflict", Some(3)), "{refused:#?}");
    }

    // Debian forbids pip to touch its packages; that is still so in the image.
    let image = workshop.run("team/image:file");
    assert!(image.exists("/usr/lib/python3.11/EXTERNALLY-MANAGED"));
    assert!(!image.run(&["pip", "install", "tool"]).succeeded());
}

#[tokio::test]
async fn a_base_with_musl_gets_wheels_for_musl() {
    require_tool!("docker-registry", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::musl_layout(&workshop.registry).await;
    let native = |tag: &str| {
        WheelBuilder::new("native", "1.0").platform_tag(tag).file("native/built_for.txt", tag).build()
    };
    let (musl, glibc) = ("cp312-cp312-musllinux_1_2_x86_64", "cp312-cp312-manylinux_2_17_x86_64");
    let index = PackageIndex::with(&[native(glibc), native(musl), demo("pure", "1.0").build()]);

    let command = workshop.build(&base.reference, "team/image:1").pip("native").pip("pure").index(&index);
    // Without the interpreters that this machine's user may have: Debian has none of this version.
    let command = command.env("PATH", "/usr/bin:/bin").env("PYENV_ROOT", "/nonexistent");
    let built = command.env("UV_PYTHON_INSTALL_DIR", "/nonexistent").succeed();

    assert!(built.says(&["no bytecode is made", "3.12.7"]), "{:#?}", built.said());
    let image = workshop.run("team/image:1");
    let site = "/usr/lib/python3.12/site-packages";
    assert_eq!(image.read_file(&format!("{site}/native/built_for.txt")), musl.as_bytes());
    assert!(image.exists(&format!("{site}/pure/__init__.py")));
    assert!(!image.exists(&format!("{site}/pure/__pycache__")));
    assert!(image.exists("/usr/lib/python3.12/EXTERNALLY-MANAGED"));
}
