//! The layer repository is believed, so it takes credentials of its own to write it.

use std::path::Path;

use imagewright_oci::registry::{Registry as _, RegistryClient, RegistryClientConfig, TagOrDigest};
use imagewright_testkit::{Grant, PackageIndex, Registry, TokenAuth, require_tool};

use super::owners::another_gamma;
use crate::support::{Workshop, index, push_base};

#[tokio::test]
async fn the_credentials_of_an_image_do_not_write_it() {
    require_tool!("docker-registry", "uv");
    let users = TokenAuth::single("ada", "engine").user("keeper", "of layers", [Grant::all().on("layers")]);
    let registry = Registry::builder().token_auth(users).start();
    let base = push_base(&registry).await.reference;
    let index = index();
    let layers = format!("{}/layers", registry.host());
    let credentials = registry.auth_file();
    // Each on a machine of its own.
    let machines = [(); 3].map(|()| Workshop::new());
    let build = |machine: usize| {
        let to = format!("{}/team/{machine}:1", registry.host());
        let build = machines[machine].build(&base, &index, &["gamma"], &to);
        build.options(["--layer-repo", &layers]).options([Path::new("--authfile"), &credentials])
    };

    // This user may do everything with every repository, and does not.
    let without = build(0).run();
    let digest = without.digest();
    assert_eq!(registry.tags("layers").await, [""; 0]);
    assert_eq!(without.warnings(), [""; 0]);
    assert!(format!("{:?}", without.events).contains("--layer-authfile"), "{without:#?}");

    let keeper = registry.auth_file_for("keeper", "of layers");
    let with = build(1).options([Path::new("--layer-authfile"), &keeper]).run();
    assert_eq!(with.digest(), digest);
    let tags = registry.tags("layers").await;
    assert_ne!(tags, [""; 0]);

    // What is there is found by everybody.
    assert_eq!(build(2).run().digest(), digest);
    let pushed = |user: &str| {
        let by_user = |scope: &String| scope.starts_with("repository:layers:") && scope.contains("push");
        let requests = registry.token_requests();
        let mut requests = requests.iter().filter(|request| request.user.as_deref() == Some(user));
        requests.any(|request| request.scopes.iter().any(by_user))
    };
    assert_eq!((pushed("ada"), pushed("keeper")), (false, true), "{:#?}", registry.token_requests());
    assert_eq!(registry.tags("layers").await, tags);
}

/// Whoever chooses a layer repository chooses whom to believe, for himself alone.
#[tokio::test]
async fn what_a_layer_repository_says_is_believed_by_its_user_alone() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await.reference;
    let (good, bad) = (index(), PackageIndex::with([&another_gamma()]));
    let build = |workshop: &Workshop, owner: &str, index: &PackageIndex, layers: &str| {
        let layers = format!("{}/{layers}", registry.host());
        let to = format!("{}/{owner}/image:1", registry.host());
        let build = workshop.build(&base, index, &["gamma"], &to);
        build.options(["--owner", owner, "--layer-repo", &layers])
    };
    let alone = build(&Workshop::new(), "alone", &good, "honest").run().digest();
    build(&Workshop::new(), "bad", &bad, "poisoned").run().digest();
    // Every key of the honest layers leads to a layer that somebody has made up.
    let bad_tag = registry.tags("poisoned").await.remove(0);
    let bad_layer = registry.manifest_bytes("poisoned", &bad_tag).await.unwrap();
    let client = RegistryClient::new(RegistryClientConfig::default()).unwrap();
    let repository = format!("{}/poisoned", registry.host()).parse().unwrap();
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    for tag in registry.tags("honest").await {
        let tag = TagOrDigest::tag(tag);
        client.put_manifest(&repository, &tag, media_type, bad_layer.clone()).await.unwrap();
    }

    let workshop = Workshop::new();
    let believed = build(&workshop, "a", &good, "poisoned").run().digest();
    let ours = build(&workshop, "b", &good, "honest").run().digest();

    assert_ne!(believed, alone, "the layers were made up");
    assert_eq!(ours, alone);
}
