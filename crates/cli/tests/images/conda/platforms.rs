//! conda packages for a platform that the building machine is not of.

use imagewright_testkit::conda::{CondaPackageBuilder, python};
use imagewright_testkit::{ImageBuilder, IndexBuilder, Runner, bases, require_tool};

use super::packages::{forge, pure};
use crate::platforms::{AARCH64, X86_64, arm64_debian, elf};
use crate::support::Workshop;

#[tokio::test]
async fn each_platform_gets_packages_of_its_own_without_emulation() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let amd64 = ImageBuilder::from_image(&bases::debian_python(&workshop.registry).await);
    let base = IndexBuilder::new().image(amd64).image(arm64_debian());
    let base = base.push(&workshop.registry, "bases/two-platforms:1").await;
    let channels = forge();
    let forge = channels.channel("conda-forge");
    let version = python().record["version"].as_str().unwrap().to_owned();
    let arm = |name: &str, version: &str| CondaPackageBuilder::new(name, version).subdir("linux-aarch64");
    forge.add(
        &arm("python", &version)
            .build_string("h1_0_cpython", 0)
            .depends("__glibc >=2.17")
            .program("bin/python3.11", elf(AARCH64))
            .symlink("bin/python3", "python3.11")
            .file("lib/python3.11/os.py", "")
            .build(),
    );
    for (package, machine) in
        [(arm("native", "1.0"), AARCH64), (CondaPackageBuilder::new("native", "1.0"), X86_64)]
    {
        let name = if machine == AARCH64 { "aarch64" } else { "x86_64" };
        let package = package.depends("python").depends(&format!("__archspec * {name}"));
        forge.add(&package.file("lib/libnative.so", elf(machine)).build());
    }
    forge.add(&pure("script", "1.0").depends("native").build());

    let wanted = workshop.build(&base.reference, "team/image:1").conda("script").channels(&channels);
    let built = wanted.arguments(&["--platform", "linux/amd64,linux/arm64"]).succeed();

    for (at, machine) in [X86_64, AARCH64].into_iter().enumerate() {
        let image = &built.summary()["images"][at];
        let reference = format!("team/image@{}", image["digest"].as_str().unwrap());
        let image = Runner::start(&workshop.registry, &workshop.reference(&reference));
        assert_eq!(image.read_file("/opt/conda/lib/libnative.so"), elf(machine), "{at}");
        let program = image.read_file("/opt/conda/bin/python3.11");
        assert_eq!(u16::from_le_bytes([program[18], program[19]]), machine);
        // Bytecode is the same for all machines: it is made by this one's Python for both.
        let module = "/opt/conda/lib/python3.11/site-packages/script";
        assert!(image.exists(&format!("{module}/__pycache__/__init__.cpython-311.pyc")), "{at}");
    }
}
