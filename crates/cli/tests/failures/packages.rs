//! Package indexes on a bad day, and wheels that no one should install.

use std::time::Duration;

use imagewright_testkit::{Fault, PackageIndex, Registry, Wheel, WheelBuilder, require_tool};

use crate::support::{Outcome, Workshop, assert_failure, index, noise, push_base};

/// Builds with packages of an index, on the small base; folders and registry end with the build.
async fn build(index: &PackageIndex, packages: &[&str]) -> Outcome {
    build_with(index, packages, &[]).await
}

async fn build_with(index: &PackageIndex, packages: &[&str], options: &[&str]) -> Outcome {
    let registry = Registry::new();
    let base = push_base(&registry).await.reference;
    let workshop = Workshop::new();
    let to = format!("{}/team/image:1", registry.host());
    let outcome = workshop.build(&base, index, packages, &to).options(options).run();
    if outcome.code != Some(0) {
        assert_eq!(workshop.leftovers(), [""; 0]);
        assert_eq!(registry.tags("team/image").await, [""; 0]);
    }
    outcome
}

/// An index with one wheel, and a build with it.
async fn install(wheel: &Wheel) -> Outcome {
    let name = wheel.file_name.split('-').next().unwrap().to_owned();
    build(&PackageIndex::with([wheel]), &[&name]).await
}

fn pure(name: &str) -> WheelBuilder {
    WheelBuilder::new(name, "1.0").file(&format!("{name}.py"), "")
}

#[tokio::test]
async fn an_index_that_is_down_is_unreachable() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await.reference;
    // Nobody listens on this port any more.
    let address = index().url();
    let workshop = Workshop::new();
    let to = format!("{}/team/image:1", registry.host());

    let arguments =
        ["build", "--base", &base, "--to", &to, "--pip", "gamma", "--index-url", &address, "--attempts", "1"];

    assert_failure!(workshop.command(arguments).run(), @r"
    exit 6, unreachable
    message: http://HOST/simple/gamma/ cannot be reached
    explanation: Connection refused (os error 111)
    next step: check the address, the network, the proxy (HTTPS_PROXY) and, for a private certificate, --ca-bundle
    ");
}

