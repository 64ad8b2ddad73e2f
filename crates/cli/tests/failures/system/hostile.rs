//! What a hostile base tries from inside, and how far it comes.

use imagewright_testkit::require_tool;

use super::scene::{SECRET, Scene, probes};

#[tokio::test]
async fn a_hostile_base_finds_and_reaches_nothing() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns");
    let mut scene = Scene::new().await;
    let auth_file = scene.workshop.root().join("work/auth.json");
    std::fs::write(&auth_file, format!(r#"{{"auths": {{"other.example": {{"auth": "{SECRET}"}}}}}}"#))
        .unwrap();

    let outcome = scene
        .build("probe")
        .options(["--authfile".as_ref(), auth_file.as_os_str()])
        .variable("SOME_TOKEN", SECRET)
        .run();

    insta::assert_snapshot!(probes(&outcome).join("\n"), @r"
    host file: out of sight
    second chroot: EPERM
    disk: PermissionError EPERM
    mount: EPERM
    user namespace: ENOSPC
    mount namespace: EPERM
    network namespace: EPERM
    no new privileges: 1
    system calls are filtered: 2
    powers: []
    host process: unseen
    signal: nobody there
    loopback: refused
    gateway: closed
    own address of the host: closed
    link-local metadata: closed
    another metadata service: closed
    credentials: []
    ");
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(scene.victim.try_wait().unwrap().is_none(), "a process of the host was ended");
    std::fs::remove_file(&auth_file).unwrap();
    scene.assert_nothing_is_left(&outcome);
}

#[tokio::test]
async fn a_fork_bomb_ends_at_the_limit_and_with_the_step() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns");
    let scene = Scene::new().await;
    let outcome = scene.build_with("bomb", "processes = 200").run();
    assert_eq!(probes(&outcome), ["fork bomb: EAGAIN after few"], "{outcome:#?}");
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    scene.assert_nothing_is_left(&outcome);
}

#[tokio::test]
async fn a_step_that_fills_the_disk_is_ended() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns");
    let scene = Scene::new().await;
    // The base itself has to be unpacked within the same limit.
    let outcome = scene.build_with("fill-disk", "disk = \"600MB\"").run();
    assert_eq!((outcome.code, outcome.kind()), (Some(10), "too_large"), "{outcome:#?}");
    assert!(outcome.failure().contains("installing system packages was ended: it wrote "), "{outcome:#?}");
    scene.assert_nothing_is_left(&outcome);
}

#[tokio::test]
async fn a_step_that_fills_the_memory_is_ended() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns");
    let scene = Scene::new().await;
    let outcome = scene.build_with("fill-memory", "memory = \"700MB\"").run();
    assert_eq!((outcome.code, outcome.kind()), (Some(7), "sandbox_failed"), "{outcome:#?}");
    scene.assert_nothing_is_left(&outcome);
}

#[tokio::test]
async fn a_step_that_takes_too_long_is_ended() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns");
    let scene = Scene::new().await;
    let outcome = scene.build_with("endless", "timeout_seconds = 5").run();
    assert_eq!(probes(&outcome), ["endless: running"], "{outcome:#?}");
    assert_eq!((outcome.code, outcome.kind()), (Some(11), "timeout"), "{outcome:#?}");
    scene.assert_nothing_is_left(&outcome);
}

#[tokio::test]
async fn what_a_step_leaves_running_ends_with_it() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns");
    let scene = Scene::new().await;
    let outcome = scene.build("daemon").run();
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    scene.assert_nothing_is_left(&outcome);
}

#[tokio::test]
async fn a_machine_with_too_few_protections_runs_nothing_unless_it_is_told_to() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns");
    let scene = Scene::new().await;
    let programs = scene.workshop.root().join("programs");
    std::fs::create_dir(&programs).unwrap();
    for program in std::fs::read_dir("/usr/bin").unwrap().flatten() {
        if program.file_name() != "slirp4netns" {
            std::os::unix::fs::symlink(program.path(), programs.join(program.file_name())).unwrap();
        }
    }
    let path = programs.to_str().unwrap();

    let refused = scene.build("probe").variable("PATH", path).run();
    insta::assert_snapshot!(refused.failure());
    assert_eq!(probes(&refused), [""; 0], "nothing was run");

    let allowed = scene.build_with("probe", "allow_without = [\"private-network\"]");
    let outcome = allowed.variable("PATH", path).run();
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    // What is given up, and nothing else.
    let probes = probes(&outcome);
    assert!(probes.contains(&"loopback: connected".to_owned()), "{probes:#?}");
    assert!(probes.contains(&"host file: out of sight".to_owned()), "{probes:#?}");
    std::fs::remove_dir_all(&programs).unwrap();
    scene.assert_nothing_is_left(&outcome);
}
