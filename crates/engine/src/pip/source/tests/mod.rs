//! What people get from sources: real builds with the Python of this machine, in a room without walls.

mod builds;
mod failures;
mod repositories;
mod room;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use imagewright_spec::{PipRequest, PipRequirement};
use imagewright_testkit::SdistBuilder;
use tokio_util::sync::CancellationToken;

use super::{GitSettings, Rooms, SourceSettings};
use crate::error::BuildError;
use crate::pip::download::{DownloadSettings, Downloader};
use crate::pip::fixtures::target;
use crate::pip::{PipInput, PipResolver, Resolution, ResolverSettings, Source, UvBinary};
use crate::python::PythonTarget;
use crate::python::installed::Installed;
use crate::python::pip_settings::PipSettings;
use room::OpenRoomMaker;

/// A backend in the sources themselves: nothing is needed from any index.
const BACKEND: &str = r#"
import os, zipfile

def build_wheel(directory, settings=None, metadata=None):
    name, version, requires, body = open("what").read().split("|")
    info = "%s-%s.dist-info" % (name, version)
    files = {
        name + ".py": body,
        info + "/METADATA": "Metadata-Version: 2.1\nName: %s\nVersion: %s\n%s\n" % (name, version, requires),
        info + "/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[info + "/RECORD"] = "".join(path + ",,\n" for path in files) + info + "/RECORD,,\n"
    wheel = "%s-%s-py3-none-any.whl" % (name, version)
    with zipfile.ZipFile(os.path.join(directory, wheel), "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), text)
    return wheel
"#;

/// Sources with [`BACKEND`], which say nothing of what they need before they are built.
fn sources(name: &str, version: &str, requires: &str) -> SdistBuilder {
    with_backend(SdistBuilder::new(name, version), name, version, requires, BACKEND)
}

fn with_backend(
    sdist: SdistBuilder,
    name: &str,
    version: &str,
    requires: &str,
    backend: &str,
) -> SdistBuilder {
    let requires = if requires.is_empty() { String::new() } else { format!("Requires-Dist: {requires}\n") };
    sdist
        .file(
            "pyproject.toml",
            "[build-system]\nrequires = []\nbuild-backend = \"made\"\nbackend-path = [\"own\"]\n\
             [project]\nname = \"x\"\ndynamic = [\"version\", \"dependencies\"]\n",
        )
        .file("own/made.py", backend)
        .file("what", format!("{name}|{version}|{requires}|value = {version:?}\n"))
}

/// Where builds of one owner on one base happen, and how often something was run.
struct Workshop {
    cache: tempfile::TempDir,
    runs: Arc<AtomicUsize>,
    refusal: Option<&'static str>,
    git: GitSettings,
    uv: UvBinary,
    target: PythonTarget,
}

impl Workshop {
    /// `None` where there is no uv.
    async fn new() -> Option<Self> {
        let uv = crate::pip::tests::uv().await?;
        let cache = tempfile::tempdir().unwrap();
        Some(Self {
            cache,
            runs: Arc::default(),
            refusal: None,
            git: GitSettings::default(),
            uv,
            target: target(),
        })
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    async fn resolve(&self, request: &PipRequest) -> Result<Resolution, BuildError> {
        self.resolve_over(request, &Installed::default()).await
    }

    async fn resolve_over(
        &self,
        request: &PipRequest,
        installed: &Installed,
    ) -> Result<Resolution, BuildError> {
        let cache = self.cache.path();
        let staging = tempfile::tempdir_in(cache).unwrap();
        let maker = OpenRoomMaker {
            folder: staging.path().to_owned(),
            runs: Arc::clone(&self.runs),
            refusal: self.refusal,
        };
        let mut downloads = DownloadSettings::new(cache, staging.path());
        downloads.credentials = request.credentials();
        let sources = SourceSettings {
            rooms: Arc::new(Rooms::new(Box::new(maker))),
            downloader: Downloader::new(downloads).unwrap(),
            cache_folder: cache.join("on"),
            environment: "sha256:base".to_owned(),
            staging_folder: staging.path().to_owned(),
            git: self.git.clone(),
            timeout: Duration::from_mins(5),
            report: Arc::new(|_| {}),
        };
        let mut settings = ResolverSettings::new(cache, staging.path());
        settings.recent_pages = false;
        let resolver = PipResolver::new(self.uv.clone(), settings).with_sources(Arc::new(sources));
        let (target, settings) = (self.target.clone(), PipSettings::default());
        let input = PipInput { request, target: &target, installed, settings: &settings };
        Ok(resolver.resolve(input, &CancellationToken::new()).await?)
    }
}

/// A request to one index.
fn at(index: &str, requirements: &[&str]) -> PipRequest {
    let requirements = requirements.iter().map(|line| line.parse::<PipRequirement>().unwrap()).collect();
    PipRequest { requirements, index_url: Some(index.parse().unwrap()), ..PipRequest::default() }
}

/// `name version: file`, with how it came to be.
fn shown(resolution: &Resolution) -> Vec<String> {
    let of = |source: &Source| match source {
        Source::Kept => "kept".to_owned(),
        Source::Wheel(wheel) => wheel.file_name.clone(),
        Source::DirectUrl(wheel) => format!("{} by address", wheel.file_name),
        Source::Built(wheel) => format!("{} built", wheel.file_name),
    };
    let packages = resolution.packages.iter();
    packages.map(|package| format!("{} {}: {}", package.name, package.version, of(&package.source))).collect()
}

/// The text of a file in the built wheel of a package.
fn read_built(resolution: &Resolution, package: &str, file: &str) -> String {
    let package = resolution.packages.iter().find(|one| one.name.to_string() == package).unwrap();
    let Source::Built(built) = &package.source else { panic!("{package:?}") };
    read_wheel(&built.path, file)
}

fn read_wheel(path: &Path, file: &str) -> String {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    std::io::read_to_string(archive.by_name(file).unwrap()).unwrap()
}
