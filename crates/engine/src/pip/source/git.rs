//! Repositories: which commit is meant, and its files packed. git runs on this machine with what it needs and nothing
//! else: no hooks, no prompts, no filters, no protocol but HTTPS; credentials reach it in its own environment, and
//! nothing that it leaves behind.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use imagewright_spec::IndexCredentials;
use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::git_tree;
use crate::base::blocking;
use crate::error::{BuildError, ErrorKind};
use crate::pip::certificates;
use crate::pip::process::{self, Finished, Invocation};

/// Lines of git's that an error shows.
const SHOWN_LINES: usize = 8;

/// How repositories are fetched.
#[derive(Debug, Clone)]
pub struct GitSettings {
    /// The program: a name that is looked for on `PATH`, or a path.
    pub program: PathBuf,
    /// Credentials; each is sent to the scheme, host and port of its address only.
    pub credentials: Vec<IndexCredentials>,
    /// PEM files with certificates to trust besides the system's.
    pub ca_bundles: Vec<PathBuf>,
    /// Protocols that git may speak; `https` alone, unless a test has its repositories elsewhere.
    pub protocols: Vec<String>,
    /// Further settings of git's, for tests.
    pub configuration: Vec<(String, String)>,
    /// How long one run of git may take.
    pub timeout: Duration,
}

impl Default for GitSettings {
    fn default() -> Self {
        Self {
            program: PathBuf::from("git"),
            credentials: Vec::new(),
            ca_bundles: Vec::new(),
            protocols: vec!["https".to_owned()],
            configuration: Vec::new(),
            timeout: Duration::from_mins(15),
        }
    }
}

/// The commit, as 40 hexadecimal digits, that a branch, a tag or nothing means now.
///
/// # Errors
/// A repository that cannot be reached, and a reference that it does not have.
pub(crate) async fn find_commit(
    settings: &GitSettings,
    url: &Url,
    reference: Option<&str>,
    staging: &Path,
    cancellation: &CancellationToken,
) -> Result<String, BuildError> {
    if let Some(commit) = reference.filter(|reference| is_commit(reference)) {
        return Ok(commit.to_lowercase());
    }
    let folder = temporary(staging)?;
    let git = Git { settings, url: url.as_str(), folder: folder.path(), cancellation };
    let output = git.run(&["ls-remote", "--quiet", "--", url.as_str()]).await?;
    let found = |wanted: &str| {
        output.lines().find_map(|line| {
            let (commit, name) = line.split_once('\t')?;
            (name == wanted && is_commit(commit)).then(|| commit.to_owned())
        })
    };
    let Some(reference) = reference else {
        return found("HEAD").ok_or_else(|| missing(url, "a commit"));
    };
    // As pip does: a branch before a tag, and the commit of an annotated tag.
    [
        format!("refs/heads/{reference}"),
        format!("refs/tags/{reference}^{{}}"),
        format!("refs/tags/{reference}"),
        reference.to_owned(),
    ]
    .iter()
    .find_map(|name| found(name))
    .ok_or_else(|| missing(url, reference))
}

fn missing(url: &Url, reference: &str) -> BuildError {
    BuildError::new(ErrorKind::NotFound, format!("the repository {url} has no branch or tag {reference}"))
        .with_next_step("check the name behind `@`; a commit has to be written out, with all 40 digits")
}

/// Fetches a commit with its history and submodules, and packs it; returns the archive, which is in `folder`.
///
/// # Errors
/// A repository or commit that cannot be had, and a full disk.
pub(super) async fn fetch(
    settings: &GitSettings,
    url: &str,
    commit: &str,
    folder: &Path,
    cancellation: &CancellationToken,
) -> Result<PathBuf, BuildError> {
    let checkout = folder.join("checkout");
    std::fs::create_dir(&checkout).map_err(|error| BuildError::file("make the folder", &checkout, error))?;
    let git = Git { settings, url, folder: &checkout, cancellation };
    git.run(&["init", "--quiet", "--template=", "--initial-branch=main"]).await?;
    git_tree::write_configuration(&checkout, url)?;
    let everything = "+refs/heads/*:refs/remotes/origin/*";
    let fetch =
        ["fetch", "--quiet", "--force", "--tags", "--no-recurse-submodules", "--no-write-fetch-head", "--"];
    git.run(&[&fetch[..], &[url, everything]].concat()).await?;
    let wanted = format!("{commit}^{{commit}}");
    if git.run(&["cat-file", "-e", &wanted]).await.is_err() {
        // Not on any branch: a commit of a merge request, or one that was left behind.
        git.run(&[&fetch[..], &[url, commit]].concat()).await?;
    }
    git.run(&["checkout", "--quiet", "--force", "--detach", commit]).await?;
    if checkout.join(".gitmodules").symlink_metadata().is_ok() {
        git.run(&["submodule", "--quiet", "update", "--init", "--recursive", "--force"]).await?;
    }
    git_tree::write_configuration(&checkout, url)?;
    let packed = folder.join("sources.tar");
    let (from, to) = (checkout, packed.clone());
    blocking(move || git_tree::pack(&from, &to)).await??;
    Ok(packed)
}

fn temporary(staging: &Path) -> Result<tempfile::TempDir, BuildError> {
    tempfile::Builder::new()
        .prefix("git-")
        .tempdir_in(staging)
        .map_err(|error| BuildError::file("make a folder in", staging, error))
}

