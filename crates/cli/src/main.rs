//! The `imagewright` command.
fn main() {}
