//! A Python package index.

mod page;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Request, Response, StatusCode};

use crate::sdist::Sdist;
use crate::server::{Body, Fault, RecordedRequest, Server, full};
use crate::sha256;
use crate::wheel::Wheel;
use page::Format;

/// A package index on a free port of 127.0.0.1: HTML (PEP 503) and JSON (PEP 691) pages, metadata on its own
/// (PEP 658), files. It ends with this value.
pub struct PackageIndex {
    server: Server,
    state: Arc<State>,
}

/// Describes an index; [`start`](Self::start) starts it.
#[derive(Debug, Clone, Default)]
pub struct PackageIndexBuilder {
    credentials: Option<(String, String)>,
    html_only: bool,
    without_metadata: bool,
}

struct State {
    settings: PackageIndexBuilder,
    /// Projects by normalised name, and their files by file name.
    projects: Mutex<BTreeMap<String, BTreeMap<String, File>>>,
}

/// One file of a project.
#[derive(Debug, Clone)]
struct File {
    bytes: Bytes,
    /// What the pages say, true or not.
    sha256: String,
    metadata: Option<String>,
    requires_python: Option<String>,
    yanked: Option<String>,
}

impl PackageIndexBuilder {
    /// Asks for this user and password (HTTP Basic), for pages and files.
    #[must_use]
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        self.credentials = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Serves HTML only, as many private indexes do.
    #[must_use]
    pub fn html_only(mut self) -> Self {
        self.html_only = true;
        self
    }

    /// Serves no metadata on its own: clients must look into the wheels.
    #[must_use]
    pub fn without_metadata(mut self) -> Self {
        self.without_metadata = true;
        self
    }

    /// Starts the index, with no project in it.
    pub fn start(self) -> PackageIndex {
        let state = Arc::new(State { settings: self, projects: Mutex::default() });
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| {
            let answer = shared.answer(&request);
            async move { Ok(answer) }
        });
        PackageIndex { server, state }
    }
}

impl PackageIndex {
    /// Starts an open index with these wheels.
    pub fn with<'a>(wheels: impl IntoIterator<Item = &'a Wheel>) -> Self {
        let index = Self::builder().start();
        wheels.into_iter().for_each(|wheel| index.add_wheel(wheel));
        index
    }

    /// An index that asks for credentials, or serves less than it could.
    pub fn builder() -> PackageIndexBuilder {
        PackageIndexBuilder::default()
    }

    /// The address to give as `--index-url`.
    pub fn url(&self) -> String {
        format!("http://{}/simple/", self.server.host())
    }

    /// The same with user and password in it.
    pub fn url_with_credentials(&self) -> String {
        let (user, password) =
            self.state.settings.credentials.as_ref().expect("an index that asks for credentials");
        format!("http://{user}:{password}@{}/simple/", self.server.host())
    }

    /// The address of one file.
    pub fn file_url(&self, file_name: &str) -> String {
        format!("http://{}/files/{file_name}", self.server.host())
    }

    /// Adds a wheel.
    pub fn add_wheel(&self, wheel: &Wheel) {
        self.add(&wheel.file_name, &wheel.bytes, Some(&wheel.metadata), wheel.requires_python.as_deref());
    }

    /// Adds a source distribution.
    pub fn add_sdist(&self, sdist: &Sdist) {
        self.add(&sdist.file_name, &sdist.bytes, None, None);
    }

    fn add(&self, file_name: &str, bytes: &Bytes, metadata: Option<&str>, requires_python: Option<&str>) {
        let project = file_name.split('-').next().map(normalised).expect("a file name");
        let file = File {
            bytes: bytes.clone(),
            sha256: sha256(bytes).replacen("sha256:", "", 1),
            metadata: metadata.map(str::to_owned).filter(|_| !self.state.settings.without_metadata),
            requires_python: requires_python.map(str::to_owned),
            yanked: None,
        };
        self.state.projects().entry(project).or_default().insert(file_name.to_owned(), file);
    }

    /// Makes the pages name a wrong hash for a file.
    pub fn lie_about_hash(&self, file_name: &str) {
        self.state.change(file_name, |file| file.sha256 = "0".repeat(64));
    }

    /// Serves other bytes than those the pages give the hash of.
    pub fn replace_file(&self, file_name: &str, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        self.state.change(file_name, |file| file.bytes = bytes);
    }

    /// Withdraws a file, for the reason given: resolvers leave it alone unless it is pinned.
    pub fn yank(&self, file_name: &str, reason: &str) {
        self.state.change(file_name, |file| file.yanked = Some(reason.to_owned()));
    }

    /// Misbehaves so from now on.
    pub fn inject(&self, fault: Fault) {
        self.server.inject(fault);
    }

    /// Behaves again.
    pub fn clear_faults(&self) {
        self.server.clear_faults();
    }

    /// What was asked so far, in order.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.server.requests()
    }

    /// Starts recording anew.
    pub fn forget_requests(&self) {
        self.server.forget_requests();
    }
}

