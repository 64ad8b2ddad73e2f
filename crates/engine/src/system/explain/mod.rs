//! apt's failures in words: what went wrong in one sentence, the lines that matter at the top, and what to do.
//!
//! ```text
//! lines.rs       apt's output, in pieces
//! requested.rs   packages that do not exist, or do not fit together
//! mirrors.rs     lists and archives that cannot be fetched
//! packages.rs    maintainer scripts that fail
//! machine.rs     memory, disk, processes
//! base.rs        an apt that does not work in this base, locks
//! ```
//!
//! apt marks its errors with `E: ` up to version 2.9 and with `Error: ` since 3.0; its words are the same.

mod base;
mod lines;
mod machine;
mod mirrors;
mod packages;
mod requested;
#[cfg(test)]
mod tests;

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use crate::error::{BuildError, ErrorKind};
use lines::Lines;
pub(crate) use lines::clean;

/// What apt was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AptStep {
    /// Reading the lists of packages.
    Update,
    /// Installing.
    Install,
}

/// How apt failed.
#[derive(Debug)]
pub(crate) struct AptOutput<'run> {
    pub(crate) step: AptStep,
    pub(crate) status: ExitStatus,
    /// Everything that it wrote, bounded.
    pub(crate) lines: Vec<String>,
    /// The packages that were asked for.
    pub(crate) packages: &'run [String],
    /// Reference of the base.
    pub(crate) base: &'run str,
    /// Name of the base's system.
    pub(crate) system: &'run str,
    /// True when the kernel ended something for want of memory.
    pub(crate) killed_for_memory: bool,
}

/// A cause that was recognised.
struct Cause {
    kind: ErrorKind,
    message: String,
    /// The lines that say so.
    lines: Vec<String>,
    next: String,
}

/// Says what went wrong.
pub(crate) fn explain(output: &AptOutput<'_>) -> BuildError {
    let lines = Lines::new(&output.lines);
    // A script that fails may have called apt itself, or have crashed: that says nothing about the base's apt.
    let known = [machine::cause, packages::cause, base::cause, requested::cause, mirrors::cause];
    let cause =
        known.iter().find_map(|cause| cause(output, &lines)).unwrap_or_else(|| unknown(output, &lines));
    BuildError::new(cause.kind, cause.message)
        .with_explanation(lines.with_context(&cause.lines))
        .with_next_step(cause.next)
}

/// Nothing that is known: apt's own errors first.
fn unknown(output: &AptOutput<'_>, lines: &Lines) -> Cause {
    let what = match output.step {
        AptStep::Update => "the lists of system packages cannot be read",
        AptStep::Install => "system packages cannot be installed",
    };
    let how = match (output.status.code(), output.status.signal()) {
        (Some(code), _) => format!("apt-get ended with exit code {code}"),
        (None, Some(signal)) => format!("apt-get was ended by signal {signal}"),
        (None, None) => "apt-get failed".to_owned(),
    };
    Cause {
        kind: ErrorKind::SandboxFailed,
        message: format!("{what} on {}: {how}", output.base),
        lines: lines.errors(),
        next: format!("try the same in a container of {}: apt-get update && apt-get install …", output.base),
    }
}
