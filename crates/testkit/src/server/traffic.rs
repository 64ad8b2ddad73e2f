//! What a server was asked, and how many bytes went each way.

use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::AUTHORIZATION;
use hyper::{Request, StatusCode};

use super::Body;

/// One request as it was seen, with the bytes that have passed so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    /// The method, in capitals.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Whether credentials came with it.
    pub authorized: bool,
    /// The status of the answer; `None` where none was given (yet).
    pub status: Option<u16>,
    /// Bytes of the request's body that were read.
    pub request_bytes: u64,
    /// Bytes of the answer's body that were sent.
    pub response_bytes: u64,
}

/// All requests to one server, in the order they came.
#[derive(Default)]
pub(super) struct Traffic(Mutex<Vec<Arc<Record>>>);

pub(super) struct Record {
    method: String,
    path: String,
    authorized: bool,
    status: AtomicU16,
    request_bytes: AtomicU64,
    response_bytes: AtomicU64,
}

impl Traffic {
    pub(super) fn record(&self, request: &Request<Incoming>) -> Arc<Record> {
        let record = Arc::new(Record {
            method: request.method().to_string(),
            path: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
            authorized: request.headers().contains_key(AUTHORIZATION),
            status: AtomicU16::new(0),
            request_bytes: AtomicU64::new(0),
            response_bytes: AtomicU64::new(0),
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&record));
        record
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().map(|record| record.snapshot()).collect()
    }

    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Record {
    fn snapshot(&self) -> RecordedRequest {
        let status = self.status.load(Ordering::Relaxed);
        RecordedRequest {
            method: self.method.clone(),
            path: self.path.clone(),
            authorized: self.authorized,
            status: (status != 0).then_some(status),
            request_bytes: self.request_bytes.load(Ordering::Relaxed),
            response_bytes: self.response_bytes.load(Ordering::Relaxed),
        }
    }

    pub(super) fn answered(&self, status: StatusCode) {
        self.status.store(status.as_u16(), Ordering::Relaxed);
    }

    pub(super) fn count_request(self: &Arc<Self>, body: Incoming) -> Body {
        // Left alone, so that a forwarded request without a body stays one without a body.
        if body.is_end_stream() {
            return super::full("");
        }
        let record = Arc::clone(self);
        body.map_frame(move |frame| {
            let bytes = frame.data_ref().map_or(0, bytes::Bytes::len);
            record.request_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
            frame
        })
        .map_err(Into::into)
        .boxed_unsync()
    }

    pub(super) fn count_response(self: &Arc<Self>, body: Body) -> Body {
        let record = Arc::clone(self);
        body.map_frame(move |frame| {
            let bytes = frame.data_ref().map_or(0, bytes::Bytes::len);
            record.response_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
            frame
        })
        .boxed_unsync()
    }
}
