//! HTTP servers inside the test's process: what they were asked is recorded, and they can be told to misbehave.

mod fault;
mod traffic;

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

pub use fault::Fault;
pub use traffic::RecordedRequest;

use crate::client::runtime;
use fault::{Faults, Verdict};
use traffic::Traffic;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;
type Handler = dyn Fn(Request<Body>) -> BoxFuture<'static, Result<Response<Body>, BoxError>> + Send + Sync;

/// A whole body, known from the start.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// One HTTP/1.1 server on a free port of 127.0.0.1. It stops, open connections included, when this is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

struct Shared {
    handler: Box<Handler>,
    traffic: Traffic,
    faults: Faults,
}

impl Server {
    /// Starts a server. A handler that returns an error closes the connection without an answer.
    pub(crate) fn start<H, F>(handler: H) -> Self
    where
        H: Fn(Request<Body>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Response<Body>, BoxError>> + Send + 'static,
    {
        // Bound by the standard library, so that starting needs no runtime of the caller.
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let address = listener.local_addr().expect("the address of a bound listener");
        let shared = Arc::new(Shared {
            handler: Box::new(move |request| Box::pin(handler(request))),
            traffic: Traffic::default(),
            faults: Faults::default(),
        });
        let accepting = runtime().spawn(accept(listener, Arc::clone(&shared))).abort_handle();
        Self { address, shared, accepting }
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn inject(&self, fault: Fault) {
        self.shared.faults.inject(fault);
    }

    pub(crate) fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.traffic.requests()
    }

    pub(crate) fn forget_requests(&self) {
        self.shared.traffic.forget();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("a listener for the runtime");
    // Dropped with this task: that ends the connections.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(serve(stream, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
    // A client that goes away, or a fault that cuts the line, is what tests are made of.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Body>, BoxError> {
    let record = shared.traffic.record(&request);
    let faults = shared.faults.matching(request.method(), request.uri());
    let mut request = request.map(|body| record.count_request(body));

    let response = match faults.before_answering().await {
        Verdict::Close => return Err("a fault closes this connection".into()),
        Verdict::Answer(response) => {
            // Who is answered before it has sent everything may see a broken connection rather than the answer.
            while request.body_mut().frame().await.transpose()?.is_some() {}
            response
        }
        Verdict::Handle => (shared.handler)(request).await?,
    };
    record.answered(response.status());
    let response = faults.rewrite(response);
    Ok(response.map(|body| record.count_response(faults.shape(body))))
}
