//! Packages that share files or folders with each other, or do not fit into the base.

use imagewright_testkit::{
    Entry, ImageBuilder, LayerBuilder, PackageIndex, Runner, WheelBuilder, bases, require_tool,
};

use crate::support::{DIST_PACKAGES, Workshop};

#[tokio::test]
async fn of_two_packages_with_one_file_the_same_wins_as_with_pip() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let sharing = |name: &str| {
        WheelBuilder::new(name, "1.0")
            .file(&format!("shared_{name}.py"), "")
            .file("shared/owner.py", format!("NAME = '{name}'\n"))
    };
    // `near` needs `far`, so `far` is there first; for `alpha` and `omega` pip has an order of its own.
    let pairs = [["near", "far"], ["alpha", "omega"]];
    let wheels = [
        sharing("near").requires("far").build(),
        sharing("far").build(),
        sharing("alpha").build(),
        sharing("omega").build(),
    ];
    let index = PackageIndex::with(&wheels);

    for [first, second] in pairs {
        let name = format!("team/{first}:1");
        let built = workshop.build(&base.reference, &name).pip(first).pip(second).index(&index).succeed();

        assert!(built.says(&["shared/owner.py", first, second]), "{:#?}", built.said());
        let ours = workshop.run(&name).python("import shared.owner; print(shared.owner.NAME)");
        let pips = Runner::start(&workshop.registry, &base.reference);
        let installed = pips.run(&[
            "pip",
            "install",
            "--break-system-packages",
            "--index-url",
            &index.url(),
            first,
            second,
        ]);
        assert!(installed.succeeded(), "{installed:?}");
        assert_eq!(ours, pips.python("import shared.owner; print(shared.owner.NAME)"));
    }
}

#[tokio::test]
async fn namespace_packages_of_several_wheels_are_one() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let old_style = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n";
    let part = |name: &str| {
        WheelBuilder::new(&format!("part-{name}"), "1.0")
            .file(&format!("company/{name}/__init__.py"), format!("NAME = '{name}'\n"))
            .file("oldstyle/__init__.py", old_style)
            .file(&format!("oldstyle/{name}.py"), format!("NAME = '{name}'\n"))
            .build()
    };
    let index = PackageIndex::with(&[part("one"), part("two")]);

    workshop.build(&base.reference, "team/image:1").pip("part-one").pip("part-two").index(&index).succeed();

    let image = workshop.run("team/image:1");
    let program = "import company.one, company.two, oldstyle.one, oldstyle.two\n\
                   print(company.one.NAME, company.two.NAME, oldstyle.one.NAME, oldstyle.two.NAME)";
    let imported = image.python(program);
    assert_eq!(imported.stdout, "one two one two\n", "{imported:?}");
}

#[tokio::test]
async fn a_file_where_the_base_has_a_folder_is_refused() {
    require_tool!("docker-registry", "mmdebstrap", "uv");
    let workshop = Workshop::new();
    let blocked = format!("{DIST_PACKAGES}/thing.py");
    let base = ImageBuilder::from_image(&bases::debian_python(&workshop.registry).await)
        .layer(LayerBuilder::new().add(Entry::directory(blocked.trim_start_matches('/'))).build())
        .push(&workshop.registry, "bases/blocked:1")
        .await;
    let index = PackageIndex::with(&[WheelBuilder::new("thing", "1.0").file("thing.py", "").build()]);

    let failure = workshop.build(&base.reference, "team/image:1").pip("thing").index(&index).fail();

    assert_eq!((failure.kind.as_str(), failure.status), ("conflict", Some(3)));
    assert_eq!(
        failure.message,
        format!(
            "thing cannot be put into the base: {blocked} is a folder in the base, and a file in the package"
        )
    );
    assert!(!failure.next_step.is_empty());
    assert!(workshop.registry.manifest("team/image", "1").await.is_none());
}
