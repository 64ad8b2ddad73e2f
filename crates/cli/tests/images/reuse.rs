//! What is not uploaded twice.

use std::collections::BTreeSet;

use imagewright_testkit::{FaultyProxy, PackageIndex, bases, require_tool};

use crate::support::{Build, Workshop, demo_wheel, temporary_folder};

/// A workshop whose traffic with the registry is counted.
struct Counted {
    workshop: Workshop,
    proxy: FaultyProxy,
    base: String,
}

impl Counted {
    async fn new() -> Self {
        let workshop = Workshop::new();
        let base = bases::debian_python(&workshop.registry).await;
        let proxy = FaultyProxy::in_front_of(&workshop.registry);
        Self { base: base.reference_at(&proxy.host()), workshop, proxy }
    }

    /// A build whose requests all pass the proxy.
    fn build(&self, to: &str) -> Build {
        let to = format!("{}/{to}", self.proxy.host());
        self.workshop.bare_build().arguments(&["--base", &self.base, "--to", &to])
    }

    /// Digests of the blobs that were uploaded since the last call.
    fn uploads(&self) -> BTreeSet<String> {
        let requests = self.proxy.requests();
        self.proxy.forget_requests();
        let uploads =
            requests.iter().filter(|request| request.method == "PUT" && request.path.contains("digest="));
        uploads.map(|request| request.path.rsplit_once("digest=").unwrap().1.replace("%3A", ":")).collect()
    }

    async fn layers(&self, repository: &str, tag: &str) -> BTreeSet<String> {
        let manifest = self.workshop.registry.manifest(repository, tag).await.unwrap();
        let layers = manifest["layers"].as_array().unwrap();
        layers.iter().map(|layer| layer["digest"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn the_same_again_is_a_lookup() {
    require_tool!("docker-registry", "mmdebstrap", "uv");
    let counted = Counted::new().await;
    let index = PackageIndex::with(&[demo_wheel("alpha", "1.0")]);
    let first = counted.build("team/image:1").pip("alpha").index(&index).succeed();
    assert_eq!(first.uploaded_bytes(), counted.proxy.uploaded_bytes());
    counted.proxy.forget_requests();
    index.forget_requests();

    // The index has a newer version meanwhile; within the day the lock holds.
    index.add_wheel(&demo_wheel("alpha", "2.0"));
    let again = counted.build("team/image:2").pip("alpha").index(&index).succeed();

    assert_eq!(again.summary()["unchanged"], true);
    assert_eq!((again.uploaded_bytes(), counted.proxy.uploaded_bytes()), (0, 0));
    assert_eq!(again.digest(), first.digest());
    assert!(index.requests().is_empty(), "{:#?}", index.requests());
    let tag = |tag: &'static str| counted.workshop.registry.manifest_bytes("team/image", tag);
    assert_eq!(tag("1").await, tag("2").await);

    let fresh = counted.build("team/image:3").pip("alpha").index(&index).arguments(&["--fresh"]).succeed();
    assert_eq!(fresh.added(), ["alpha 2.0"]);
}

#[tokio::test]
async fn one_more_package_uploads_the_layers_that_change() {
    require_tool!("docker-registry", "mmdebstrap", "uv");
    let counted = Counted::new().await;
    let names = ["beta", "delta", "zeta", "library", "second", "third"];
    let mut wheels: Vec<_> = names.iter().map(|name| demo_wheel(name, "1.0")).collect();
    wheels.push(demo_wheel("alpha", "1.0"));
    let index = PackageIndex::with(&wheels);
    let before = |to: &str| names.iter().fold(counted.build(to).index(&index), |build, name| build.pip(name));
    before("team/image:1").succeed();
    let all = counted.layers("team/image", "1").await;
    counted.uploads();

    let added = before("team/image:2").pip("alpha").succeed();

    let now = counted.layers("team/image", "2").await;
    let new: BTreeSet<String> = now.difference(&all).cloned().collect();
    assert_eq!(new.len(), 2, "alpha's layer and what marks packages as asked for");
    let transferred = (added.uploaded_bytes(), counted.proxy.uploaded_bytes());
    assert_eq!(transferred.0, transferred.1);
    let uploads = counted.uploads();
    assert!(uploads.is_superset(&new));
    assert!(uploads.is_disjoint(&all), "{uploads:#?}");
}

#[tokio::test]
async fn known_layers_are_mounted_from_the_layer_repository() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let counted = Counted::new().await;
    let index = PackageIndex::with(&[demo_wheel("alpha", "1.0"), demo_wheel("beta", "1.0")]);
    let layers = format!("{}/imagewright/layers", counted.proxy.host());
    let build = |to: &str| counted.build(to).index(&index).arguments(&["--layer-repo", &layers]);
    build("team/one:1").pip("alpha").pip("beta").succeed();
    counted.uploads();

    // Another repository, and another machine that has never seen any of it.
    let other = temporary_folder();
    build("other/two:1").pip("alpha").pip("beta").cache(other.path()).succeed();

    let layers = counted.layers("other/two", "1").await;
    assert_eq!(layers, counted.layers("team/one", "1").await);
    let uploads = counted.uploads();
    assert!(uploads.is_disjoint(&layers), "{uploads:#?}");
    let image = counted.workshop.run("other/two:1");
    assert_eq!(image.run(&["alpha"]).stdout, "alpha 1.0\n");
}
