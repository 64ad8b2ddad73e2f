//! What a terminal gets: colours and a line that moves where they are wanted, and never what an image put there.

use imagewright_testkit::{ImageBuilder, LayerBuilder, require_tool};

use crate::support::{User, World};

/// A name that would retitle the window, clear the screen and turn the line around.
const HOSTILE: &str = "Evil\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}1m\u{202e}xunil";

/// Builds on a terminal of 100 columns, and gives everything that was sent to it.
async fn build_on_terminal(user: &User, world: &World, variables: &[&str]) -> String {
    let (base, target, url) = (world.base(), world.target("x:1"), world.index.url());
    let program = env!("CARGO_BIN_EXE_imagewright");
    let line = format!(
        "stty cols 100; exec env {} {program} build --base {base} --pip greeting --index-url {url} --to {target}",
        variables.join(" ")
    );
    let outcome = user.run_program("script", &["--quiet", "--return", "--command", &line, "/dev/null"]).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stdout);
    outcome.stdout
}

#[tokio::test]
async fn a_terminal_gets_colours_unless_it_does_not_want_them() {
    require_tool!("docker-registry", "uv", "script");
    let (user, world) = (User::new(), World::new().await);

    let lively = build_on_terminal(&user, &world, &["TERM=xterm-256color"]).await;
    assert!(lively.contains("\u{1b}[32m✓\u{1b}[0m Read the base image"), "{lively:?}");

    for variables in [&["TERM=xterm-256color", "NO_COLOR=1"][..], &["TERM=dumb"], &["--unset=TERM"]] {
        let plain = build_on_terminal(&user, &world, variables).await;
        assert!(plain.contains("✓ Read the base image"), "{plain}");
        let control = plain.chars().find(|character| character.is_control() && !"\r\n".contains(*character));
        assert_eq!(control, None, "{variables:?}: {plain:?}");
    }
}

#[tokio::test]
async fn what_an_image_says_cannot_steer_a_terminal() {
    require_tool!("docker-registry", "uv");
    let (user, world) = (User::new(), World::new().await);
    let os_release = format!("ID=evil\nPRETTY_NAME=\"{HOSTILE}\"\n");
    let layer = LayerBuilder::new()
        .file("etc/os-release", os_release)
        .file(
            "var/lib/dpkg/status",
            format!("Package: {HOSTILE}\nStatus: install ok installed\nVersion: {HOSTILE}\n"),
        )
        .build();
    let base = ImageBuilder::from_image(&world.base)
        .layer(layer)
        .entrypoint(&[HOSTILE])
        .push(world.registry(), "hostile:1")
        .await;
    let (target, url) = (world.target("x:1"), world.index.url());
    let build =
        ["build", "--base", &base.reference, "--pip", "greeting", "--index-url", &url, "--to", &target];
    for arguments in [
        &build[..],
        &[&build[..], &["--events", "json", "--fresh"]].concat(),
        &[&build[..], &["--dry-run"]].concat(),
        &["inspect", &target],
        &["inspect", "--json", &target],
    ] {
        let outcome = user.run(arguments).await.succeeded();
        let printed = format!("{}{}", outcome.stdout, outcome.stderr);
        let acted_upon =
            |character: &char| (character.is_control() && *character != '\n') || *character == '\u{202e}';
        assert_eq!(printed.chars().find(acted_upon), None, "{arguments:?}: {printed:?}");
    }
    let shown = user.run(&["inspect", &target]).await.succeeded();
    assert!(shown.stdout.contains("Evil\\u{1b}]0;owned"), "{}", shown.stdout);
}
