//! Which programs a test can count on.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::cache;

/// The program's path, looked up in `$IMAGEWRIGHT_TOOLS/bin`, where `make setup` puts what Debian does not have
/// (default: `target/tools/bin` of this workspace), then in `PATH`, and then among the programs of PostgreSQL, which
/// Debian keeps in a folder for each version.
pub fn tool(name: &str) -> Option<PathBuf> {
    let own = env::var_os("IMAGEWRIGHT_TOOLS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools"), PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    std::iter::once(own.join("bin"))
        .chain(env::split_paths(&path))
        .chain(postgresql_folders())
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// Newest version first.
fn postgresql_folders() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, folder)| folder).collect()
}

/// Ends the calling test, loudly, where one of the named programs is missing; with `CI=true` it panics, because
/// a skipped test would then hide that the machine was not set up.
///
/// ```
/// fn copies_an_image() {
///     imagewright_testkit::require_tool!("docker-registry", "skopeo");
///     // …
/// }
/// # copies_an_image();
/// ```
#[macro_export]
macro_rules! require_tool {
    ($($name:expr),+ $(,)?) => {
        if $crate::missing(&[$($name),+]) {
            return;
        }
    };
}

/// Says whether one of the programs is missing; the function behind [`require_tool!`].
#[doc(hidden)]
pub fn missing(names: &[&str]) -> bool {
    let missing: Vec<&str> = names.iter().copied().filter(|name| tool(name).is_none()).collect();
    if missing.is_empty() {
        return false;
    }
    let missing = missing.join(", ");
    assert!(
        env::var("CI").as_deref() != Ok("true"),
        "{missing}: not installed, and in CI no test may be skipped; run `make setup`"
    );
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let line = format!("SKIPPED: {test}: {missing} not installed; `make setup` installs it\n");
    // Not by `eprintln!`: test runners keep that to themselves when a test passes. Some keep this as well, so it is
    // also written down, and `make test` shows it at the end.
    let _ = io::stderr().write_all(line.as_bytes());
    let log = File::options().create(true).append(true).open(cache::folder().join("skipped.log"));
    log.and_then(|mut log| log.write_all(line.as_bytes())).expect("a line in the list of skipped tests");
    true
}

/// The path of a program that a part cannot do without.
pub(crate) fn required(name: &str) -> PathBuf {
    tool(name).unwrap_or_else(|| panic!("{name} is not installed: `make setup` installs it"))
}

#[cfg(test)]
mod tests {
    use super::tool;

    #[test]
    fn finds_what_is_there_and_nothing_else() {
        assert!(tool("sh").is_some_and(|path| path.is_absolute()));
        assert_eq!(tool("no-such-program-anywhere"), None);
    }
}
