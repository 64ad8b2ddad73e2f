//! The sandbox in which system packages are installed and sources are built: which protections this machine gives,
//! and whether a program really runs in it.

use imagewright_engine::cancel::CancellationToken;
use imagewright_engine::sandbox::{Finding, SandboxSettings, examine, try_out};

use super::part::Part;

/// A part for each protection.
pub(super) fn protections(settings: &SandboxSettings) -> Vec<Part> {
    examine().into_iter().map(|finding| protection(finding, settings)).collect()
}

fn protection(finding: Finding, settings: &SandboxSettings) -> Part {
    let Finding { protection, given, detail, install } = finding;
    let part = Part::optional(protection.name(), protection.purpose());
    if given {
        return part.present(detail);
    }
    let consequence = if settings.requires(protection) {
        "steps that need the sandbox are refused"
    } else if protection.is_required() {
        "the configuration does without"
    } else {
        "steps run without"
    };
    part.missing(format!("{detail}; {consequence}"), install.unwrap_or_default())
}

/// Runs a program that does nothing.
pub(super) async fn trial(settings: &SandboxSettings) -> Part {
    let part =
        Part::optional("sandbox", "installs system packages and builds what is published as source only");
    match try_out(settings, &CancellationToken::new()).await {
        Ok(()) => part.present("a program was run in it"),
        Err(error) => {
            let why = error.explanation().map(|why| format!(": {why}")).unwrap_or_default();
            part.missing(format!("{error}{why}"), error.next_step().unwrap_or_default().to_owned())
        }
    }
}
