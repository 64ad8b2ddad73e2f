//! Maintainer scripts that fail.

use super::lines::{Lines, clean};
use super::{AptOutput, Cause};
use crate::error::ErrorKind;

/// Lines of a script's own that are shown.
const OWN_LINES: usize = 8;

/// `dpkg: error processing package NAME (--configure):`, and the line with the script and its exit code after it.
pub(super) fn cause(output: &AptOutput<'_>, lines: &Lines) -> Option<Cause> {
    const START: &str = "dpkg: error processing ";
    let mut all = lines.all().skip_while(|line| !line.starts_with(START));
    let error = all.next()?;
    let detail = all.next().unwrap_or_default().trim();
    let rest = error.strip_prefix(START)?;
    let name = rest.strip_prefix("package ").or_else(|| rest.strip_prefix("archive ")).unwrap_or(rest);
    let name = name.split(" (").next().unwrap_or(name).rsplit('/').next().unwrap_or(name);
    let script = detail.split(" script subprocess").next().filter(|_| detail.contains(" script subprocess"));
    let code = detail.rsplit("exit status ").next().filter(|_| detail.contains("exit status "));
    let message = match (script, code) {
        (Some(script), code) => {
            let script = script.rsplit("package ").next().unwrap_or(script);
            let kind = script.split_whitespace().last().unwrap_or(script);
            let code = code.map(|code| format!(" with exit code {code}")).unwrap_or_default();
            format!("the {} script of the system package {} failed{}", clean(kind), clean(name), clean(&code))
        }
        (None, _) => format!("the system package {} cannot be installed: {}", clean(name), clean(detail)),
    };
    // What the script itself said stands right before dpkg's error.
    let own = own_words(lines, START);
    let errors = [error.to_owned(), detail.to_owned()];
    Some(Cause {
        kind: ErrorKind::SandboxFailed,
        message: format!("{message} on {}", output.base),
        lines: own.into_iter().chain(errors).collect(),
        next: "the lines at the top are the script's own: the package may need a service, a setting or a newer base; \
               leave it out if you do not need it"
            .to_owned(),
    })
}

/// The lines before an error that are none of dpkg's.
fn own_words(lines: &Lines, error: &str) -> Vec<String> {
    let dpkg = [
        "Setting up ",
        "Unpacking ",
        "Preparing to unpack ",
        "Selecting previously ",
        "(Reading database",
        "Get:",
        "Fetched ",
        "Processing triggers ",
        "Need to get ",
        "After this operation",
        "debconf: ",
    ];
    let before = lines.before(error, 3 * OWN_LINES);
    let mut own: Vec<String> = before
        .into_iter()
        .rev()
        .take_while(|line| !dpkg.iter().any(|start| line.starts_with(start)))
        .take(OWN_LINES)
        .collect();
    own.reverse();
    own
}
