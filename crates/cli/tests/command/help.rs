//! Help texts: every word of them is part of the command.

use crate::support::User;

#[tokio::test]
async fn help_is_complete() {
    let user = User::new();
    for command in [&[][..], &["build"], &["inspect"], &["doctor"], &["cache"], &["cache", "trim"]] {
        let name = if command.is_empty() { "imagewright".to_owned() } else { command.join("-") };
        let help = user.run(&[command, &["--help"]].concat()).await.succeeded();
        insta::assert_snapshot!(name, help.stdout);
    }
}

#[tokio::test]
async fn the_version_is_told() {
    let shown = User::new().run(&["--version"]).await.succeeded();
    assert_eq!(shown.stdout, format!("imagewright {}\n", env!("CARGO_PKG_VERSION")));
}
