//! What the tests share: folders, a command with its events, a base, packages.

mod base;
mod build;
mod workshop;

pub(crate) use base::{digest_of, index, noise, push_base, small_base};
pub(crate) use build::{Build, Outcome, Running};
pub(crate) use workshop::{Workshop, files_below};

/// Compares what people see of a failure with what was agreed on; addresses, digests and folders are left out.
macro_rules! assert_failure {
    ($outcome:expr, @$text:literal) => {{
        let report = $outcome.failure();
        insta::with_settings!({ filters => vec![
            (r"127\.0\.0\.1:\d+", "HOST"),
            (r"[0-9a-f]{64}", "HEX"),
            (r"/\S*/workshop-\w+", "FOLDER"),
            (r"\.new-\w+", ".new-X"),
            (r"/tmp/registry-\w+", "REGISTRY"),
            (r"build-\w{6}", "build-X"),
        ] }, { insta::assert_snapshot!(report, @$text); });
    }};
}
pub(crate) use assert_failure;
