//! Our own plain HTTP client, independent of the one under test.

use std::future::Future;
use std::sync::OnceLock;

use reqwest::{Certificate, Client, redirect};
use tokio::runtime::Runtime;

/// The runtime of the test kit's servers and clients.
///
/// It is apart from the test's own, so that a test may block its thread (on a child process, say) while a server
/// in this process answers, and so that connections outlive the runtime of a single test.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("testkit")
            .enable_all()
            .build()
            .expect("a runtime for the test kit's servers")
    })
}

/// Runs a future on the test kit's runtime, whichever runtime waits for it.
pub(crate) async fn on_runtime<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    match runtime().spawn(future).await {
        Ok(value) => value,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => panic!("the test kit's runtime stopped: {error}"),
    }
}

/// A client that follows no redirect, uses no proxy and, beside plain HTTP, trusts the given authority only.
pub(crate) fn http(authority: Option<&str>) -> Client {
    // Another part of the process may have chosen a provider already; it will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificates: Vec<Certificate> = authority
        .map(|pem| Certificate::from_pem(pem.as_bytes()).expect("the certificate of our own authority"))
        .into_iter()
        .collect();
    Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .tls_certs_only(certificates)
        .build()
        .expect("an HTTP client")
}