#[tokio::test]
async fn an_index_that_hangs_is_given_up_in_time() {
    require_tool!("docker-registry", "uv");
    let index = index();
    index.inject(Fault::on("/simple/").hang());
    assert_failure!(build_with(&index, &["gamma"], &["--timeout", "1", "--attempts", "1"]).await, @r"
    exit 11, timeout
    message: http://HOST/simple/gamma/ cannot be reached
    explanation: operation timed out
    next step: check the address, the network, the proxy (HTTPS_PROXY) and, for a private certificate, --ca-bundle
    ");
}

#[tokio::test]
async fn a_slow_index_only_takes_longer() {
    require_tool!("docker-registry", "uv");
    let index = index();
    index.inject(Fault::on("/").delay(Duration::from_millis(200)));
    build(&index, &["alpha"]).await.digest();
}

#[tokio::test]
async fn an_index_that_fails_for_a_while_is_asked_again() {
    require_tool!("docker-registry", "uv");
    let index = index();
    index.inject(Fault::on("/simple/gamma/").times(1).status(503));
    index.inject(Fault::on_path("/files/gamma-0.3-py3-none-any.whl").times(2).status(503));
    build(&index, &["gamma"]).await.digest();
}

#[tokio::test]
async fn an_index_that_wants_a_password_says_so() {
    require_tool!("docker-registry", "uv");
    let index = PackageIndex::builder().basic_auth("ada", "engine").start();
    index.add_wheel(&pure("gamma").build());
    assert_failure!(build(&index, &["gamma"]).await, @r"
    exit 5, unauthorized
    message: the package index http://HOST/simple/ refuses access
    explanation: An index URL (http://HOST/simple/) could not be queried due to a lack of valid authentication credentials (401 Unauthorized)
    next step: give the index's user and password (https://user:password@host/simple), or ask its owner for access
    ");
}

#[tokio::test]
async fn a_package_that_does_not_exist_is_not_found() {
    require_tool!("docker-registry", "uv");
    assert_failure!(build(&index(), &["sklearn"]).await, @r"
    exit 4, not_found
    message: the package index has no package sklearn
    explanation: Because sklearn was not found in the package registry and you require sklearn, we can conclude that your requirements are unsatisfiable.
    next step: the package you want is probably called scikit-learn
    ");
    assert_failure!(build(&index(), &["gamma>=7"]).await, @r"
    exit 4, not_found
    message: the package index has no version gamma>=7
    explanation: Because only gamma==0.3 is available and you require gamma>=7, we can conclude that your requirements are unsatisfiable.
    next step: ask for a version that exists, or leave the version out
    ");
}

#[tokio::test]
async fn packages_that_exclude_each_other_are_explained() {
    require_tool!("docker-registry", "uv");
    let wheels = [
        pure("a").requires("b<2").build(),
        pure("c").requires("b>=2").build(),
        WheelBuilder::new("b", "1.5").file("b.py", "").build(),
        WheelBuilder::new("b", "2.5").file("b.py", "").build(),
    ];
    assert_failure!(build(&PackageIndex::with(&wheels), &["a", "c"]).await, @r"
    exit 3, conflict
    message: the pip requirements contradict each other, or what the base must keep
    explanation: Because all versions of c depend on b>=2 and all versions of a depend on b<2, we can conclude that all versions of a and all versions of c are incompatible.
    And because you require a and c, we can conclude that your requirements are unsatisfiable.
    next step: loosen one of the versions that the explanation names, or leave that package out
    ");
}

#[tokio::test]
async fn a_package_for_another_system_only_is_told() {
    require_tool!("docker-registry", "uv");
    let wheel = WheelBuilder::new("gamma", "1.0").platform_tag("cp311-cp311-win_amd64").file("gamma.py", "");
    assert_failure!(install(&wheel.build()).await, @r"
    exit 4, not_found
    message: gamma has no wheel for CPython 3.11 on x86_64 with glibc 2.36
    explanation: Because gamma==1.0 has no wheels with a matching platform tag (e.g., `manylinux_2_36_x86_64`) and only gamma==1.0 is available, we can conclude that all versions of gamma cannot be used.
    And because you require gamma, we can conclude that your requirements are unsatisfiable.
    next step: choose another version, or a base image with another Python or system
    ");
}

#[tokio::test]
async fn a_wheel_with_other_bytes_than_promised_is_refused() {
    require_tool!("docker-registry", "uv");
    let index = index();
    index.lie_about_hash("gamma-0.3-py3-none-any.whl");
    assert_failure!(build(&index, &["gamma"]).await, @r"
    exit 9, digest_mismatch
    message: gamma-0.3-py3-none-any.whl from http://HOST/files/gamma-0.3-py3-none-any.whl is not the file that the index describes: its SHA-256 is HEX, not HEX
    next step: try again; if it happens again, the index or a proxy on the way changes files
    ");
}

#[tokio::test]
async fn a_wheel_that_breaks_off_is_taken_up_again() {
    require_tool!("docker-registry", "uv");
    let index = index();
    let beta = "/files/beta-2.1-py3-none-any.whl";
    index.inject(Fault::on_path(beta).times(1).truncate_after(60_000));
    build(&index, &["beta"]).await.digest();

    let index = self::index();
    index.inject(Fault::on_path(beta).truncate_after(1000));
    assert_failure!(build_with(&index, &["beta"], &["--attempts", "2"]).await, @r"
    exit 6, unreachable
    message: http://HOST/files/beta-2.1-py3-none-any.whl cannot be reached
    explanation: request or response body error: error reading a body from connection: unexpected EOF during chunk size line
    next step: check the address, the network, the proxy (HTTPS_PROXY) and, for a private certificate, --ca-bundle
    ");
}

#[tokio::test]
async fn a_wheel_that_disappears_after_it_was_resolved_is_not_found() {
    require_tool!("docker-registry", "uv");
    let index = index();
    index.inject(Fault::on_path("/files/gamma-0.3-py3-none-any.whl").status(404));
    assert_failure!(build(&index, &["gamma"]).await, @r"
    exit 4, not_found
    message: gamma-0.3-py3-none-any.whl is not where the package index says
    explanation: http://HOST/files/gamma-0.3-py3-none-any.whl answered 404 Not Found
    next step: build again with --fresh; if it happens again, the index is damaged
    ");
}

#[tokio::test]
async fn wheels_that_reach_outside_are_refused() {
    require_tool!("docker-registry", "uv");
    assert_failure!(install(&pure("climbing").file("../../../etc/evil", "x").build()).await, @r"
    exit 12, unsupported
    message: the wheel `climbing-1.0-py3-none-any.whl` cannot be installed: its member `../../../etc/evil` leads out of its folder with `..`; no honest tool writes this, do not use the file
    next step: ask for another version of the package, or tell its publisher that the wheel is broken
    ");
    assert_failure!(install(&pure("absolute").file("/etc/evil", "x").build()).await, @r"
    exit 12, unsupported
    message: the wheel `absolute-1.0-py3-none-any.whl` cannot be installed: its member `/etc/evil` has an absolute path; no honest tool writes this, do not use the file
    next step: ask for another version of the package, or tell its publisher that the wheel is broken
    ");
    assert_failure!(install(&pure("linked").symlink("linked/passwd", "/etc/passwd").build()).await, @r"
    exit 12, unsupported
    message: the wheel `linked-1.0-py3-none-any.whl` cannot be installed: its member `linked/passwd` is a symbolic link, which wheels cannot have; no honest tool writes this, do not use the file
    next step: ask for another version of the package, or tell its publisher that the wheel is broken
    ");
    assert_failure!(install(&pure("data").data("data", "../../../../etc/evil", "x").build()).await, @r"
    exit 12, unsupported
    message: the wheel `data-1.0-py3-none-any.whl` cannot be installed: its member `data-1.0.data/data/../../../../etc/evil` leads out of its folder with `..`; no honest tool writes this, do not use the file
    next step: ask for another version of the package, or tell its publisher that the wheel is broken
    ");
}

#[tokio::test]
async fn wheels_that_are_not_what_they_list_are_refused() {
    require_tool!("docker-registry", "uv");
    let lying = pure("lying").record_hash("lying.py", "sha256=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_failure!(install(&lying.build()).await, @r"
    exit 12, unsupported
    message: the wheel `lying-1.0-py3-none-any.whl` cannot be installed: its member `lying.py` has another hash than RECORD says; the wheel was altered after it was made, do not use the file
    next step: ask for another version of the package, or tell its publisher that the wheel is broken
    ");
    assert_failure!(install(&pure("unlisted").without_record().build()).await, @r"
    exit 12, unsupported
    message: the wheel `unlisted-1.0-py3-none-any.whl` cannot be installed: its `RECORD` is missing; ask the package's authors for a correct wheel
    next step: ask for another version of the package, or tell its publisher that the wheel is broken
    ");
}

#[tokio::test]
async fn a_wheel_that_is_no_archive_is_refused() {
    require_tool!("docker-registry", "uv");
    let mut wheel = pure("noise").build();
    wheel.bytes = noise(5000).into();
    assert_failure!(install(&wheel).await, @r"
    exit 12, unsupported
    message: the wheel `noise-1.0-py3-none-any.whl` cannot be installed: it is not a sound ZIP archive; it may be damaged, download it again
    next step: ask for another version of the package, or tell its publisher that the wheel is broken
    ");
}

#[tokio::test]
async fn a_bomb_is_too_large() {
    require_tool!("docker-registry", "uv");
    assert_failure!(install(&pure("bomb").zeros("bomb/zeros", 300 << 20).build()).await, @r"
    exit 10, too_large
    message: the wheel `bomb-1.0-py3-none-any.whl` cannot be installed: its unpacked size as a multiple of its packed size is 1025, and the limit is 200
    next step: ask for another version of the package, or tell its publisher that the wheel is broken
    ");
}

#[tokio::test]
async fn a_launcher_that_leads_elsewhere_is_refused() {
    require_tool!("docker-registry", "uv");
    assert_failure!(install(&pure("launcher").script("../../../etc/cron.d/evil", "launcher:main").build()).await, @r"
    exit 12, unsupported
    message: the wheel `launcher-1.0-py3-none-any.whl` cannot be installed: its entry point `../../../etc/cron.d/evil` has a path as its name; ask the package's authors for a correct wheel
    next step: ask for another version of the package, or tell its publisher that the wheel is broken
    ");
}
