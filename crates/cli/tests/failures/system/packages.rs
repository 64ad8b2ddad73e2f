//! System packages from a repository that the base brings along: what gets into the image, and what people read when
//! something is wrong with the packages.

use imagewright_testkit::{
    Deb, DebBuilder, Entry, ImageBuilder, LayerBuilder, PushedImage, Registry, Runner, apt_repository, bases,
    require_tool,
};

use crate::support::{Build, Outcome, Workshop, small_base};

/// What stands below the lines that matter: apt's two outputs, in no certain order.
const CONTEXT: &str = r"(?s)\n…\n.*\nnext step";

/// A registry, folders, and Debian with a repository of its own.
pub(super) struct Shop {
    registry: Registry,
    pub(super) workshop: Workshop,
    base: PushedImage,
}

impl Shop {
    pub(super) async fn with(debs: &[Deb]) -> Self {
        let registry = Registry::new();
        let debian = bases::debian_python(&registry).await;
        let image = ImageBuilder::from_image(&debian).layer(apt_repository(debs));
        let base = image.push(&registry, "bases/with-repository:1").await;
        Self { registry, workshop: Workshop::new(), base }
    }

    fn reference(&self, image: &str) -> String {
        format!("{}/{image}", self.registry.host())
    }

    pub(super) fn build(&self, packages: &[&str], to: &str) -> Build {
        let to = self.reference(to);
        let mut build = self.workshop.command(["build", "--base", &self.base.reference, "--to", &to]);
        for package in packages {
            build = build.options(["--apt", package]);
        }
        build
    }

    /// What people see of a build that fails, the address of the registry taken out.
    fn failure(&self, packages: &[&str]) -> String {
        let outcome = self.build(packages, "team/image:1").run();
        outcome.failure().replace(&self.registry.host(), "REGISTRY")
    }
}

/// A package whose script leaves traces of the run, and things that belong to the package.
fn messy() -> Deb {
    let script = "#!/bin/sh\nset -e\nuseradd --system messy\necho started >> /var/log/messy.log\n\
                  echo 0123456789abcdef0123456789abcdef > /etc/machine-id\nmkdir -p /var/cache/apt/archives /etc/ssh\n\
                  echo cached > /var/cache/apt/archives/x.deb\necho secret > /etc/ssh/ssh_host_rsa_key\n\
                  echo nameserver 192.0.2.1 > /etc/resolv.conf || true\necho x > /tmp/x\n\
                  ls -1 /run > /dev/null\ncat /proc/self/environ | tr '\\0' '\\n' > /opt/environment\n\
                  touch /opt/now\nrm /usr/share/doc/messy/removed\n";
    DebBuilder::new("messy", "2.0-1")
        .field("Depends", "plain (>= 1)")
        .program("usr/bin/messy", "#!/bin/sh\necho messy 2.0\n")
        .file("usr/share/doc/messy/removed", "x")
        .script("postinst", script)
        .build()
}

pub(super) fn plain() -> Deb {
    DebBuilder::new("plain", "1.5").file("usr/share/plain/data", "plain data\n").build()
}

