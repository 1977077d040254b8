//! Stopping: clients are told and come back to whoever is next; a second signal is obeyed at once.

use std::{io, process::ExitCode, time::Duration};

use tokio::time::{sleep, timeout};

use crate::{http::HubHandle, relay};

/// How often to look whether everyone is gone.
const LOOK: Duration = Duration::from_millis(20);

/// SIGTERM and Ctrl-C. From the time it exists on they no longer end the process by themselves.
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Must be called within a tokio runtime, before anybody is told that the server is ready.
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
            #[cfg(unix)]
            interrupt: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?,
        })
    }

    /// The next one.
    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

/// Waits for a signal, then until every client is gone and nothing is relayed, at most `drain`.
pub(super) async fn when_told(
    mut signals: Signals,
    hub: &HubHandle,
    relay: Option<&relay::Handle>,
    drain: Duration,
) -> ExitCode {
    signals.next().await;
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
        () = signals.next() => ExitCode::from(130),
    }
}
