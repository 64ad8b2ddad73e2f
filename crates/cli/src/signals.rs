//! Ctrl-C and `kill`: they end a build in order.

use imagewright_engine::cancel::CancellationToken;
use tokio::signal::unix::{SignalKind, signal};

/// A token that is cancelled by SIGINT or SIGTERM. A second signal ends the process at once.
///
/// # Errors
/// Signals that cannot be waited for.
pub(crate) fn cancelled_by_signals() -> std::io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let cancel = token.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        next().await;
        cancel.cancel();
        next().await;
        std::process::exit(130);
    });
    Ok(token)
}
