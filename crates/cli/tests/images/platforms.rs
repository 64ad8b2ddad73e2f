//! One index for two platforms, built on a machine of one of them.

use imagewright_testkit::{
    Entry, ImageBuilder, IndexBuilder, LayerBuilder, PackageIndex, Runner, WheelBuilder, bases, require_tool,
};

use crate::support::{DIST_PACKAGES, Workshop, demo_wheel};

/// Numbers of machines in the header of a program.
pub(crate) const X86_64: u16 = 62;
pub(crate) const AARCH64: u16 = 183;

#[tokio::test]
async fn both_platforms_get_wheels_of_their_own() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let amd64 = ImageBuilder::from_image(&bases::debian_python(&workshop.registry).await);
    let base = IndexBuilder::new().image(amd64).image(arm64_debian());
    let base = base.push(&workshop.registry, "bases/two-platforms:1").await;
    let native = |tag: &str, machine: u16| {
        WheelBuilder::new("native", "1.0").platform_tag(tag).file("native/module.so", elf(machine)).build()
    };
    let index = PackageIndex::with(&[
        native("cp311-cp311-manylinux_2_17_x86_64", X86_64),
        native("cp311-cp311-manylinux_2_17_aarch64", AARCH64),
        demo_wheel("pure", "1.0"),
    ]);

    let command = workshop.build(&base.reference, "team/image:1").pip("native").pip("pure").index(&index);
    let built = command.arguments(&["--platform", "linux/amd64,linux/arm64"]).succeed();

    let pushed = workshop.registry.manifest("team/image", "1").await.unwrap();
    assert_eq!(pushed["mediaType"], "application/vnd.oci.image.index.v1+json");
    let manifests = pushed["manifests"].as_array().unwrap();
    let found: Vec<_> =
        manifests.iter().map(|one| one["platform"]["architecture"].as_str().unwrap()).collect();
    assert_eq!(found, ["amd64", "arm64"]);
    for (at, machine) in [X86_64, AARCH64].into_iter().enumerate() {
        let digest = manifests[at]["digest"].as_str().unwrap();
        assert_eq!(built.summary()["images"][at]["digest"], digest);
        let reference = workshop.reference(&format!("team/image@{digest}"));
        let image = Runner::start(&workshop.registry, &reference);
        let module = image.read_file(&format!("{DIST_PACKAGES}/native/module.so"));
        assert_eq!(module, elf(machine), "{}", found[at]);
        assert!(image.exists(&format!("{DIST_PACKAGES}/pure/__init__.py")));
    }
    assert_eq!(workshop.run("team/image:1").run(&["pure"]).stdout, "pure 1.0\n");
}

#[tokio::test]
async fn a_platform_that_the_base_does_not_have_is_named() {
    require_tool!("docker-registry", "mmdebstrap", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let index = PackageIndex::with(&[demo_wheel("pure", "1.0")]);

    let command = workshop.build(&base.reference, "team/image:1").pip("pure").index(&index);
    let failure = command.arguments(&["--platform", "linux/arm64"]).fail();

    assert!(failure.message.contains("linux/arm64"), "{failure:#?}");
    assert!(workshop.registry.manifest("team/image", "1").await.is_none());
}

/// What tells a Debian 12 for arm64 with Python from others. Its programs are headers without code.
pub(crate) fn arm64_debian() -> ImageBuilder {
    let status = "Package: libc6\nStatus: install ok installed\nArchitecture: arm64\nVersion: 2.36-9+deb12u9\n\n\
                  Package: python3.11-minimal\nStatus: install ok installed\nArchitecture: arm64\n\
                  Version: 3.11.2-6+deb12u5\n\n";
    let layer = LayerBuilder::new()
        .file(
            "etc/os-release",
            "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
        )
        .symlink("lib", "usr/lib")
        .program("usr/bin/python3.11", elf(AARCH64))
        .symlink("usr/bin/python3", "python3.11")
        .file("usr/lib/python3.11/os.py", "")
        .file("usr/lib/python3.11/EXTERNALLY-MANAGED", "[externally-managed]\nError=use apt\n")
        .add(Entry::directory("usr/lib/python3/dist-packages"))
        .add(Entry::directory("usr/local/lib/python3.11/dist-packages"))
        .add(Entry::file("usr/lib/aarch64-linux-gnu/libc.so.6", elf(AARCH64)).mode(0o755))
        .file("var/lib/dpkg/status", status)
        .build();
    ImageBuilder::new()
        .layer(layer)
        .architecture("arm64", Some("v8"))
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
}

/// The header of a 64-bit shared library for a machine, without any content.
pub(crate) fn elf(machine: u16) -> Vec<u8> {
    let mut header = b"\x7fELF\x02\x01\x01".to_vec();
    header.resize(16, 0);
    header.extend(3_u16.to_le_bytes());
    header.extend(machine.to_le_bytes());
    header.extend(1_u32.to_le_bytes());
    header.resize(52, 0);
    header.extend([64, 0]);
    header.resize(64, 0);
    header
}
