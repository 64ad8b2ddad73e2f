//! What is in the cache of one owner is not for another.

use imagewright_testkit::{
    Fault, FaultyProxy, PackageIndex, Registry, TokenAuth, Wheel, WheelBuilder, require_tool,
};

use crate::support::{Build, Workshop, index, push_base};

/// `gamma` 0.3 as somebody else has made it: the same name, version and file name as in the public index.
pub(super) fn another_gamma() -> Wheel {
    WheelBuilder::new("gamma", "0.3").file("gamma.py", "def answer():\n    return 'not yours'\n").build()
}

/// A private index.
fn private_index() -> PackageIndex {
    let index = PackageIndex::builder().basic_auth("ada", "engine").start();
    index.add_wheel(&another_gamma());
    index
}

/// A build of `gamma` for an owner, from an index at this address.
fn build_for(workshop: &Workshop, owner: &str, base: &str, index_url: &str, to: &str) -> Build {
    workshop.command([
        "build",
        "--owner",
        owner,
        "--base",
        base,
        "--pip",
        "gamma",
        "--index-url",
        index_url,
        "--to",
        to,
    ])
}

#[tokio::test]
async fn a_wheel_of_the_same_name_reaches_nobody_else() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await.reference;
    let (private, public) = (private_index(), index());
    let layers = format!("{}/layers", registry.host());
    let to = |name: &str| format!("{}/{name}/image:1", registry.host());
    // At an address without a digest, anything may be.
    let elsewhere = PackageIndex::with([&another_gamma()]);
    let by_address = format!("gamma @ {}", elsewhere.file_url(&another_gamma().file_name));
    let alone = build_for(&Workshop::new(), "b", &base, &public.url(), &to("alone")).run().digest();

    let workshop = Workshop::new();
    let shared = ["--layer-repo", &layers];
    let theirs = build_for(&workshop, "a", &base, &private.url_with_credentials(), &to("a"));
    let theirs = theirs.options(shared).run().digest();
    let by_address = workshop
        .command(["build", "--owner", "a", "--base", &base, "--pip", &by_address, "--to", &to("a")])
        .options(shared);
    assert_ne!(by_address.run().digest(), alone);
    assert_eq!(registry.tags("layers").await, [""; 0], "a private package is in the layer repository");

    let ours = build_for(&workshop, "b", &base, &public.url(), &to("b")).options(shared).run().digest();

    assert_ne!(theirs, alone);
    assert_eq!(ours, alone, "the same as where nobody else has ever built");
    assert_ne!(registry.tags("layers").await, [""; 0], "a public package is in the layer repository");
    assert_eq!(workshop.leftovers(), [""; 0]);
}

/// Keeping owners apart costs the second one the pages of the index, and nothing else.
#[tokio::test]
async fn what_is_public_is_fetched_and_made_once_for_all() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await.reference;
    let public = index();
    let to = |name: &str| format!("{}/{name}/image:1", registry.host());
    let workshop = Workshop::new();
    let first = build_for(&workshop, "a", &base, &public.url(), &to("a")).run().digest();
    let pages = public.requests().iter().filter(|request| request.path.starts_with("/simple/")).count();
    public.forget_requests();

    let second = build_for(&workshop, "b", &base, &public.url(), &to("b")).run().digest();

    assert_eq!(second, first);
    let asked = public.requests();
    let wheels = asked
        .iter()
        .filter(|request| request.path.rsplit('.').next() == Some("whl") && request.method == "GET");
    assert_eq!(wheels.count(), 0, "{asked:#?}");
    assert_eq!(asked.iter().filter(|request| request.path.starts_with("/simple/")).count(), pages);
    let owners = |part: &str| workshop.cache().join("owners/b").join(part).exists();
    assert_eq!(
        ["wheels", "frames", "layers", "index", "builds", "uv"].map(owners),
        [false, false, false, false, true, true]
    );
}

