//! Channels on a server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, WWW_AUTHENTICATE};
use hyper::{Request, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::package::CondaPackage;
use crate::server::{Body, Fault, RecordedRequest, Server, full};
use crate::sha256;

/// Who may read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ChannelAccess {
    /// Everybody.
    #[default]
    Open,
    /// Who puts `/t/TOKEN` in front of the path; a wrong token is forbidden (403), none is unauthorized (401).
    Token(String),
    /// Who shows a user and a password.
    Basic(String, String),
    /// Who shows a token in the header.
    Bearer(String),
}

/// A server of channels on a free port of 127.0.0.1. It ends with this value.
pub struct Channels {
    server: Server,
    state: Arc<State>,
}

/// One channel of a server.
pub struct Channel<'server> {
    server: &'server Channels,
    name: String,
}

#[derive(Default)]
struct State {
    access: ChannelAccess,
    /// Packages by `channel/subdir` and file name.
    packages: Mutex<BTreeMap<String, BTreeMap<String, CondaPackage>>>,
}

impl Channels {
    /// Starts a server that everybody may read.
    pub fn new() -> Self {
        Self::with_access(ChannelAccess::Open)
    }

    /// Starts a server.
    pub fn with_access(access: ChannelAccess) -> Self {
        let state = Arc::new(State { access, ..State::default() });
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| {
            let answer = shared.answer(&request);
            async move { Ok(answer) }
        });
        Self { server, state }
    }

    /// The address below which all channels are: an alias.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.host())
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// A channel; it comes into being here.
    pub fn channel(&self, name: &str) -> Channel<'_> {
        for subdir in ["linux-64", "noarch"] {
            self.state.packages().entry(format!("{name}/{subdir}")).or_default();
        }
        Channel { server: self, name: name.to_owned() }
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

impl Default for Channels {
    fn default() -> Self {
        Self::new()
    }
}

impl Channel<'_> {
    /// Its address, without credentials.
    pub fn url(&self) -> String {
        format!("{}/{}", self.server.url(), self.name)
    }

    /// Adds a package.
    pub fn add(&self, package: &CondaPackage) -> &Self {
        let folder = format!("{}/{}", self.name, package.subdir);
        let mut packages = self.server.state.packages();
        packages.entry(folder).or_default().insert(package.file_name.clone(), package.clone());
        self
    }

    /// Changes what the list says of a package, as channels do when they repair what packages say of themselves, or
    /// as they never should: the package itself stays as it is.
    pub fn change_record(&self, package: &CondaPackage, change: impl FnOnce(&mut Value)) {
        self.change(package, |stored| change(&mut stored.record));
    }

    /// Withdraws a package, list and file.
    pub fn remove(&self, package: &CondaPackage) {
        let folder = format!("{}/{}", self.name, package.subdir);
        let mut packages = self.server.state.packages();
        let removed = packages.get_mut(&folder).and_then(|files| files.remove(&package.file_name));
        assert!(removed.is_some(), "{folder} has no {}", package.file_name);
    }

    /// Serves other bytes than those that its list gives the digest of.
    pub fn replace_file(&self, package: &CondaPackage, bytes: impl Into<Bytes>) {
        self.change(package, |stored| stored.bytes = bytes.into());
    }

    fn change(&self, package: &CondaPackage, change: impl FnOnce(&mut CondaPackage)) {
        let folder = format!("{}/{}", self.name, package.subdir);
        let mut packages = self.server.state.packages();
        let stored = packages.get_mut(&folder).and_then(|files| files.get_mut(&package.file_name));
        change(stored.unwrap_or_else(|| panic!("{folder} has no {}", package.file_name)));
    }
}

impl State {
    fn packages(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, CondaPackage>>> {
        self.packages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request<Body>) -> Response<Body> {
        let Some(path) = self.admitted(request) else { return self.refusal(request) };
        let packages = self.packages();
        let found = path.rsplit_once('/').and_then(|(folder, name)| Some((packages.get(folder)?, name)));
        let Some((files, name)) = found else { return not_found() };
        let subdir = path.rsplit('/').nth(1).unwrap_or_default();
        match name {
            "repodata.json" => tagged(request, "application/json", list(subdir, files).to_string()),
            "repodata.json.zst" => {
                let text = list(subdir, files).to_string();
                let bytes = zstd::encode_all(text.as_bytes(), 3).expect("a list in memory");
                tagged(request, "application/zstd", bytes)
            }
            name => files.get(name).map_or_else(not_found, |package| {
                answer(StatusCode::OK, "application/octet-stream", package.bytes.clone())
            }),
        }
    }

    fn refusal(&self, request: &Request<Body>) -> Response<Body> {
        match &self.access {
            ChannelAccess::Token(_) if request.uri().path().starts_with("/t/") => {
                answer(StatusCode::FORBIDDEN, "text/plain", "not with this token\n")
            }
            access => {
                let mut refusal = answer(StatusCode::UNAUTHORIZED, "text/plain", "who are you?\n");
                if matches!(access, ChannelAccess::Basic(..)) {
                    let challenge = HeaderValue::from_static("Basic realm=\"channels\"");
                    refusal.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                }
                refusal
            }
        }
    }

    /// The path below the server, for who may read it.
    fn admitted(&self, request: &Request<Body>) -> Option<String> {
        let path = request.uri().path().trim_start_matches('/');
        let shown = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
        match &self.access {
            ChannelAccess::Open => Some(path.to_owned()),
            ChannelAccess::Token(token) => path.strip_prefix(&format!("t/{token}/")).map(str::to_owned),
            ChannelAccess::Basic(user, password) => {
                let expected = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
                (shown == Some(expected.as_bytes())).then(|| path.to_owned())
            }
            ChannelAccess::Bearer(token) => {
                (shown == Some(format!("Bearer {token}").as_bytes())).then(|| path.to_owned())
            }
        }
    }
}

/// What a channel says of one of its folders.
fn list(subdir: &str, files: &BTreeMap<String, CondaPackage>) -> Value {
    let of = |extension: &str| {
        let files = files.iter().filter(|(name, _)| name.ends_with(extension));
        Value::Object(
            files.map(|(name, package)| (name.clone(), package.record.clone())).collect::<Map<_, _>>(),
        )
    };
    json!({
        "info": {"subdir": subdir},
        "packages": of(".tar.bz2"),
        "packages.conda": of(".conda"),
        "removed": [],
        "repodata_version": 1,
    })
}

/// A list with its tag; who has it already gets 304 and no list.
fn tagged(request: &Request<Body>, media_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let body = body.into();
    let tag = HeaderValue::from_str(&format!("\"{}\"", sha256(&body))).expect("a digest between quotes");
    let known = request.headers().get(IF_NONE_MATCH) == Some(&tag);
    let mut response = if known {
        answer(StatusCode::NOT_MODIFIED, media_type, "")
    } else {
        answer(StatusCode::OK, media_type, body)
    };
    response.headers_mut().insert(ETAG, tag);
    response
}

fn not_found() -> Response<Body> {
    answer(StatusCode::NOT_FOUND, "text/plain", "no such thing here\n")
}

fn answer(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
