//! An apt that cannot work in this base, whatever it is asked for.

use super::lines::Lines;
use super::{AptOutput, Cause};
use crate::error::ErrorKind;

/// What is wrong with the base's apt. Only where no script of a package failed: its own words may be the same.
pub(super) fn cause(output: &AptOutput<'_>, lines: &Lines) -> Option<Cause> {
    let base = output.base;
    let found = |kind, pieces: &[&str], message: String, next: &str| {
        let lines = lines.with(pieces);
        (!lines.is_empty()).then(|| Cause { kind, message, lines, next: next.to_owned() })
    };
    found(
        ErrorKind::SandboxFailed,
        &["Could not get lock", "is another process using it"],
        format!("apt cannot be used on {base}: something holds its lock"),
        "the base starts something that uses apt by itself, or changes apt's settings: take that out of the base",
    )
    .or_else(|| {
        found(
            ErrorKind::Unsupported,
            &[
                "dpkg was interrupted",
                "you must manually run 'dpkg --configure -a'",
                "Unmet dependencies. Try 'apt --fix-broken",
                "Unmet dependencies. Try using -f",
            ],
            format!("apt cannot be used on {base}: an installation in the base itself was never finished"),
            "run `dpkg --configure -a && apt-get install --fix-broken` when the base is made, and push it again",
        )
    })
    .or_else(|| {
        found(
            ErrorKind::SandboxFailed,
            &["Read-only file system"],
            format!("apt of {base} has to write where nothing can be written"),
            "`imagewright doctor` tells whether this machine can run sandboxes; if it can, the base changes apt's \
             folders: take that out of the base",
        )
    })
    .or_else(|| {
        found(
            ErrorKind::Unsupported,
            &["Exec format error", "exec format error"],
            format!("programs of {base} cannot be run on this machine: they are for another processor"),
            "choose a base for this machine's processor",
        )
    })
    .or_else(|| {
        found(
            ErrorKind::Unsupported,
            &["error while loading shared libraries", "symbol lookup error", "Segmentation fault"],
            format!("apt of {base} does not work"),
            "the base is damaged, or its files do not belong together: choose another one",
        )
    })
}
