//! From flags and files to a build plan.

mod channels;
mod files;
mod locks;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use imagewright_engine::error::{BuildError, ErrorKind};
use imagewright_engine::plan::BuildPlan;
use imagewright_spec::{
    CondaPolicy, ImageReference, IndexUrl, Owner, PackageRequest, PipPolicy, Problem, SpecErrors, parse_apt,
    parse_conda, parse_pip,
};

use crate::arguments::BuildArguments;

/// Largest plan that is read, in bytes.
pub(crate) const PLAN_SIZE_LIMIT: u64 = 16 << 20;

/// The variable that stands for `--index-url`.
const INDEX_URL: &str = "IMAGEWRIGHT_INDEX_URL";

/// The variable that stands for `--layer-repo`.
const LAYER_REPOSITORY: &str = "IMAGEWRIGHT_LAYER_REPO";

/// The variable that stands for `--layer-authfile`.
const LAYER_AUTHFILE: &str = "IMAGEWRIGHT_LAYER_AUTHFILE";

/// The variable that stands for `--owner`.
const OWNER: &str = "IMAGEWRIGHT_OWNER";

/// The plan that the command line describes.
///
/// # Errors
/// Everything that is wrong with what was typed, by line and column.
pub(crate) fn plan(arguments: &BuildArguments) -> Result<BuildPlan, BuildError> {
    if let Some(path) = &arguments.plan {
        return plan_of_json(&read_plan(path)?, arguments);
    }
    if !arguments.lock.is_empty() {
        return owned(patient(locks::plan(arguments)?, arguments));
    }
    let mut request = PackageRequest::default();
    let mut errors = Vec::new();
    for path in &arguments.file {
        match files::read(path)? {
            Ok(found) => request.merge(found),
            Err(found) => errors.extend(found.0),
        }
    }
    let mut keep = |found: Result<PackageRequest, SpecErrors>| match found {
        Ok(found) => request.merge(found),
        Err(found) => errors.extend(found.0),
    };
    // One option is one line, so that an error's line number counts the options.
    let apt = parse_apt("--apt", &arguments.apt.join("\n"));
    keep(apt.map(|apt| PackageRequest { apt, ..PackageRequest::default() }));
    let conda = parse_conda("--conda", &arguments.conda.join("\n"), CondaPolicy::OPEN);
    keep(conda.map(|conda| PackageRequest { conda, ..PackageRequest::default() }));
    let pip = parse_pip("--pip", &arguments.pip.join("\n"), PipPolicy::OPEN);
    keep(pip.map(|pip| PackageRequest { pip, ..PackageRequest::default() }));
    if !errors.is_empty() {
        return Err(invalid_lines(&SpecErrors(errors)));
    }
    request.kind = arguments.kind.or(request.kind);
    let base = arguments.base.clone().or(request.base.take());
    let base = base.ok_or_else(|| {
        BuildError::new(ErrorKind::SpecInvalid, "no base image is given")
            .with_next_step("pass --base REF, or write base = \"REF\" into image.toml")
    })?;
    if let Some(url) = &arguments.index_url {
        request.pip.index_url = Some(index("--index-url", url)?);
    } else if let Some(url) = variable(INDEX_URL) {
        // What a file says is closer to the image than what a machine is set up with.
        request.pip.index_url.get_or_insert(index(INDEX_URL, &url)?);
    }
    for url in &arguments.extra_index_url {
        request.pip.extra_index_urls.push(index("--extra-index-url", url)?);
    }
    let to = match &arguments.to {
        Some(to) => to.clone(),
        // Only a dry run may go without: nothing is pushed then.
        None => dry_run_target(&base)?,
    };
    let mut plan = BuildPlan::new(request.on_base(base), to);
    if !arguments.platform.is_empty() {
        plan.platforms.clone_from(&arguments.platform);
    }
    plan.compression = arguments.compression;
    common(&mut plan, arguments)?;
    if plan.owner.is_some() { Ok(patient(plan, arguments)) } else { owned(patient(plan, arguments)) }
}

/// A plan as JSON, with what this machine adds to every plan.
///
/// # Errors
/// What is wrong with it, with its place.
pub(crate) fn plan_of_json(text: &str, arguments: &BuildArguments) -> Result<BuildPlan, BuildError> {
    let mut plan = BuildPlan::from_json(text)?;
    plan.conda.credentials.extend(channels::credentials(arguments)?);
    owned(patient(plan, arguments))
}

