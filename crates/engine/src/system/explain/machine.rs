//! Disk, memory and processes: what is wrong around apt, not with what was asked for.

use std::os::unix::process::ExitStatusExt as _;

use super::lines::Lines;
use super::{AptOutput, Cause};
use crate::error::ErrorKind;

pub(super) fn cause(output: &AptOutput<'_>, lines: &Lines) -> Option<Cause> {
    let base = output.base;
    let found = |kind, pieces: &[&str], message: String, next: &str| {
        // apt before 2.0 says of a held lock that it is "temporarily unavailable", too.
        let mut lines = lines.with(pieces);
        lines.retain(|line| !line.contains("Could not get lock"));
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
        ErrorKind::DiskFull,
        &["No space left on device", "You don't have enough free space", "Disk quota exceeded"],
        format!("no space is left to install system packages on {base}"),
        "free some space, run `imagewright cache trim`, or ask for fewer packages",
    )
    .or_else(|| {
        found(
            ErrorKind::SandboxFailed,
            &[
                "Cannot allocate memory",
                "std::bad_alloc",
                "out of memory",
                "Cannot fork",
                "Failed to fork",
                "fork failed",
                "Resource temporarily unavailable",
            ],
            format!("installing system packages on {base} ran out of memory or processes"),
            "ask for fewer packages, or let the administrator raise `memory` or `processes` in [sandbox]",
        )
    })
}