/// True for a whole commit.
fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// git in one folder, for one repository.
struct Git<'a> {
    settings: &'a GitSettings,
    url: &'a str,
    folder: &'a Path,
    cancellation: &'a CancellationToken,
}

impl Git<'_> {
    async fn run(&self, arguments: &[&str]) -> Result<String, BuildError> {
        let invocation = Invocation {
            program: &self.settings.program,
            arguments: arguments.iter().map(OsString::from).collect(),
            environment: self.environment()?,
            folder: self.folder,
            timeout: self.settings.timeout,
            purpose: "fetching a repository",
        };
        let finished = process::run(invocation, self.cancellation).await.map_err(|error| match &error {
            crate::pip::PipError::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                BuildError::new(
                    ErrorKind::Unsupported,
                    "packages from Git need git on this machine, and it has none",
                )
                .with_next_step("install git on the machine that builds, or use a release of the package")
            }
            _ => error.into(),
        })?;
        if finished.status.success() { Ok(finished.output) } else { Err(self.failed(&finished)) }
    }

    fn failed(&self, finished: &Finished) -> BuildError {
        let url = self.url;
        let lines: Vec<&str> = finished.errors.lines().filter(|line| !line.trim().is_empty()).collect();
        let words: Vec<String> = lines[lines.len().saturating_sub(SHOWN_LINES)..]
            .iter()
            .map(|line| line.chars().filter(|character| !character.is_control()).take(300).collect())
            .collect();
        let words = words.join("\n");
        let has = |texts: &[&str]| texts.iter().any(|text| words.contains(text));
        let error = if has(&["Authentication failed", "could not read Username", "error: 403", "error: 401"])
        {
            BuildError::new(ErrorKind::Unauthorized, format!("the repository {url} refuses access"))
                .with_next_step("check the address; for a private repository, give credentials for its host")
        } else if has(&["not found", "does not appear to be a git repository"]) {
            BuildError::new(ErrorKind::NotFound, format!("there is no repository at {url}"))
                .with_next_step("check the address; a private repository also says so to strangers")
        } else if has(&["not our ref", "couldn't find remote ref", "unable to read tree"]) {
            BuildError::new(ErrorKind::NotFound, format!("the repository {url} does not have this commit"))
                .with_next_step("check what stands behind `@`")
        } else if has(&["' not allowed"]) {
            BuildError::new(
                ErrorKind::Unsupported,
                format!("the repository {url}, or one of its submodules, is not reached by HTTPS"),
            )
            .with_next_step(
                "use a release of the package, or a repository whose submodules have https addresses",
            )
        } else if has(&["No space left on device"]) {
            BuildError::new(ErrorKind::DiskFull, format!("no space is left to fetch the repository {url}"))
                .with_next_step("free some space, and build again")
        } else {
            BuildError::new(ErrorKind::Unreachable, format!("the repository {url} cannot be fetched"))
                .with_next_step("check the address, the network, the proxy (HTTPS_PROXY) and, for a private certificate, --ca-bundle")
        };
        if words.is_empty() { error } else { error.with_explanation(words) }
    }

    /// The whole environment of git.
    fn environment(&self) -> Result<Vec<(OsString, OsString)>, BuildError> {
        let mut environment: Vec<(OsString, OsString)> = [
            ("HOME", "/nonexistent"),
            ("LC_ALL", "C"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ASKPASS", "/bin/false"),
            ("GIT_LFS_SKIP_SMUDGE", "1"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .to_vec();
        environment.push(("PATH".into(), std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into())));
        environment.push(("GIT_ALLOW_PROTOCOL".into(), self.settings.protocols.join(":").into()));
        // Nothing above the folder is taken for a repository.
        environment
            .push(("GIT_CEILING_DIRECTORIES".into(), self.folder.parent().unwrap_or(self.folder).into()));
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            for name in [name.to_owned(), name.to_uppercase()] {
                if let Some(value) = std::env::var_os(&name) {
                    environment.push((name.into(), value));
                }
            }
        }
        let place = self.folder.parent().unwrap_or(self.folder);
        if let Some(path) = certificates::bundle(&self.settings.ca_bundles, place)? {
            environment.push(("GIT_SSL_CAINFO".into(), path.into()));
        }
        let configuration = self.configuration();
        environment.push(("GIT_CONFIG_COUNT".into(), configuration.len().to_string().into()));
        for (number, (name, value)) in configuration.into_iter().enumerate() {
            environment.push((format!("GIT_CONFIG_KEY_{number}").into(), name.into()));
            environment.push((format!("GIT_CONFIG_VALUE_{number}").into(), value.into()));
        }
        Ok(environment)
    }

    fn configuration(&self) -> Vec<(String, String)> {
        let mut configuration: Vec<(String, String)> = [
            ("core.hooksPath", "/dev/null"),
            ("core.fsmonitor", "false"),
            ("credential.helper", ""),
            ("http.followRedirects", "initial"),
            ("fetch.fsckObjects", "false"),
            ("gc.auto", "0"),
            ("maintenance.auto", "false"),
            ("advice.detachedHead", "false"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        for credentials in &self.settings.credentials {
            let mut origin = credentials.url.clone();
            origin.set_path("/");
            let password = credentials.password.expose_secret();
            let pair = format!("{}:{password}", credentials.username);
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            configuration
                .push((format!("http.{origin}.extraHeader"), format!("Authorization: Basic {encoded}")));
        }
        configuration.extend(self.settings.configuration.iter().cloned());
        configuration
    }
}
