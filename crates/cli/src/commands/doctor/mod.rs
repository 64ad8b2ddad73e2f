//! `imagewright doctor`: which parts this machine has, and how to get those that are missing.

mod part;
mod programs;
mod sandbox;
mod storage;

use std::process::ExitCode;

use imagewright_engine::cache::{Cache, SweptFolder};
use imagewright_engine::error::BuildError;
use serde::Serialize;

use self::part::Part;
use crate::arguments::DoctorArguments;
use crate::configuration::Configuration;
use crate::display::amount::{bytes, counted};
use crate::display::{self, Screen, out_lines};

/// Everything that was found.
#[derive(Debug, Serialize)]
struct Findings {
    /// True when everything is there that assembling pip packages needs.
    ready: bool,
    /// True when system packages can be installed, and sources built.
    sandbox_ready: bool,
    parts: Vec<Part>,
    /// What `--clean` removed; absent without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    swept: Option<Vec<SweptFolder>>,
}

/// Looks, and tells. The exit code is 0 when images with pip packages can be built here, else 1.
pub(crate) async fn run(arguments: &DoctorArguments) -> ExitCode {
    let findings = match look(arguments).await {
        Ok(findings) => findings,
        Err(error) => {
            display::show_error(&error);
            return ExitCode::from(error.kind().exit_code());
        }
    };
    if arguments.json {
        display::json(&findings);
    } else {
        out_lines(&lines(&findings, Screen::of_standard_output()));
    }
    if findings.ready { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn look(arguments: &DoctorArguments) -> Result<Findings, BuildError> {
    let settings = Configuration::read(arguments.config.as_deref())?.sandbox();
    let root = arguments.cache_dir.clone().unwrap_or_else(Cache::default_root);
    let swept = if arguments.clean { Some(Cache::open_and_sweep(&root)?.1) } else { None };
    let (uv, buildah, docker_registry) =
        tokio::join!(programs::uv(), programs::buildah(), programs::docker_registry());
    // Every interpreter of this machine is asked who it is.
    let interpreters = tokio::task::spawn_blocking(programs::interpreters)
        .await
        .map_err(|error| BuildError::internal("looking at this machine failed").with_source(error))?;
    let mut parts =
        vec![uv, storage::certificates(), storage::cache(&root), interpreters, buildah, docker_registry];
    parts.extend(sandbox::protections(&settings));
    let trial = sandbox::trial(&settings).await;
    let sandbox_ready = trial.found;
    parts.push(trial);
    let ready = parts.iter().all(|part| part.found || !part.required);
    Ok(Findings { ready, sandbox_ready, parts, swept })
}

/// The findings for people: a line for each part, with the line that installs it below what is missing.
fn lines(findings: &Findings, screen: Screen) -> Vec<String> {
    let name_width = findings.parts.iter().map(|part| part.name.len()).max().unwrap_or_default();
    let mut lines: Vec<String> =
        findings.parts.iter().flat_map(|part| part.lines(name_width, screen)).collect();
    if let Some(swept) = &findings.swept {
        lines.push(String::new());
        let total = swept.iter().map(|folder| folder.bytes).sum();
        lines.push(match swept.len() {
            0 => "Nothing was left by killed builds.".to_owned(),
            number => format!(
                "Removed what killed builds had left: {}, {}.",
                counted(number, "folder"),
                bytes(total)
            ),
        });
        lines.extend(swept.iter().map(|folder| {
            let path = folder.path.display().to_string();
            let processes = match folder.processes {
                0 => String::new(),
                number => format!(", {} ended", counted(number, "program")),
            };
            format!("  {:>8}  {}{processes}", bytes(folder.bytes), display::escape::one_line(&path))
        }));
    }
    lines.push(String::new());
    lines.push(if findings.ready {
        "Images with pip packages can be built here.".to_owned()
    } else {
        "Images cannot be built here yet: run the lines above, then `imagewright doctor` again.".to_owned()
    });
    if findings.ready {
        lines.push(if findings.sandbox_ready {
            "System packages can be installed here, and sources built.".to_owned()
        } else {
            "System packages cannot be installed here, and sources not built: see `sandbox` above.".to_owned()
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_stands_with_the_line_that_installs_it() {
        let findings = Findings {
            ready: false,
            sandbox_ready: false,
            parts: vec![
                Part::required("uv", "resolves packages").missing("not found", "pip install uv==0.13.9"),
                Part::required("cache", "keeps what was made").present("/var/cache, 12.0 GB free"),
                Part::optional("buildah", "runs installers in the sandbox")
                    .missing("not found", "apt-get install buildah"),
            ],
            swept: Some(vec![SweptFolder {
                path: "/cache/staging/build-x".into(),
                bytes: 1_500_000,
                processes: 2,
            }]),
        };
        insta::assert_snapshot!("missing", lines(&findings, Screen::PLAIN).join("\n"));
        insta::assert_json_snapshot!("json", findings);
        let narrow = Screen { width: Some(60), ..Screen::PLAIN };
        insta::assert_snapshot!("narrow", lines(&findings, narrow).join("\n"));
    }
}
