//! pip in the running image works on our packages and on the base's own.

use imagewright_testkit::{PackageIndex, bases, require_tool};

use crate::support::{DIST_PACKAGES, Workshop, demo, demo_wheel};

#[tokio::test]
async fn packages_are_imported_started_listed_shown_and_removed() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::with_packages(&workshop.registry, &[demo_wheel("from-base", "1.0")]).await;
    let tools = demo("our-tools", "2.0").requires("our-library").requires("from-base").build();
    let index = PackageIndex::with(&[tools, demo_wheel("our-library", "3.1")]);

    let built = workshop.build(&base.reference, "team/image:1").pip("our-tools").index(&index).succeed();
    assert_eq!(built.added(), ["our-library 3.1", "our-tools 2.0"]);

    let image = workshop.run("team/image:1");
    let imported = image.python("import our_tools, our_library, from_base; print(our_library.VERSION)");
    assert_eq!(imported.stdout, "3.1\n", "{imported:?}");
    assert_eq!(image.run(&["our-tools"]).stdout, "our-tools 2.0\n");
    assert_eq!(image.run(&["from-base"]).stdout, "from-base 1.0\n");

    let listed = image.run(&["pip", "list", "--format=freeze"]).stdout;
    for line in ["from-base==1.0", "our-library==3.1", "our-tools==2.0"] {
        assert!(listed.lines().any(|found| found == line), "{line} in {listed}");
    }
    let checked = image.run(&["pip", "check"]);
    assert!(checked.succeeded(), "{checked:?}");
    let shown = image.run(&["pip", "show", "--files", "our-tools"]).stdout;
    for line in [&format!("Location: {DIST_PACKAGES}"), "  ../../../bin/our-tools", "  our_tools/__init__.py"]
    {
        assert!(shown.lines().any(|found| found == line), "{line} in {shown}");
    }
    let asked_for = image.run(&["pip", "list", "--not-required", "--format=freeze"]).stdout;
    assert!(!asked_for.contains("our-library"), "{asked_for}");

    for (name, module) in
        [("our-tools", "our_tools"), ("our-library", "our_library"), ("from-base", "from_base")]
    {
        let removed = image.run(&["pip", "uninstall", "--yes", "--break-system-packages", name]);
        assert!(removed.succeeded(), "{removed:?}");
        assert!(!image.exists(&format!("{DIST_PACKAGES}/{module}")), "{module} is left");
        assert!(!image.exists(&format!("/usr/local/bin/{name}")), "/usr/local/bin/{name} is left");
        assert!(!image.python(&format!("import {module}")).succeeded());
    }
}
