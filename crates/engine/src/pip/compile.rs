//! One run of `uv pip compile`: its files, arguments and environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use imagewright_spec::IndexUrl;
use pep508_rs::PackageName;
use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;

use super::built::BuiltPackages;
use super::error::PipError;
use super::process::{self, Finished, Invocation};
use super::recent_pages;
use super::uv_binary::UvBinary;

/// Names of the files in the work folder, as they also appear in uv's words.
const REQUIREMENTS: &str = "requirements.in";
const CONSTRAINTS: &str = "constraints.txt";
const LOCK: &str = "pylock.toml";

/// Connections at once: metadata files are small, and an index of one's own is easily overrun.
const CONCURRENT_DOWNLOADS: &str = "16";

/// What stays the same in all runs of one resolution.
pub(super) struct Setting<'a> {
    /// uv.
    pub(super) uv: &'a UvBinary,
    /// The stand-in for the target's interpreter.
    pub(super) stand_in: PathBuf,
    /// Folder of stubs.
    pub(super) stubs: PathBuf,
    /// uv's own cache.
    pub(super) cache: PathBuf,
    /// An empty folder of ours.
    pub(super) work: &'a Path,
    /// Certificates to trust, when they are not uv's own.
    pub(super) certificates: Option<PathBuf>,
    /// The index instead of the public one.
    pub(super) default_index: Option<&'a IndexUrl>,
    /// Further indexes; they are asked before the default one.
    pub(super) extra_indexes: &'a [IndexUrl],
    /// How long one run may take.
    pub(super) timeout: Duration,
    /// A connection without a byte for this long is broken.
    pub(super) read_timeout: Duration,
    /// How often a broken request is sent again.
    pub(super) retries: u32,
    /// Pages of indexes that were read within the last minutes are good enough.
    pub(super) recent_pages: bool,
}

/// What is asked in one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Question {
    /// Lines of the requirements file.
    pub(super) requirements: Vec<String>,
    /// Lines of the constraints file.
    pub(super) constraints: Vec<String>,
    /// Pre-releases are acceptable.
    pub(super) pre: bool,
    /// Names or `:all:`.
    pub(super) no_binary: Vec<String>,
    /// Names or `:all:`.
    pub(super) only_binary: Vec<String>,
    /// Dependencies are not looked at.
    pub(super) no_dependencies: bool,
    /// The lock whose versions are preferred; empty for none.
    pub(super) preferences: String,
    /// What was built for this resolution.
    pub(super) built: BuiltPackages,
}

impl Question {
    /// True where a package has to be built, whatever wheels there are.
    pub(super) fn refuses_wheels_of(&self, name: &PackageName) -> bool {
        let name: &str = name.as_ref();
        self.no_binary.iter().any(|one| one == ":all:" || one == name)
    }
}

/// What comes out of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A `pylock.toml`.
    Lock,
    /// An annotated requirements file, made from the cache alone.
    Annotated,
}

/// Where uv takes the pages of indexes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pages {
    /// From its cache, where they are a few minutes old at most.
    Recent,
    /// From the indexes, as their own headers want it.
    Current,
}

/// Runs uv. A result is the text asked for; what uv wrote to the standard error is the inner error.
///
/// What fails with recent pages is asked again with current ones: a package may have been published just now.
pub(super) async fn run(
    setting: &Setting<'_>,
    question: &Question,
    form: Form,
    cancellation: &CancellationToken,
) -> Result<Result<String, String>, PipError> {
    if setting.recent_pages && form == Form::Lock {
        let found = attempt(setting, question, form, Pages::Recent, cancellation).await?;
        if found.is_ok() {
            return Ok(found);
        }
    }
    attempt(setting, question, form, Pages::Current, cancellation).await
}

async fn attempt(
    setting: &Setting<'_>,
    question: &Question,
    form: Form,
    pages: Pages,
    cancellation: &CancellationToken,
) -> Result<Result<String, String>, PipError> {
    let file = |name: &str| setting.work.join(name);
    write(&file(REQUIREMENTS), &lines(&question.requirements))?;
    write(&file(CONSTRAINTS), &lines(&question.constraints))?;
    if pages == Pages::Recent || !question.built.is_empty() {
        let mut text = question.built.configuration();
        if pages == Pages::Recent {
            text += &recent_pages::configuration(setting.default_index, setting.extra_indexes);
        }
        write(&recent_pages::path(setting.work), &text)?;
    }
    if form == Form::Lock {
        prepare_lock(&file(LOCK), &question.preferences)?;
    }
    let invocation = Invocation {
        program: setting.uv.program(),
        arguments: arguments(setting, question, form, pages),
        environment: environment(setting),
        folder: setting.work,
        timeout: setting.timeout,
        purpose: "resolving the pip packages",
    };
    let Finished { status, output, errors } = process::run(invocation, cancellation).await?;
    if !status.success() {
        return Ok(Err(errors));
    }
    if form == Form::Annotated {
        return Ok(Ok(output));
    }
    let path = file(LOCK);
    let text = std::fs::read_to_string(&path).map_err(|source| PipError::File {
        action: "read",
        path: path.clone(),
        source,
    })?;
    Ok(Ok(text))
}

