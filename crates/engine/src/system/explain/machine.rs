//! Locks, disk, memory and processes: what is wrong around apt, not with what was asked for.

use std::os::unix::process::ExitStatusExt as _;

use super::lines::Lines;
use super::{AptOutput, Cause};
use crate::error::ErrorKind;

pub(super) fn cause(output: &AptOutput<'_>, lines: &Lines) -> Option<Cause> {
    let base = output.base;
    let found = |kind, pieces: &[&str], message: String, next: &str| {
        let lines = lines.with(pieces);
        (!lines.is_empty()).then(|| Cause { kind, message, lines, next: next.to_owned() })
    };
    let out_of_memory =
        output.killed_for_memory || output.status.signal() == Some(9) || output.status.code() == Some(137);
    if out_of_memory {
        return Some(Cause {
            kind: ErrorKind::SandboxFailed,
            message: format!("installing system packages on {base} needed more memory than a step may have"),
            lines: lines.errors(),
            next: "ask for fewer packages, or let the administrator raise `memory` in [sandbox]".to_owned(),
        });
    }
    found(
        ErrorKind::SandboxFailed,
        &["Could not get lock", "Unable to acquire the dpkg frontend lock", "is another process using it", "Unable to lock"],
        format!("apt cannot be used on {base}: something holds its lock"),
        "the base starts something that uses apt by itself, or changes apt's settings: take that out of the base",
    )
    .or_else(|| {
        found(
            ErrorKind::Unsupported,
            &["dpkg was interrupted", "you must manually run 'dpkg --configure -a'", "Unmet dependencies. Try 'apt --fix-broken"],
            format!("apt cannot be used on {base}: an installation in the base itself was never finished"),
            "run `dpkg --configure -a && apt-get install --fix-broken` when the base is made, and push it again",
        )
    })
    .or_else(|| {
        found(
            ErrorKind::DiskFull,
            &["No space left on device", "You don't have enough free space", "Disk quota exceeded"],
            format!("no space is left to install system packages on {base}"),
            "free some space, run `imagewright cache trim`, or ask for fewer packages",
        )
    })
    .or_else(|| {
        found(
            ErrorKind::SandboxFailed,
            &["Cannot allocate memory", "std::bad_alloc", "out of memory", "Cannot fork", "Resource temporarily unavailable"],
            format!("installing system packages on {base} ran out of memory or processes"),
            "ask for fewer packages, or let the administrator raise `memory` or `processes` in [sandbox]",
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
