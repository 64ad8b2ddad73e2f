//! Recorded errors of uv 0.13.9 and what becomes of them.

use crate::pip::PipError;
use crate::pip::classify::{Failure, classify};
use crate::pip::source_only::NeedsBuild;

/// Everything a person sees of an error.
fn seen(errors: &str) -> String {
    match classify(errors, "3.10.12", "CPython 3.10 on x86_64 with glibc 2.35") {
        Failure::NeedsBuild { name, version } => {
            let needs_build = NeedsBuild::from_words(&name, version.as_deref()).unwrap();
            shown(&needs_build.into_error(Some(&"0.0.10".parse().unwrap()), None))
        }
        Failure::Other(error) => shown(&error),
    }
}

fn shown(error: &PipError) -> String {
    format!(
        "{}: {error}\n{}\n→ {}",
        error.kind(),
        error.explanation().unwrap_or("-"),
        error.next_step().unwrap_or_else(|| "-".to_owned())
    )
}

#[test]
fn a_package_that_has_to_be_built_names_both_versions() {
    insta::assert_snapshot!(seen(
        "error: Failed to build `seqeval==1.2.2`\n  cause: The build backend returned an error\n  cause: Call to \
         `setuptools.build_meta:__legacy__.get_requires_for_build_wheel` failed (exit status: 97)\n\nhint: Build \
         failures usually indicate a problem with the package or the build environment\n"
    ));
}

#[test]
fn contradictions_are_explained_in_uvs_words() {
    insta::assert_snapshot!(seen(
        "error: No solution found when resolving dependencies\n  cause: Because requests==2.31.0 depends on \
         urllib3>=1.21.1,<3 and you require requests==2.31, we can conclude that you require urllib3>=1.21.1,<3.\n    \
         And because you require urllib3>3, we can conclude that your requirements are unsatisfiable.\n"
    ));
}

#[test]
fn names_and_versions_that_do_not_exist_are_not_found() {
    insta::assert_snapshot!(seen(
        "error: No solution found when resolving dependencies\n  cause: Because cv2 was not found in the package \
         registry and you require cv2, we can conclude that your requirements are unsatisfiable.\n"
    ));
    insta::assert_snapshot!(seen(
        "error: No solution found when resolving dependencies\n  cause: Because there is no version of six==99 and \
         you require six==99, we can conclude that your requirements are unsatisfiable.\n"
    ));
}

#[test]
fn an_index_that_wants_credentials_is_named() {
    insta::assert_snapshot!(seen(
        "error: No solution found when resolving dependencies\n  cause: Because foo was not found in the package \
         registry and you require foo, we can conclude that your requirements are unsatisfiable.\n\nhint: An index \
         URL (http://127.0.0.1:18332/simple) could not be queried due to a lack of valid authentication credentials \
         (401 Unauthorized)\n"
    ));
    insta::assert_snapshot!(seen(
        "error: No solution found when resolving dependencies\n  cause: Because foo was not found in the package \
         registry and you require foo, we can conclude that your requirements are unsatisfiable.\n\nhint: An index \
         (http://127.0.0.1:18333/simple) returned a 403 Forbidden error. Check that the index URL is correct and the \
         credentials are valid.\n"
    ));
}

#[test]
fn what_cannot_be_reached_says_why() {
    insta::assert_snapshot!(seen(
        "error: Failed to fetch: https://no.such.host.example/simple/foo/\n  cause: error sending request for url \
         (https://no.such.host.example/simple/foo/)\n  cause: client error (Connect)\n  cause: dns error\n  cause: \
         error resolving DNS\n  cause: failed to lookup address information: Name or service not known\n"
    ));
    insta::assert_snapshot!(seen(
        "error: Failed to fetch: http://127.0.0.1:18334/simple/foo/\n  cause: HTTP status server error (500 Internal \
         Server Error) for url (http://127.0.0.1:18334/simple/foo/)\n"
    ));
}

#[test]
fn withdrawn_versions_are_called_so() {
    insta::assert_snapshot!(seen(
        "error: No solution found when resolving dependencies\n  cause: Because foo==1.0 was yanked (reason: broken by \
         gnomes) and only foo==1.0 is available, we can conclude that all versions of foo cannot be used.\n    And \
         because you require foo, we can conclude that your requirements are unsatisfiable.\n"
    ));
}

#[test]
fn another_python_is_named() {
    insta::assert_snapshot!(seen(
        "error: No solution found when resolving dependencies\n  cause: Because the current Python version (3.10.12) \
         does not satisfy Python>=3.11 and numpy==2.3.0 depends on Python>=3.11, we can conclude that numpy==2.3.0 \
         cannot be used.\n    And because you require numpy==2.3.0, we can conclude that your requirements are \
         unsatisfiable.\n"
    ));
}

#[test]
fn wheels_for_other_systems_are_listed() {
    insta::assert_snapshot!(seen(
        "error: No solution found when resolving dependencies\n  cause: Because pywin32==306 has no wheels with a \
         matching platform tag (e.g., `manylinux_2_35_x86_64`) and you require pywin32==306, we can conclude that your \
         requirements are unsatisfiable.\n\nhint: Wheels are available for `pywin32` (v306) on the following \
         platforms: `win32`, `win_amd64`\n"
    ));
}

#[test]
fn addresses_lose_their_credentials() {
    let seen = seen(
        "error: Failed to fetch: https://me:secret@example.com/simple/foo/?token=secret\n  cause: timed out\n",
    );
    assert!(!seen.contains("secret") && !seen.contains("me:"), "{seen}");
    assert!(seen.starts_with("timeout: https://example.com/simple/foo/ cannot be reached"), "{seen}");
}
