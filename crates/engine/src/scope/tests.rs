use imagewright_spec::{BuildSpec, parse_pip};

use super::*;

const SHA256: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn owner(name: &str) -> Owner {
    name.parse().unwrap()
}

/// A plan with these lines for pip.
fn plan(lines: &str) -> BuildPlan {
    let mut spec = BuildSpec::new("registry.example/base:1".parse().unwrap());
    spec.pip = parse_pip("--pip", lines, imagewright_spec::PipPolicy::OPEN).unwrap();
    let mut plan = BuildPlan::new(spec, "registry.example/team/image:1".parse().unwrap());
    plan.owner = Some(owner("vision"));
    plan
}

/// For whom `demo` is that a build by this plan fetches from here.
fn scope(plan: &BuildPlan, address: &str, direct: bool) -> Scope {
    let package = LockedPackage {
        name: "demo".into(),
        version: "1.0".into(),
        file: "demo-1.0-py3-none-any.whl".into(),
        url: address.into(),
        sha256: Digest::of(b"demo"),
        requested: true,
        direct_url: direct.then(|| "{}".to_owned()),
        built: None,
    };
    PublicSources::of(plan).scope_of(&package, &address.parse().unwrap())
}

#[test]
fn what_an_open_index_promises_is_for_everybody() {
    for (index, file) in [
        ("", "https://files.pythonhosted.org/packages/demo.whl"),
        ("", "https://cdn.example/demo.whl"),
        ("--index-url http://index.lan/simple", "http://index.lan/files/demo.whl"),
        ("--extra-index-url https://wheels.example/cpu", "https://cdn.example/demo.whl"),
    ] {
        assert_eq!(scope(&plan(&format!("demo {index}")), file, false), Scope::Shared, "{index} {file}");
    }
}

#[test]
fn what_takes_a_credential_is_for_its_owner() {
    let owners = Scope::Owner(owner("vision"));
    let closed = "demo --extra-index-url https://ada:engine@private.example/simple";
    let mut apart = plan("demo --extra-index-url https://private.example/simple");
    apart.index_credentials = plan(closed).spec.pip.credentials();
    for plan in [plan(closed), apart] {
        for (address, scope_wanted) in [
            ("https://private.example/files/demo.whl", &owners),
            // A file of the private index may be anywhere.
            ("https://storage.example/demo.whl", &owners),
            ("https://files.pythonhosted.org/packages/demo.whl", &Scope::Shared),
        ] {
            assert_eq!(&scope(&plan, address, false), scope_wanted, "{address}");
        }
    }
    for address in [
        "https://ada:engine@cdn.example/demo.whl",
        "https://ada@cdn.example/demo.whl",
        "https://cdn.example/demo.whl?signature=0",
        "file:///demo.whl",
        "ftp://cdn.example/demo.whl",
    ] {
        assert_eq!(scope(&plan("demo"), address, false), owners, "{address}");
    }
}

#[test]
fn an_address_is_public_only_with_a_promise() {
    let owners = Scope::Owner(owner("vision"));
    let address = "https://cdn.example/demo-1.0-py3-none-any.whl";
    let hashed = format!("{address}#sha256={SHA256}");
    assert_eq!(scope(&plan(&format!("demo @ {hashed}")), address, true), Scope::Shared);
    for line in [
        format!("demo @ {address}"),
        // Somebody else's promise: the lock of a base that anybody may have written.
        format!("other @ https://cdn.example/other-1.0-py3-none-any.whl#sha256={SHA256}"),
        format!("demo @ {address}?token=0#sha256={SHA256}"),
    ] {
        assert_eq!(scope(&plan(&line), address, true), owners, "{line}");
    }
}

#[test]
fn no_two_scopes_share_a_folder_or_a_key() {
    let (base, other) = (Digest::of(b"base"), Digest::of(b"other"));
    let scopes = [
        Scope::Shared,
        Scope::Owner(owner("a")),
        Scope::Owner(owner("on")),
        Scope::Owner(owner("owners")),
        Scope::OwnerAndBase(owner("a"), base),
        Scope::OwnerAndBase(owner("a"), other),
        Scope::OwnerAndBase(owner("b"), base),
    ];
    let keys: BTreeSet<String> = scopes.iter().map(Scope::key).collect();
    let folders: BTreeSet<PathBuf> = scopes.iter().map(Scope::folder).collect();
    assert_eq!((keys.len(), folders.len()), (scopes.len(), scopes.len()), "{keys:?} {folders:?}");
}

#[test]
fn what_is_made_of_several_is_for_those_who_may_have_all() {
    let (owners, built) = (Scope::Owner(owner("a")), Scope::OwnerAndBase(owner("a"), Digest::of(b"base")));
    assert_eq!(Scope::of_all([]), Scope::Shared);
    assert_eq!(Scope::of_all([&Scope::Shared, &owners, &Scope::Shared]), owners);
    assert_eq!(Scope::of_all([&owners, &built, &Scope::Shared]), built);
}