#[tokio::test]
async fn packages_are_installed_and_the_run_leaves_no_trace() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns");
    let shop = Shop::with(&[plain(), messy()]).await;
    let proxy = "http://proxy.example:3128";

    let build = shop.build(&["messy"], "team/image:1").variable("http_proxy", proxy);
    let outcome = build.variable("no_proxy", "127.0.0.1").run();

    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    let installed = &outcome.result()["images"][0]["system"];
    assert_eq!(installed, &serde_json::json!(["messy 2.0-1", "plain 1.5"]), "{outcome:#?}");
    let image = Runner::start(&shop.registry, &shop.reference("team/image:1"));
    assert_eq!(image.run(&["messy"]).stdout, "messy 2.0\n");
    assert_eq!(image.read_file("/usr/share/plain/data"), b"plain data\n");
    assert!(image.run(&["dpkg", "--verify", "plain"]).succeeded());
    assert_eq!(image.run(&["dpkg-query", "-W", "-f", "${Status}", "messy"]).stdout, "install ok installed");
    assert!(image.run(&["id", "messy"]).succeeded(), "the script's user is there");
    assert_eq!(image.file_metadata("/usr/bin/messy").uid, 0);
    assert!(!image.exists("/usr/share/doc/messy/removed"));
    // What only tells of the run.
    assert_eq!(image.read_file("/var/log/messy.log"), b"");
    for gone in ["/tmp/x", "/var/cache/apt/archives/x.deb", "/etc/ssh/ssh_host_rsa_key", "/run/imagewright"] {
        assert!(!image.exists(gone), "{gone}");
    }
    let lists =
        image.run(&["find", "/var/lib/apt/lists", "/var/cache/apt", "-type", "f", "!", "-name", "lock"]);
    assert_eq!(lists.stdout, "", "lists and archives");
    let traces = image.run(&["grep", "-rl", "0123456789abcdef0123456789abcdef", "/etc", "/var/lib/dbus"]);
    assert_eq!(traces.stdout, "", "a machine id");
    let told = String::from_utf8(image.read_file("/opt/environment")).unwrap();
    assert!(told.contains(&format!("http_proxy={proxy}")), "the step knows the proxy: {told}");
    assert!(told.contains("SSL_CERT_FILE=/run/imagewright/certificates.pem"), "{told}");
    let kept =
        image.run(&["grep", "-rlE", "proxy.example|run/imagewright", "/etc", "/root", "/var", "/usr/local"]);
    assert_eq!(kept.stdout, "", "the caller's settings");
    assert_eq!(shop.workshop.leftovers(), [""; 0]);
}

#[tokio::test]
async fn the_same_packages_are_installed_once_and_a_fresh_build_has_the_same_digest() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns");
    let shop = Shop::with(&[plain()]).await;
    let ran = |outcome: &Outcome| outcome.events.iter().any(|event| event["event"] == "output");

    let first = shop.build(&["plain"], "team/one:1").run();
    let second = shop.build(&["plain"], "team/two:1").run();
    let third = shop.build(&["plain"], "team/three:1").options(["--fresh"]).run();
    let other = shop.build(&["plain"], "team/four:1").options(["--owner", "somebody-else"]).run();

    assert!(ran(&first));
    assert!(!ran(&second), "it was made before: {second:#?}");
    assert!(ran(&third), "it was asked to be made anew");
    assert!(ran(&other), "what came out of a base is for its owner alone");
    assert_eq!(second.digest(), first.digest());
    assert_eq!(third.digest(), first.digest(), "the same packages give the same bytes");
    assert_eq!(other.digest(), first.digest());
}

#[tokio::test]
async fn pip_packages_come_above_and_an_image_with_system_packages_is_a_base() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns", "uv");
    let shop = Shop::with(&[plain(), messy()]).await;
    let index = crate::support::index();
    let options = ["--index-url", &index.url(), "--pip", "gamma"];

    let first = shop.build(&["plain"], "team/first:1").options(options).run();
    assert_eq!(first.code, Some(0), "{first:#?}");
    let base = shop.reference("team/first:1");
    let to = shop.reference("team/second:1");
    let second = shop.workshop.command(["build", "--base", &base, "--apt", "messy", "--to", &to]);
    let second = second.options(["--index-url", &index.url(), "--pip", "alpha"]).run();

    assert_eq!(second.code, Some(0), "{second:#?}");
    let installed = &second.result()["images"][0]["system"];
    assert_eq!(installed, &serde_json::json!(["messy 2.0-1", "plain 1.5"]));
    let image = Runner::start(&shop.registry, &to);
    assert_eq!(image.run(&["messy"]).stdout, "messy 2.0\n");
    assert_eq!(image.python("import alpha, gamma; print(alpha.answer())").stdout, "42\n");
    assert_eq!(image.read_file("/usr/share/plain/data"), b"plain data\n");
}

#[tokio::test]
async fn what_is_wrong_with_packages_is_told_in_words() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns");
    let broken = DebBuilder::new("broken", "1.0")
        .script("postinst", "#!/bin/sh\necho 'broken: cannot find the licence server' >&2\nexit 3\n");
    let shop = Shop::with(&[
        plain(),
        broken.build(),
        DebBuilder::new("lonely", "1.0").field("Depends", "nobody-has-this").build(),
        DebBuilder::new("first", "1.0").field("Conflicts", "second").build(),
        DebBuilder::new("second", "1.0").field("Conflicts", "first").build(),
    ])
    .await;

    insta::with_settings!({ filters => vec![(r"bases/with-repository:1", "BASE"), (CONTEXT, "\n…\nnext step")] }, {
        insta::assert_snapshot!("does_not_exist", shop.failure(&["plain", "plane"]));
        insta::assert_snapshot!("version_does_not_exist", shop.failure(&["plain=9"]));
        insta::assert_snapshot!("script_fails", shop.failure(&["broken"]));
        insta::assert_snapshot!("needs_what_does_not_exist", shop.failure(&["lonely"]));
        insta::assert_snapshot!("conflict", shop.failure(&["first", "second"]));
    });
    assert_eq!(shop.workshop.leftovers(), [""; 0]);
}

