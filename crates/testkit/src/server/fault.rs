//! Faults: how a server is told to be slow, to lie or to go away.

use std::future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode, Uri};

use super::{Body, BoxError, full};

/// One way to misbehave, for the requests it names. Several faults may apply to one request.
///
/// ```
/// use imagewright_testkit::Fault;
/// use std::time::Duration;
///
/// Fault::on("/v2/").delay(Duration::from_millis(200));
/// Fault::on("/blobs/sha256:").method("GET").times(1).truncate_after(1000);
/// ```
#[derive(Debug, Clone)]
pub struct Fault {
    path: PathMatch,
    method: Option<Method>,
    remaining: Option<usize>,
    action: Action,
}

/// Which requests a fault is for.
#[derive(Debug, Clone)]
enum PathMatch {
    Contains(String),
    Is(String),
}

#[derive(Debug, Clone)]
enum Action {
    Nothing,
    Delay(Duration),
    Status(StatusCode),
    Hang,
    Close,
    TruncateAfter(u64),
    StallAfter(u64),
    FlipByte(u64),
    Header(HeaderName, HeaderValue),
    Replace(Bytes),
}

impl Fault {
    /// A fault for requests whose path and query contain the given text.
    pub fn on(path_part: impl Into<String>) -> Self {
        Self::matching(PathMatch::Contains(path_part.into()))
    }

    /// A fault for requests for exactly this path, whatever their query.
    pub fn on_path(path: impl Into<String>) -> Self {
        Self::matching(PathMatch::Is(path.into()))
    }

    fn matching(path: PathMatch) -> Self {
        Self { path, method: None, remaining: None, action: Action::Nothing }
    }

    /// Only for this method, such as `GET`.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.parse().expect("an HTTP method"));
        self
    }

    /// Only for the first so many requests that match.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.remaining = Some(times);
        self
    }

    /// Waits before anything else is done.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        self.acting(Action::Delay(delay))
    }

    /// Answers with this status and a short text, instead of what would have been the answer.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        self.acting(Action::Status(StatusCode::from_u16(status).expect("an HTTP status")))
    }

    /// Takes the request and never answers.
    #[must_use]
    pub fn hang(self) -> Self {
        self.acting(Action::Hang)
    }

    /// Closes the connection instead of answering.
    #[must_use]
    pub fn drop_connection(self) -> Self {
        self.acting(Action::Close)
    }

    /// Sends so many bytes of the body and closes the connection.
    #[must_use]
    pub fn truncate_after(self, bytes: u64) -> Self {
        self.acting(Action::TruncateAfter(bytes))
    }

    /// Sends so many bytes of the body and then nothing more, the connection staying open.
    #[must_use]
    pub fn stall_after(self, bytes: u64) -> Self {
        self.acting(Action::StallAfter(bytes))
    }

    /// Flips all bits of the body's byte at this offset.
    #[must_use]
    pub fn corrupt(self, offset: u64) -> Self {
        self.acting(Action::FlipByte(offset))
    }

    /// Sets the `Docker-Content-Digest` header, whatever the body's digest is.
    #[must_use]
    pub fn digest_header(self, digest: &str) -> Self {
        self.header("docker-content-digest", digest)
    }

    /// Sets a header of the answer.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        let name = name.parse().expect("the name of a header");
        self.acting(Action::Header(name, value.parse().expect("the value of a header")))
    }

    /// Sends another body, with the headers (but for its length) of the true answer.
    #[must_use]
    pub fn replace_body(self, body: impl Into<Bytes>) -> Self {
        self.acting(Action::Replace(body.into()))
    }

    fn acting(mut self, action: Action) -> Self {
        self.action = action;
        self
    }

    /// Whether it applies to this request; counts it if so.
    fn take(&mut self, method: &Method, uri: &Uri) -> bool {
        let named = match &self.path {
            PathMatch::Contains(part) => {
                uri.path_and_query().is_some_and(|path| path.as_str().contains(part.as_str()))
            }
            PathMatch::Is(path) => uri.path() == path,
        };
        let matches = named && self.method.as_ref().is_none_or(|own| own == method);
        match &mut self.remaining {
            _ if !matches => false,
            Some(0) => false,
            Some(remaining) => {
                *remaining -= 1;
                true
            }
            None => true,
        }
    }
}

/// The faults of one server.
#[derive(Default)]
pub(super) struct Faults(Mutex<Vec<Fault>>);

/// The faults that apply to one request.
pub(super) struct Matching(Vec<Action>);

/// What to do with a request.
pub(super) enum Verdict {
    Handle,
    Answer(Response<Body>),
    Close,
}

impl Faults {
    pub(super) fn inject(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn matching(&self, method: &Method, uri: &Uri) -> Matching {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Matching(
            faults
                .iter_mut()
                .filter_map(|fault| fault.take(method, uri).then(|| fault.action.clone()))
                .collect(),
        )
    }
}

impl Matching {
    pub(super) async fn before_answering(&self) -> Verdict {
        for action in &self.0 {
            match action {
                Action::Delay(delay) => tokio::time::sleep(*delay).await,
                Action::Hang => future::pending().await,
                Action::Close => return Verdict::Close,
                Action::Status(status) => {
                    let mut response = Response::new(full("a fault of the test kit\n"));
                    *response.status_mut() = *status;
                    return Verdict::Answer(response);
                }
                _ => {}
            }
        }
        Verdict::Handle
    }

    pub(super) fn rewrite(&self, mut response: Response<Body>) -> Response<Body> {
        for action in &self.0 {
            match action {
                Action::Header(name, value) => {
                    response.headers_mut().insert(name.clone(), value.clone());
                }
                Action::Replace(bytes) => {
                    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
                    *response.body_mut() = full(bytes.clone());
                }
                _ => {}
            }
        }
        response
    }

    pub(super) fn shape(&self, body: Body) -> Body {
        self.0.iter().fold(body, |body, action| match action {
            Action::TruncateAfter(limit) => {
                let end = stream::once(async {
                    // hyper throws away what it has not yet written when a body fails: let it write first.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Err("a fault cuts this body".into())
                });
                boxed(cut(body, *limit).chain(end))
            }
            Action::StallAfter(limit) => boxed(cut(body, *limit).chain(stream::pending())),
            Action::FlipByte(offset) => boxed(flip(body, *offset)),
            _ => body,
        })
    }
}

fn boxed(chunks: impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static) -> Body {
    StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data))).boxed_unsync()
}

/// The first `limit` bytes of a body.
fn cut(body: Body, limit: u64) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    body.into_data_stream().scan(limit, |left, chunk| {
        let chunk = chunk.map(|bytes| {
            let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
            *left -= taken as u64;
            bytes.slice(..taken)
        });
        future::ready(chunk.as_ref().map_or(true, |bytes| !bytes.is_empty()).then_some(chunk))
    })
}

/// A body with all bits of one byte flipped.
fn flip(body: Body, offset: u64) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    body.into_data_stream().scan(0_u64, move |position, chunk| {
        let chunk = chunk.map(|bytes| {
            let start = *position;
            *position += bytes.len() as u64;
            let Some(index) = offset.checked_sub(start).and_then(|index| usize::try_from(index).ok()) else {
                return bytes;
            };
            let mut bytes = bytes.to_vec();
            if let Some(byte) = bytes.get_mut(index) {
                *byte = !*byte;
            }
            Bytes::from(bytes)
        });
        future::ready(Some(chunk))
    })
}