/// Pages and metadata that uv has kept, the lock of a finished build, wheels, prepared packages, known layers.
#[tokio::test]
async fn a_private_package_takes_credentials_from_each_owner() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await.reference;
    let private = private_index();
    let to = |name: &str| format!("{}/{name}/image:1", registry.host());
    let workshop = Workshop::new();
    let theirs =
        build_for(&workshop, "a", &base, &private.url_with_credentials(), &to("team")).run().digest();

    // The same request for the same image, only without the password.
    let dry = build_for(&workshop, "b", &base, &private.url(), &to("team")).options(["--dry-run"]).run();
    assert_eq!(dry.code, Some(5), "{dry:#?}");
    let refused = build_for(&workshop, "b", &base, &private.url(), &to("team")).run();
    assert_eq!(refused.kind(), "unauthorized");

    // The owner who has shown the password once has what was built with it.
    private.forget_requests();
    let again = build_for(&workshop, "a", &base, &private.url(), &to("team")).run();
    assert_eq!(again.digest(), theirs);
    assert!(private.requests().is_empty(), "{:#?}", private.requests());
}

/// An index of one's own that promises a digest proves nothing.
#[tokio::test]
async fn a_digest_alone_opens_nothing() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await.reference;
    let (private, wheel) = (private_index(), another_gamma());
    let to = |name: &str| format!("{}/{name}/image:1", registry.host());
    let workshop = Workshop::new();
    build_for(&workshop, "a", &base, &private.url_with_credentials(), &to("a")).run().digest();
    let pretended = PackageIndex::with([&wheel]);
    pretended.replace_file(&wheel.file_name, "no wheel");

    let refused = build_for(&workshop, "b", &base, &pretended.url(), &to("b")).run();

    assert_eq!(refused.kind(), "digest_mismatch");
    // With its bytes it would have been the very same package.
    let honest = PackageIndex::with([&wheel]);
    build_for(&workshop, "b", &base, &honest.url(), &to("b")).run().digest();
}

/// What is in a private image is not told to those who only know the digests of its layers.
#[tokio::test]
async fn a_private_base_takes_credentials_from_each_owner() {
    require_tool!("docker-registry", "uv");
    let closed = Registry::builder().token_auth(TokenAuth::single("ada", "engine")).start();
    let private = push_base(&closed).await;
    let workshop = Workshop::new();
    let credentials = closed.auth_file();
    let inspect = |owner: &str, reference: &str| {
        workshop.command(["inspect", "--json", "--owner", owner, "--attempts", "1", reference])
    };
    let read = inspect("a", &private.reference).options([std::path::Path::new("--authfile"), &credentials]);
    assert_eq!(read.run().code, Some(0));

    // A registry that names the same layers, and does not have them.
    let other = Registry::new();
    let named = push_base(&other).await;
    assert_eq!(named.layers[0].digest, private.layers[0].digest);
    let proxy = FaultyProxy::in_front_of(&other);
    proxy.inject(Fault::on(&named.layers[0].digest).status(404));
    let reference = named.reference_at(&proxy.host());
    assert_ne!(inspect("b", &reference).run().code, Some(0), "told without a look at the layer");
    assert_eq!(inspect("a", &reference).run().code, Some(0), "its owner has read it before");

    // A registry that gives it to everybody: read by one, known to all.
    assert_eq!(inspect("c", &named.reference).run().code, Some(0));
    assert_eq!(inspect("b", &reference).run().code, Some(0));
}

#[tokio::test]
async fn the_environment_says_for_whom_a_machine_builds() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await.reference;
    let workshop = Workshop::new();
    let to = format!("{}/team/image:1", registry.host());
    let plan = |owner: &str| {
        let spec = serde_json::json!({ "base": base });
        let file = workshop.root().join(format!("work/{owner}.json"));
        let plan = serde_json::json!({ "spec": spec, "to": to, "owner": owner });
        std::fs::write(&file, plan.to_string()).unwrap();
        workshop.command([std::path::Path::new("build"), std::path::Path::new("--plan"), &file])
    };

    let other = plan("b").variable("IMAGEWRIGHT_OWNER", "a").run();

    assert_eq!((other.code, other.kind()), (Some(2), "spec_invalid"));
    plan("a").variable("IMAGEWRIGHT_OWNER", "a").run().digest();
    plan("b").run().digest();
    let folders = ["a", "b", "default"].map(|owner| workshop.cache().join("owners").join(owner).exists());
    assert_eq!(folders, [true, true, false]);
    assert_eq!(plan("..").run().kind(), "spec_invalid");
}
