//! Where packages come from.

use std::fs;

use imagewright_testkit::conda::{ChannelAccess, Channels, PrefixBuilder, python};
use imagewright_testkit::{Fault, Registry, bases, require_tool};

use super::packages::{plain, pure};
use crate::support::Workshop;

async fn base(registry: &Registry) -> String {
    bases::debian_python(registry).await.reference
}

#[tokio::test]
async fn a_package_is_found_by_its_channel_on_a_mirror() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = base(&workshop.registry).await;
    let channels = Channels::new();
    let mirror = channels.channel("mirrors/forge");
    mirror.add(&plain("thing", "1.0").build());
    channels.channel("other").add(&plain("thing", "2.0").build());

    let wanted = workshop.build(&base, "team/image:1").channels(&channels);
    let built = wanted
        .conda("-c other conda-forge::thing")
        .arguments(&["--channel-mirror", &format!("conda-forge={}", mirror.url())])
        .succeed();

    assert_eq!(built.conda(), ["thing 1.0"]);
}

#[tokio::test]
async fn a_mirror_that_does_not_answer_is_stood_in_for_by_the_next() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = base(&workshop.registry).await;
    let (near, far) = (Channels::new(), Channels::new());
    for server in [&near, &far] {
        server.channel("forge").add(&plain("thing", "1.0").build()).add(&plain("other", "1.0").build());
    }
    far.channel("forge").add(&plain("thing", "2.0").build());
    let mirror = |server: &Channels| format!("conda-forge={}", server.channel("forge").url());
    let (first, second) = (mirror(&near), mirror(&far));
    let build = |to: &str, spec: &str| {
        let build = workshop.build(&base, to).conda(spec);
        build.arguments(&[
            "--channel-mirror",
            &first,
            "--channel-mirror",
            &second,
            "--attempts",
            "1",
            "--fresh",
        ])
    };

    // The first has the word, also on what there is not.
    let whole = build("team/image:1", "thing").succeed();
    assert_eq!(whole.conda(), ["thing 1.0"]);
    assert!(far.requests().is_empty(), "{:?}", far.requests());
    assert_eq!(build("team/image:1", "thing>=2").fail().kind, "not_found");

    near.inject(Fault::on("other").status(503));
    assert_eq!(build("team/image:1", "other").succeed().conda(), ["other 1.0"]);
    near.clear_faults();
    let other = build("team/image:1", "other").succeed();
    near.inject(Fault::on("/").drop_connection());
    std::fs::remove_dir_all(workshop.cache().join("owners")).unwrap();
    let down = build("team/image:1", "other").succeed();
    assert_eq!(down.digest(), other.digest());
    far.inject(Fault::on("/").status(503));
    assert_eq!(build("team/image:1", "thing").fail().kind, "unreachable");
}

#[tokio::test]
async fn the_first_channel_that_has_a_package_wins() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = base(&workshop.registry).await;
    let channels = Channels::new();
    channels.channel("first").add(&plain("thing", "1.0").build());
    channels.channel("second").add(&plain("thing", "2.0").build()).add(&plain("only", "1.0").build());

    let wanted = workshop.build(&base, "team/image:1").channels(&channels);
    let built = wanted.conda("-c first -c second thing only").succeed();

    assert_eq!(built.conda(), ["only 1.0", "thing 1.0"]);
}

#[tokio::test]
async fn the_last_part_of_an_address_is_no_name_of_a_channel() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = base(&workshop.registry).await;
    let channels = Channels::new();
    channels.channel("forge").add(&plain("thing", "9.0").build());
    let other = Channels::new();
    other.channel("forge").add(&plain("thing", "1.0").build());

    let spec = format!("-c forge {}::thing", other.channel("forge").url());
    let built = workshop.build(&base, "team/image:1").channels(&channels).conda(&spec).succeed();

    assert_eq!(built.conda(), ["thing 1.0"]);
}

#[tokio::test]
async fn what_is_installed_counts_only_where_it_is_of_the_channel_that_is_asked_for() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let channels = Channels::new();
    let forge = channels.channel("mirrors/forge");
    forge.add(&plain("thing", "1.0").build()).add(&plain("thing", "2.0").build());
    let mirror = format!("conda-forge={}", forge.url());
    let folders = [
        ("https://conda.anaconda.org/conda-forge".to_owned(), true),
        (forge.url(), true),
        ("https://repo.anaconda.com/pkgs/main".to_owned(), false),
    ];
    for (folder, is_forge) in folders {
        let prefix =
            PrefixBuilder::new("/opt/conda").channel(&folder).install(&plain("thing", "1.0").build());
        let base = bases::jupyter(&workshop.registry, &prefix).await;
        let wanted =
            workshop.build(&base.reference, "team/image:1").arguments(&["--channel-mirror", &mirror]);
        let built = wanted.conda("conda-forge::thing").succeed();
        let expected: &[&str] = if is_forge { &[] } else { &["thing 2.0"] };
        assert_eq!(built.conda(), expected, "{folder}");
    }
}

