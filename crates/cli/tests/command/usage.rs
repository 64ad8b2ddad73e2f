//! Wrong options: exit code 2, and what to write instead.

use crate::support::User;

#[tokio::test]
async fn wrong_options_are_told_with_exit_code_2() {
    let user = User::new();
    for (arguments, said) in [
        (&["build"][..], "--base <REF>"),
        (&["build", "--base", "debian:12"], "--to <REF>"),
        (&["build", "--base", "Debian:12", "--to", "x:1"], "invalid value 'Debian:12' for '--base <REF>'"),
        (&["build", "--base", "debian:12", "--to", "x:1", "--platform", "linux/riscv64"], "linux/arm64"),
        (&["build", "--base", "debian:12", "--to", "x:1", "--compression", "brotli"], "zstd"),
        (&["build", "--plan", "-", "--pip", "six"], "cannot be used with"),
        (&["build", "--base", "debian:12", "--to", "x:1", "--supervised"], "pass --plan -"),
        (&["build", "--supervised"], "--plan <FILE>"),
        (&["build", "--plan", "plan.json", "--supervised"], "pass --plan -"),
        (&["build", "--bsae", "debian:12"], "--base"),
        (&["inspect"], "<REF>"),
        (&["inspect", "https://host/x"], "has no `https://`"),
        (&["cache", "trim"], "--to <SIZE>"),
        (&["bake"], "unrecognized subcommand 'bake'"),
        (&[], "Usage: imagewright <COMMAND>"),
    ] {
        let shown = user.run(arguments).await.failed(2);
        assert!(shown.contains(said), "{arguments:?}: {shown}");
    }
    assert!(!user.cache().exists(), "nothing was begun");
}

#[tokio::test]
async fn usage_errors_are_the_same_for_programs() {
    let shown = User::new().run(&["build", "--events", "json", "--to", "x:1"]).await.failed(2);
    assert!(shown.contains("--base <REF>"), "{shown}");
}

#[tokio::test]
async fn sizes_are_explained() {
    let shown = User::new().run(&["cache", "trim", "--to", "lots"]).await.failed(2);
    assert_eq!(
        shown,
        "error: \"lots\" is no size\nnext: write a number with a unit, for example 10GB or 500MiB\n"
    );
}
