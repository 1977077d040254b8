//! Stopping: clients are told and come back to whoever is next; what is relayed and forwarded goes on for a while. A second
//! signal is obeyed at once.

use std::{io, process::ExitCode, time::Duration};

use tokio::time::{sleep, timeout};

use crate::{http::HubHandle, media, relay};

/// How often to look whether everyone is gone.
const LOOK: Duration = Duration::from_millis(20);

/// How long media workers may take to end their connections.
const GOODBYE: Duration = Duration::from_secs(1);

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

/// Waits for a signal, then until every client is gone and nothing is relayed or forwarded, at most `drain`; then ends
/// what is still forwarded.
pub(super) async fn when_told(
    mut signals: Signals,
    hub: &HubHandle,
    relay: Option<&relay::Handle>,
    media: Option<&media::Handle>,
    drain: Duration,
) -> ExitCode {
    signals.next().await;
    tracing::info!("stopping: telling every client (a second signal stops at once)");
    if let Some(media) = media {
        media.drain();
    }
    hub.drain().await;
    let drained = async {
        while hub.connections().await > 0
            || relay.is_some_and(|relay| relay.allocations() > 0)
            || forwarded(media).await > 0
        {
            sleep(LOOK).await;
        }
    };
    let code = tokio::select! {
        drained = timeout(drain, drained) => {
            if drained.is_err() {
                tracing::info!("some clients did not go in time");
            }
            ExitCode::SUCCESS
        }
        () = signals.next() => ExitCode::from(130),
    };
    if let Some(media) = media {
        // Players see the end at once, and need not wait until nothing has come for long enough.
        let _ = timeout(GOODBYE, media.say_goodbye()).await;
    }
    code
}

async fn forwarded(media: Option<&media::Handle>) -> usize {
    match media {
        Some(media) => media.connections().await,
        None => 0,
    }
}
