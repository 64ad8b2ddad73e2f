//! The same inputs give the same digest: on any machine, for any user, however many processors there are.

use std::fs;

use imagewright_testkit::{PackageIndex, bases, require_tool};

use crate::support::{Workshop, demo, demo_wheel, temporary_folder};

#[tokio::test]
async fn the_digest_depends_on_nothing_of_the_machine() {
    require_tool!("docker-registry", "mmdebstrap", "taskset", "uv");
    let workshop = Workshop::new();
    let base = bases::with_packages(&workshop.registry, &[demo_wheel("helper", "1.0")]).await;
    let names: Vec<String> = (0..12).map(|number| format!("package-{number}")).collect();
    let mut wheels: Vec<_> = names.iter().map(|name| demo_wheel(name, "1.0")).collect();
    wheels.push(demo_wheel("helper", "2.0"));
    // More than one frame of the codec, so that its threads could have a say.
    let noise: Vec<u8> =
        (0_u32..1 << 20).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    wheels.push(demo("large", "1.0").file("large/data.bin", noise).build());
    let index = PackageIndex::with(&wheels);
    let build = |to: &str| {
        let build = workshop.build(&base.reference, to).pip("large").pip("helper>=2").index(&index);
        names.iter().fold(build, |build, name| build.pip(name))
    };

    for compression in ["zstd", "gzip"] {
        let build = |to: &str| build(to).arguments(&["--compression", compression]);
        let expected = build("team/image:1").succeed().digest().to_owned();

        // Another machine: nothing in its cache, one processor, another user's folders, habits and clock.
        let other = temporary_folder();
        let (home, folder) = (other.path().join("home"), other.path().join("elsewhere"));
        for folder in [&home, &folder] {
            fs::create_dir(folder).unwrap();
        }
        let elsewhere = build("other/image:1")
            .through(&["taskset", "--cpu-list", "0", "sh", "-c", "umask 077; exec \"$@\"", "sh"])
            .cache(&other.path().join("cache"))
            .home(&home)
            .working_directory(&folder)
            .env("TZ", "Pacific/Kiritimati")
            .env("LC_ALL", "C")
            .env("SOURCE_DATE_EPOCH", "1")
            .succeed();
        assert_eq!(elsewhere.digest(), expected, "{compression}");

        // The same machine a moment later, which has some of it in its cache and makes the rest again.
        fs::remove_dir_all(workshop.cache().join("owners/default/builds")).unwrap();
        fs::remove_dir_all(workshop.cache().join("layers")).unwrap();
        let again = build("third/image:1").arguments(&["--fresh"]).succeed();
        assert_eq!(again.digest(), expected, "{compression}");
    }
}

#[tokio::test]
async fn the_order_of_requirements_does_not_matter() {
    require_tool!("docker-registry", "mmdebstrap", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let index = PackageIndex::with(&[demo_wheel("one", "1.0"), demo_wheel("two", "1.0")]);

    let one = workshop.build(&base.reference, "team/image:1").pip("one").pip("two").index(&index).succeed();
    let two = workshop.build(&base.reference, "team/image:2").pip("two").pip("one").index(&index).succeed();

    assert_eq!(one.digest(), two.digest());
}