/// What is said of the machine and its network, whatever is built.
fn common(plan: &mut BuildPlan, arguments: &BuildArguments) -> Result<(), BuildError> {
    plan.layer_repository = match (&arguments.layer_repo, variable(LAYER_REPOSITORY)) {
        (Some(repository), _) => Some(repository.clone()),
        (None, Some(text)) => Some(text.parse().map_err(|problem| wrong_option(LAYER_REPOSITORY, &problem))?),
        (None, None) => None,
    };
    plan.layer_auth_file =
        arguments.layer_authfile.clone().or_else(|| variable(LAYER_AUTHFILE).map(PathBuf::from));
    plan.conda = channels::settings(arguments)?;
    plan.mirrors = locks::mirrors(arguments)?;
    plan.owner.clone_from(&arguments.owner);
    plan.fresh = arguments.fresh;
    plan.auth_file.clone_from(&arguments.registry.authfile);
    plan.insecure_registries.clone_from(&arguments.registry.insecure_registry);
    plan.ca_bundles.clone_from(&arguments.registry.ca_bundle);
    Ok(())
}

/// Gives a plan the owner that the environment names. A plan for another one is refused: the operator has said for
/// whom this machine builds.
fn owned(mut plan: BuildPlan) -> Result<BuildPlan, BuildError> {
    let Some(name) = variable(OWNER) else { return Ok(plan) };
    let owner: Owner = name.parse().map_err(|problem| wrong_option(OWNER, &problem))?;
    if let Some(other) = plan.owner.as_ref().filter(|other| **other != owner) {
        let message = format!("the plan is for the owner {other}, and {OWNER} says {owner}");
        return Err(BuildError::new(ErrorKind::SpecInvalid, message)
            .with_next_step("leave the owner out of the plan, or build it where builds for that owner run"));
    }
    plan.owner = Some(owner);
    Ok(plan)
}

/// What is said about waiting holds for a plan from a file as well: it is about this machine's network.
fn patient(mut plan: BuildPlan, arguments: &BuildArguments) -> BuildPlan {
    plan.patience = arguments.registry.patience(plan.patience);
    plan
}

/// A variable of the environment; an empty one is as good as none.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn dry_run_target(base: &ImageReference) -> Result<ImageReference, BuildError> {
    base.with_tag("dry-run").map_err(|problem| wrong_option("--base", &problem))
}

/// The indexes that options and the environment name.
fn indexes(arguments: &BuildArguments) -> Result<Vec<IndexUrl>, BuildError> {
    let main = match (&arguments.index_url, variable(INDEX_URL)) {
        (Some(url), _) => Some(index("--index-url", url)?),
        (None, Some(url)) => Some(index(INDEX_URL, &url)?),
        (None, None) => None,
    };
    let extra = arguments.extra_index_url.iter().map(|url| index("--extra-index-url", url));
    main.map(Ok).into_iter().chain(extra).collect()
}

fn index(option: &'static str, text: &str) -> Result<IndexUrl, BuildError> {
    text.parse().map_err(|problem| wrong_option(option, &problem))
}

fn wrong_option(option: &str, problem: &Problem) -> BuildError {
    BuildError::new(ErrorKind::SpecInvalid, format!("{option}: {}", problem.message))
        .with_next_step(problem.suggestion.clone())
}

pub(crate) fn invalid_lines(errors: &SpecErrors) -> BuildError {
    let count = errors.0.len();
    let message =
        if count == 1 { "one line is wrong".to_owned() } else { format!("{count} lines are wrong") };
    BuildError::new(ErrorKind::SpecInvalid, message)
        .with_explanation(errors.to_string())
        .with_next_step("correct them as suggested; nothing was started")
}

fn read_plan(path: &Path) -> Result<String, BuildError> {
    let failed = |error: std::io::Error| {
        BuildError::new(
            ErrorKind::SpecInvalid,
            format!("the plan {} cannot be read: {error}", path.display()),
        )
        .with_next_step("pass a file that exists, or - for standard input")
    };
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(PLAN_SIZE_LIMIT).read_to_string(&mut text).map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(PLAN_SIZE_LIMIT).read_to_string(&mut text).map_err(failed)?;
    }
    Ok(text)
}