/// Puts the preferences where uv looks for them; without any, nothing may be left of an earlier run.
fn prepare_lock(path: &Path, preferences: &str) -> Result<(), PipError> {
    if !preferences.is_empty() {
        return write(path, preferences);
    }
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(PipError::File { action: "remove", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

fn lines(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

fn write(path: &Path, text: &str) -> Result<(), PipError> {
    std::fs::write(path, text).map_err(|source| PipError::File {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

/// The arguments. All values come from parsed types or from us; each stands behind its option or is a fixed name,
/// so that none can become an option itself.
fn arguments(setting: &Setting<'_>, question: &Question, form: Form, pages: Pages) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    let mut add = |values: &[&dyn AsRef<std::ffi::OsStr>]| {
        arguments.extend(values.iter().map(|value| value.as_ref().to_owned()));
    };
    add(&[&"pip", &"compile", &REQUIREMENTS, &"--constraints", &CONSTRAINTS]);
    if pages == Pages::Recent || !question.built.is_empty() {
        add(&[&"--config-file", &recent_pages::FILE]);
    } else {
        add(&[&"--no-config"]);
    }
    if pages == Pages::Current && form == Form::Lock {
        // How long a page may be used is kept with it: without this, one that was read as recent stays so.
        add(&[&"--refresh"]);
    }
    add(&[&"--no-python-downloads", &"--no-header", &"--color", &"never", &"--quiet"]);
    add(&[&"--python", &setting.stand_in, &"--cache-dir", &setting.cache]);
    add(&[&"--find-links", &setting.stubs]);
    match form {
        Form::Lock => add(&[&"--format", &LOCK, &"--output-file", &LOCK, &"--no-annotate"]),
        Form::Annotated => add(&[
            &"--annotation-style",
            &"line",
            &"--emit-index-annotation",
            &"--no-strip-extras",
            &"--offline",
        ]),
    }
    if pages == Pages::Current {
        if let Some(index) = setting.default_index {
            add(&[&"--default-index", &named(0, index)]);
        }
        for (number, index) in setting.extra_indexes.iter().enumerate() {
            add(&[&"--index", &named(number + 1, index)]);
        }
    }
    if question.pre {
        add(&[&"--prerelease", &"allow"]);
    }
    if question.no_dependencies {
        add(&[&"--no-deps"]);
    }
    for name in &question.no_binary {
        add(&[&"--no-binary", name]);
    }
    for name in &question.only_binary {
        add(&[&"--only-binary", name]);
    }
    arguments
}

/// uv finds the credentials of `index3` in `UV_INDEX_INDEX3_USERNAME` and `…_PASSWORD`.
fn named(number: usize, index: &IndexUrl) -> String {
    format!("index{number}={}", index.url())
}

/// The whole environment of uv: nothing of ours but the way to the network.
fn environment(setting: &Setting<'_>) -> Vec<(OsString, OsString)> {
    let mut environment: Vec<(OsString, OsString)> = vec![
        ("PATH".into(), "/nonexistent".into()),
        ("HOME".into(), setting.work.into()),
        ("LC_ALL".into(), "C.UTF-8".into()),
        ("UV_HTTP_TIMEOUT".into(), setting.read_timeout.as_secs().to_string().into()),
        ("UV_HTTP_RETRIES".into(), setting.retries.to_string().into()),
        ("UV_CONCURRENT_DOWNLOADS".into(), CONCURRENT_DOWNLOADS.into()),
    ];
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        for name in [name.to_owned(), name.to_uppercase()] {
            // `HTTP_PROXY` in capitals can be set by a request to a CGI program; nobody runs us as one.
            if let Some(value) = std::env::var_os(&name) {
                environment.push((name.into(), value));
            }
        }
    }
    if let Some(path) = &setting.certificates {
        environment.push(("SSL_CERT_FILE".into(), path.into()));
    }
    let extra = setting.extra_indexes.iter().enumerate().map(|(number, index)| (number + 1, index));
    for (number, index) in setting.default_index.map(|index| (0, index)).into_iter().chain(extra) {
        if let Some(credentials) = index.credentials() {
            let password = credentials.password.expose_secret();
            environment
                .push((format!("UV_INDEX_INDEX{number}_USERNAME").into(), credentials.username.into()));
            environment.push((format!("UV_INDEX_INDEX{number}_PASSWORD").into(), password.into()));
        }
    }
    environment
}
