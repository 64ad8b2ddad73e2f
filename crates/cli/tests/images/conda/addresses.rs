//! Addresses: those that a plan names are fetched, those that a base names are not.

use imagewright_testkit::conda::{Channels, CondaPackage, CondaPackageBuilder, PrefixBuilder, python};
use imagewright_testkit::{bases, require_tool};

use super::packages::{forge, plain, pure};
use crate::support::Workshop;

/// Stands for another Python: what matters here is that pure Python has to be laid out anew for it.
fn other_python() -> CondaPackage {
    CondaPackageBuilder::new("python", "3.12.1")
        .build_string("h2_0_cpython", 0)
        .program("bin/python3.12", "#!/bin/sh\necho 3.12\n")
        .symlink("bin/python3", "python3.12")
        .file("lib/python3.12/os.py", "")
        .build()
}

#[tokio::test]
async fn no_address_of_a_base_is_fetched() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let lonely = pure("lonely", "1.0").build();
    let elsewhere = Channels::new();
    elsewhere.channel("private").add(&lonely).add(&python());
    let folder = elsewhere.channel("private").url();
    let address = format!("{folder}/{}/{}", python().subdir, python().file_name);
    let prefix = PrefixBuilder::new("/opt/conda")
        .channel(&folder)
        .install(&python())
        .install(&lonely)
        .history(&format!("# update specs: ['python[url=\"{address}\"]']"));
    let base = bases::jupyter(&workshop.registry, &prefix).await;
    let channels = forge();
    channels.channel("conda-forge").add(&other_python()).add(&plain("thing", "1.0").build());
    let build = |spec: &str| workshop.build(&base.reference, "team/image:1").channels(&channels).conda(spec);

    assert_eq!(build("thing").succeed().conda(), ["thing 1.0"]);
    // Another Python wants all pure Python anew, and only the base says where this one is.
    let refused = build("python=3.12").fail();
    assert_eq!(refused.kind, "not_found", "{refused:#?}");
    assert!(refused.message.contains("lonely 1.0"), "{refused:#?}");
    assert!(elsewhere.requests().is_empty(), "{:#?}", elsewhere.requests());
    // Where the plan names the channel, it is asked.
    let spec = format!("-c conda-forge -c {folder} python=3.12");
    assert_eq!(build(&spec).succeed().conda(), ["lonely 1.0", "python 3.12.1"]);
}

#[tokio::test]
async fn archives_of_one_name_at_two_addresses_are_two_packages() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let channels = forge();
    channels.channel("conda-forge").add(&plain("one", "1.0").build()).add(&plain("two", "1.0").build());
    for needed in ["one", "two"] {
        let package = plain("thing", "1.0").depends(needed).build();
        let server = Channels::new();
        server.channel("files").add(&package);
        let address = format!("{}/{}/{}", server.channel("files").url(), package.subdir, package.file_name);

        let wanted = workshop.build(&base.reference, "team/image:1").channels(&channels);
        let built = wanted.conda(&address).succeed();

        let mut expected = [format!("{needed} 1.0"), "thing 1.0".to_owned()];
        expected.sort();
        assert_eq!(built.conda(), expected);
    }
    // Nothing of an archive has become a file of this machine by its own name.
    let channels = workshop.cache().join("owners/default/channels");
    assert!(channels.is_dir() && !channels.join("pkgs").exists());
}

#[tokio::test]
async fn a_package_at_an_address_goes_before_those_of_channels() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let channels = Channels::new();
    let forge = channels.channel("conda-forge");
    // That another package needs it makes the channel's versions known, too.
    forge.add(&plain("thing", "2.0").build()).add(&plain("user", "1.0").depends("thing").build());
    let elsewhere = Channels::new();
    let package = plain("thing", "1.0").build();
    elsewhere.channel("files").add(&package);
    let address = format!("{}/{}/{}", elsewhere.channel("files").url(), package.subdir, package.file_name);

    let build = |spec: &str| workshop.build(&base.reference, "team/image:1").channels(&channels).conda(spec);
    assert_eq!(build(&format!("{address} user")).succeed().conda(), ["thing 1.0", "user 1.0"]);

    // What was built from an address is built upon without fetching it again.
    elsewhere.forget_requests();
    let below = workshop.reference("team/image:1");
    forge.add(&plain("more", "1.0").build());
    let above = workshop.build(&below, "team/above:1").channels(&channels).conda("more").succeed();
    assert!(above.conda().contains(&"more 1.0".to_owned()));
    assert_eq!(workshop.run("team/above:1").read_file("/opt/conda/share/thing/version"), b"1.0\n");
    assert!(elsewhere.requests().is_empty(), "{:#?}", elsewhere.requests());
}

#[tokio::test]
async fn an_archive_is_what_its_address_promises() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let channels = Channels::new();
    let package = plain("thing", "1.0").build();
    let forge = channels.channel("conda-forge");
    forge.add(&package);
    let address = format!("{}/{}/{}", forge.url(), package.subdir, package.file_name);
    let build = |spec: &str| workshop.build(&base.reference, "team/image:1").channels(&channels).conda(spec);

    // As in conda's explicit lists.
    let md5 = package.record["md5"].as_str().unwrap();
    assert_eq!(build(&format!("{address}#{md5}")).succeed().conda(), ["thing 1.0"]);
    let refused = build(&format!("{address}#{}", "0".repeat(32))).fail();
    assert_eq!(refused.kind, "digest_mismatch", "{refused:#?}");
    // An archive of another package than its name says.
    forge.replace_file(&package, plain("other", "1.0").build().bytes);
    let refused = build(&address).fail();
    assert_eq!(refused.kind, "unsupported", "{refused:#?}");
    assert!(refused.message.contains("other"), "{refused:#?}");
}
