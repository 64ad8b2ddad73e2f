//! What is not built, and what is said then.

use imagewright_testkit::conda::{Channels, CondaPackage, CondaPackageBuilder};
use imagewright_testkit::{Fault, bases, require_tool};

use super::packages::{forge, plain};
use crate::support::{Failure, Workshop};

async fn refused(channels: &Channels, spec: &str) -> Failure {
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    workshop.build(&base.reference, "team/image:1").conda(spec).channels(channels).fail()
}

#[tokio::test]
async fn a_package_that_is_not_there_is_named() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let failure = refused(&forge(), "nosuchpackage").await;
    assert_eq!((failure.kind.as_str(), failure.status), ("not_found", Some(4)), "{failure:#?}");
    assert_eq!(failure.message, "there is no package nosuchpackage in conda-forge");
    let failure = refused(&forge(), "greeting>=9").await;
    assert_eq!(failure.kind, "not_found", "{failure:#?}");
    assert_eq!(failure.message, "there is no greeting >=9 in conda-forge");
}

#[tokio::test]
async fn a_channel_that_is_not_there_or_down_is_named() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let channels = forge();
    let failure = refused(&channels, "-c nosuchchannel greeting").await;
    assert_eq!(failure.kind, "not_found", "{failure:#?}");
    assert!(failure.message.contains("nosuchchannel"), "{failure:#?}");
    channels.inject(Fault::on("/repodata").status(503));
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let build = workshop.build(&base.reference, "team/image:1").conda("greeting").channels(&channels);
    let failure = build.arguments(&["--attempts", "1"]).fail();
    assert_eq!(failure.kind, "unreachable", "{failure:#?}");
}

#[tokio::test]
async fn a_contradiction_names_both_sides() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let channels = forge();
    let forge = channels.channel("conda-forge");
    forge.add(&plain("left", "1.0").depends("shared <2").build());
    forge.add(&plain("right", "1.0").depends("shared >=2").build());
    forge.add(&plain("shared", "1.0").build()).add(&plain("shared", "2.0").build());
    let failure = refused(&channels, "left right").await;
    assert_eq!((failure.kind.as_str(), failure.status), ("conflict", Some(3)), "{failure:#?}");
    assert_eq!(failure.message, "left and right cannot be installed together");
    let mut lines: Vec<&str> = failure.explanation.lines().collect();
    lines.sort_unstable();
    let expected =
        ["No version of shared fits all of them.", "left needs shared <2.", "right needs shared >=2."];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_refused_probe_does_not_make_another_failure_one_of_credentials() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let channels = forge();
    channels.inject(Fault::on("conda-forge/linux-64/repodata.json.zst").status(403));
    channels.inject(Fault::on("conda-forge/noarch/repodata.json").status(503));
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let build = workshop.build(&base.reference, "team/image:1").conda("greeting").channels(&channels);
    let failure = build.arguments(&["--attempts", "1"]).fail();
    assert_eq!(failure.kind, "unreachable", "{failure:#?}");
}

#[tokio::test]
async fn a_damaged_archive_is_not_installed() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let channels = Channels::new();
    let package = plain("thing", "1.0").build();
    let other = plain("thing", "1.0").file("share/more", "more").build();
    channels.channel("conda-forge").add(&package).replace_file(&package, other.bytes);
    let failure = refused(&channels, "thing").await;
    assert!(["digest_mismatch", "too_large"].contains(&failure.kind.as_str()), "{failure:#?}");
}

#[tokio::test]
async fn packages_that_lead_out_of_the_prefix_are_refused() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let hostile: [(&str, CondaPackage); 6] = [
        ("climbs", CondaPackageBuilder::new("evil", "1.0").file("../../etc/evil", "x").build()),
        ("absolute", CondaPackageBuilder::new("evil", "1.0").file("/etc/evil", "x").build()),
        ("whiteout", CondaPackageBuilder::new("evil", "1.0").file("bin/.wh.python", "x").build()),
        ("record", CondaPackageBuilder::new("evil", "1.0").file("conda-meta/history", "x").build()),
        (
            "below a link",
            CondaPackageBuilder::new("evil", "1.0").symlink("lib", "/etc").file("lib/evil", "x").build(),
        ),
        (
            "a command",
            CondaPackageBuilder::noarch_python("evil", "1.0").entry_point("../../evil = os:getcwd").build(),
        ),
    ];
    for (what, package) in hostile {
        let channels = forge();
        channels.channel("conda-forge").add(&package);
        let failure = refused(&channels, "evil python").await;
        assert!(["unsupported", "conflict"].contains(&failure.kind.as_str()), "{what}: {failure:#?}");
        assert!(failure.message.contains("evil"), "{what}: {failure:#?}");
    }
}