#[tokio::test]
async fn what_is_wrong_with_the_base_is_told_in_words() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns");
    let shop = Shop::with(&[plain()]).await;
    let failure = async |layer: LayerBuilder, name: &str| {
        let image = ImageBuilder::from_image(&shop.base).layer(layer.build());
        let base = image.push(&shop.registry, &format!("bases/{name}:1")).await;
        let to = shop.reference("team/image:1");
        let build =
            shop.workshop.command(["build", "--base", &base.reference, "--apt", "plain", "--to", &to]);
        build.run().failure().replace(&shop.registry.host(), "REGISTRY")
    };
    let mirror = "deb [trusted=yes] http://mirror.invalid/debian bookworm main\n";
    let gone = LayerBuilder::new().file("etc/apt/sources.list", mirror);
    let unreachable = failure(gone, "without-mirror").await;
    insta::with_settings!({ filters => vec![(CONTEXT, "\n…\nnext step")] }, {
        insta::assert_snapshot!("mirror_cannot_be_reached", unreachable);
    });
    // Something of the base holds the lock for as long as apt may run.
    let hold = "#!/usr/bin/python3\nimport fcntl, os, sys, time\nif 'install' in sys.argv:\n    \
                file = open('/var/lib/dpkg/lock-frontend', 'w')\n    fcntl.lockf(file, fcntl.LOCK_EX)\n    \
                if os.fork() == 0:\n        os.execv('/usr/bin/apt-get.real', sys.argv)\n    os.wait()\n    \
                sys.exit(100)\nos.execv('/usr/bin/apt-get.real', sys.argv)\n";
    let holding = LayerBuilder::new()
        .add(Entry::file("usr/bin/apt-get", hold).mode(0o755))
        .add(Entry::file("usr/bin/apt-get.real", apt_get(&shop)).mode(0o755));
    let lock_is_held = failure(holding, "holding").await;
    insta::with_settings!({ filters => vec![(r"held by process \d+ \([^)]*\)", "held by process N")] }, {
        insta::assert_snapshot!("lock_is_held", lock_is_held);
    });
}

/// The program that the base has.
fn apt_get(shop: &Shop) -> Vec<u8> {
    Runner::start(&shop.registry, &shop.base.reference).read_file("/usr/bin/apt-get")
}

#[tokio::test]
async fn a_base_without_apt_is_refused_before_anything_is_run() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let failure = async |image: ImageBuilder, platform: &str| {
        let base = image.push(&registry, "bases/other:1").await;
        let to = format!("{}/team/image:1", registry.host());
        let workshop = Workshop::new();
        let build = workshop.command(["build", "--base", &base.reference, "--apt", "jq", "--to", &to]);
        let outcome = build.options(["--platform", platform]).run();
        assert!(!outcome.events.iter().any(|event| event["event"] == "output"), "{outcome:#?}");
        outcome.failure()
    };
    let alpine = LayerBuilder::new()
        .file("etc/os-release", "PRETTY_NAME=\"Alpine Linux v3.20\"\nID=alpine\n")
        .program("sbin/apk", "")
        .file("lib/apk/db/installed", "P:musl\nV:1.2.5-r0\n");
    insta::assert_snapshot!(
        "alpine",
        failure(ImageBuilder::new().layer(alpine.build()), "linux/amd64").await
    );
    insta::assert_snapshot!("no_package_manager", failure(small_base(), "linux/amd64").await);
    let bare = LayerBuilder::new()
        .program("usr/bin/apt-get", "")
        .program("usr/bin/dpkg", "")
        .file("var/lib/dpkg/status", "\n");
    insta::assert_snapshot!(
        "no_sources",
        failure(ImageBuilder::new().layer(bare.build()), "linux/amd64").await
    );
}