impl State {
    fn projects(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, File>>> {
        self.projects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, file_name: &str, change: impl FnOnce(&mut File)) {
        let mut projects = self.projects();
        let file = projects.values_mut().find_map(|files| files.get_mut(file_name));
        change(file.unwrap_or_else(|| panic!("the index has no file {file_name}")));
    }

    fn answer(&self, request: &Request<Body>) -> Response<Body> {
        if !self.may_enter(request) {
            let mut response = text(StatusCode::UNAUTHORIZED, "text/plain", "who are you?\n");
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"index\""));
            return response;
        }
        let path = request.uri().path();
        let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let format = if self.settings.html_only { Format::Html } else { Format::best(accept) };
        let projects = self.projects();
        if let Some(name) = path.strip_prefix("/files/") {
            return find_file(&projects, name).unwrap_or_else(not_found);
        }
        match path.strip_prefix("/simple/").map(|rest| rest.trim_end_matches('/')) {
            Some("") => text(StatusCode::OK, format.media_type(), page::projects(format, projects.keys())),
            Some(name) => projects.get(&normalised(name)).map_or_else(not_found, |files| {
                text(StatusCode::OK, format.media_type(), page::files(format, name, files))
            }),
            None => not_found(),
        }
    }

    fn may_enter(&self, request: &Request<Body>) -> bool {
        self.settings.credentials.as_ref().is_none_or(|(user, password)| {
            let expected = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
            request.headers().get(AUTHORIZATION).is_some_and(|value| value.as_bytes() == expected.as_bytes())
        })
    }
}

/// A file, or the metadata of one.
fn find_file(projects: &BTreeMap<String, BTreeMap<String, File>>, name: &str) -> Option<Response<Body>> {
    let find = |name: &str| projects.values().find_map(|files| files.get(name));
    if let Some(name) = name.strip_suffix(".metadata") {
        let metadata = find(name)?.metadata.clone()?;
        return Some(text(StatusCode::OK, "text/plain", metadata));
    }
    Some(text(StatusCode::OK, "application/octet-stream", find(name)?.bytes.clone()))
}

fn not_found() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "text/plain", "no such thing here\n")
}

fn text(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// A project's name as addresses have it: lower case, and runs of `-`, `_` and `.` as one `-`.
fn normalised(name: &str) -> String {
    let parts: Vec<&str> = name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect();
    parts.join("-").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::PackageIndex;
    use crate::testing::uv_install;
    use crate::{Fault, SdistBuilder, WheelBuilder, require_tool};

    const HELPER: &str = "helper-2.0-py3-none-any.whl";

    fn index() -> PackageIndex {
        let wheels = [
            WheelBuilder::new("My.Demo", "1.0").requires("helper>=2").file("demo.py", "").build(),
            WheelBuilder::new("helper", "2.0").requires_python(">=3.8").file("helper.py", "").build(),
        ];
        PackageIndex::with(&wheels)
    }

    #[test]
    fn serves_pages_metadata_and_files() {
        require_tool!("uv");
        let index = index();

        let installed = uv_install(&["--index-url", &index.url(), "my-demo"]).expect("two wheels");

        assert!(installed.path().join("demo.py").is_file());
        assert!(installed.path().join("helper.py").is_file());
        let requests = index.requests();
        let asked =
            |path: &str| requests.iter().any(|request| request.path == path && request.status == Some(200));
        assert!(asked("/simple/my-demo/"), "{requests:?}");
        assert!(asked(&format!("/files/{HELPER}.metadata")), "{requests:?}");
    }

    #[test]
    fn lies_about_hashes() {
        require_tool!("uv");
        let index = index();
        index.lie_about_hash(HELPER);

        // Only a hash that comes with the requirement is checked: the page's own is what gets locked.
        let locked = format!("helper @ {}#sha256={}", index.file_url(HELPER), "0".repeat(64));
        let complaint = uv_install(&["--index-url", &index.url(), &locked]).expect_err("a wrong hash");

        assert!(complaint.contains("Hash mismatch"), "{complaint}");
    }

    #[test]
    fn asks_for_credentials_and_can_be_broken() {
        require_tool!("uv");
        let index = PackageIndex::builder().basic_auth("alice", "secret").html_only().start();
        index.add_sdist(&SdistBuilder::new("source", "1.0").setuptools_module("source", "").build());
        index.add_wheel(&WheelBuilder::new("source", "0.9").file("source.py", "").build());
        index.yank("source-1.0.tar.gz", "broken");

        uv_install(&["--index-url", &index.url(), "source"]).expect_err("no credentials");
        let url = index.url_with_credentials();
        let installed = uv_install(&["--index-url", &url, "source"]).expect("the wheel that is left");
        assert!(installed.path().join("source-0.9.dist-info").is_dir());

        index.inject(Fault::on("/files/").status(404));
        uv_install(&["--index-url", &url, "source"]).expect_err("a broken index");
    }
}