#[tokio::test]
async fn credentials_reach_the_server_that_they_are_for_and_nothing_else() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = base(&workshop.registry).await;
    let cases = [
        (ChannelAccess::Token("hunter2".into()), r#"{"CondaToken": "hunter2"}"#),
        (ChannelAccess::Bearer("hunter2".into()), r#"{"BearerToken": "hunter2"}"#),
        (
            ChannelAccess::Basic("me".into(), "hunter2".into()),
            r#"{"BasicHTTP": {"username": "me", "password": "hunter2"}}"#,
        ),
    ];
    for (access, entry) in cases {
        let private = Channels::with_access(access.clone());
        let public = Channels::new();
        private.channel("secret").add(&pure("hidden", "1.0").depends("thing").build());
        public.channel("open").add(&plain("thing", "1.0").build()).add(&python());
        let file = workshop.folder.path().join("credentials.json");
        fs::write(&file, format!(r#"{{"{}": {entry}}}"#, private.host())).unwrap();
        let spec =
            format!("-c {} -c {} hidden", private.channel("secret").url(), public.channel("open").url());

        let refused = workshop.build(&base, "team/image:1").conda(&spec).fail();
        assert_eq!(refused.kind, "unauthorized", "{access:?}: {refused:#?}");
        let file = file.to_str().unwrap();
        let built = workshop
            .build(&base, "team/image:1")
            .conda(&spec)
            .arguments(&["--channel-authfile", file])
            .succeed();

        assert!(built.conda().contains(&"hidden 1.0".to_owned()));
        assert!(!format!("{built:?}").contains("hunter2"), "{access:?}: {built:#?}");
        let seen = public.requests();
        assert!(seen.iter().all(|request| !format!("{request:?}").contains("hunter2")), "{seen:#?}");
        let image = workshop.run("team/image:1");
        let record = image.read_file("/opt/conda/conda-meta/hidden-1.0-py_0.json");
        assert!(!String::from_utf8(record).unwrap().contains("hunter2"));
        // What was fetched with a credential is in the owner's part of the cache, and public packages are not.
        let names = files_below(&workshop.cache());
        let of = |name: &str| names.iter().find(|path| path.ends_with(name)).unwrap().clone();
        assert!(of("hidden-1.0-py_0.conda").contains("/owners/"), "{names:?}");
        assert!(!of("thing-1.0-h0_0.conda").contains("/owners/"), "{names:?}");
        fs::remove_dir_all(workshop.cache().join("owners")).unwrap();
    }
}

#[tokio::test]
async fn other_channels_than_those_allowed_are_refused() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = base(&workshop.registry).await;
    let channels = Channels::new();
    channels.channel("good").add(&plain("thing", "1.0").build());
    let elsewhere = Channels::new();
    elsewhere.channel("good").add(&plain("thing", "9.0").build());
    let file = workshop.folder.path().join("config.toml");
    let text = format!(
        "[conda]\nchannel_alias = \"{}\"\nchannels = [\"good\"]\nallowed_channels = [\"good\"]\n",
        channels.url()
    );
    fs::write(&file, text).unwrap();
    let build = || workshop.build(&base, "team/image:1").arguments(&["--config", file.to_str().unwrap()]);

    assert_eq!(build().conda("thing").succeed().conda(), ["thing 1.0"]);
    let refused = build().conda("-c bad thing").fail();
    assert_eq!(refused.kind, "spec_invalid");
    assert_eq!(refused.message, "the channel bad is not allowed here");
    let mirror = format!("good={}", elsewhere.channel("good").url());
    for around in [["--channel-alias", &elsewhere.url()], ["--channel-mirror", &mirror]] {
        assert_eq!(build().conda("thing").arguments(&around).succeed().conda(), ["thing 1.0"], "{around:?}");
    }
}

#[tokio::test]
async fn a_package_can_be_asked_for_by_its_address() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = base(&workshop.registry).await;
    let channels = Channels::new();
    let package = plain("thing", "1.0").build();
    let forge = channels.channel("conda-forge");
    forge.add(&package).add(&plain("thing", "2.0").build());
    let address = format!("{}/{}/{}", forge.url(), package.subdir, package.file_name);

    let built = workshop.build(&base, "team/image:1").conda(&address).channels(&channels).succeed();

    assert_eq!(built.conda(), ["thing 1.0"]);
    // Nobody but the owner has promised what is there.
    let stored = files_below(&workshop.cache());
    let stored = stored.iter().filter(|path| path.contains("/wheels/") && path.ends_with(&package.file_name));
    assert!(stored.clone().count() > 0 && stored.clone().all(|path| path.contains("/owners/")), "{stored:?}");
}

fn files_below(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_below(&entry.path()));
        } else {
            found.push(entry.path().to_str().unwrap().to_owned());
        }
    }
    found
}
