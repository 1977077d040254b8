//! Stopping: clients are told and come back to whoever is next; a second signal is obeyed at once.

use std::{process::ExitCode, time::Duration};

use tokio::time::{sleep, timeout};

use crate::{http::HubHandle, relay};

/// How often to look whether everyone is gone.
const LOOK: Duration = Duration::from_millis(20);

/// Waits for SIGTERM or Ctrl-C, then until every client is gone and nothing is relayed, at most `drain`.
pub(super) async fn when_told(hub: &HubHandle, relay: Option<&relay::Handle>, drain: Duration) -> ExitCode {
    signal().await;
    tracing::info!("stopping: telling every client (a second signal stops at once)");
    hub.drain().await;
    let drained = async {
        while hub.connections().await > 0 || relay.is_some_and(|relay| relay.allocations() > 0) {
            sleep(LOOK).await;
        }
    };
    tokio::select! {
        drained = timeout(drain, drained) => {
            if drained.is_err() {
                tracing::info!("some clients did not go in time");
            }
            ExitCode::SUCCESS
        }
        () = signal() => ExitCode::from(130),
    }
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    // Where a handler cannot be installed, the signal's own effect, ending at once, remains.
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
