//! `twocan publish` and `twocan record`: files into live streams by WHIP, and live streams into files by WHEP
//! (`docs/streams.md`).
//!
//! [`session`] speaks with the server, over [`http`]; [`source`] reads frames, those that [`raw`] has had encoded among them, [`writer`]
//! writes them, on threads of their own; [`sealing`] encrypts them from end to end.
//! Pure are [`budget`] (what of a file goes over a slow path), [`timeline`] (when what came was taken), [`restart`] and
//! [`links`].

mod address;
mod budget;
mod http;
mod links;
mod options;
mod publish;
mod raw;
mod record;
mod restart;
mod sealing;
mod session;
mod source;
mod timeline;
mod ui;
mod writer;

use std::process::ExitCode;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

pub(crate) use options::{PublishOptions, RecordOptions};
use session::{Endpoint, Failure, Session};
use ui::{Ui, exit};

/// What is waited for between two attempts, at least and at most.
const BACKOFF: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(16)];

/// Streams a file.
pub(crate) fn publish(options: &PublishOptions) -> ExitCode {
    let ui = Ui::new(options.common.json);
    in_runtime(publish::run(options, &ui))
}

/// Records a stream.
pub(crate) fn record(options: &RecordOptions) -> ExitCode {
    let ui = Ui::new(options.common.json);
    in_runtime(record::run(options, &ui))
}

/// Runs to the end, and waits for no thread that hangs on a disk or a pipe.
fn in_runtime(work: impl Future<Output = ExitCode>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("twocan: no threads to work with: {error}");
            return ExitCode::from(exit::FAILED);
        }
    };
    let code = runtime.block_on(work);
    runtime.shutdown_background();
    code
}

/// Attempts to have a session, one after another.
struct Attempts {
    backoff: Duration,
    /// When the present session, or the hope of one, was lost.
    since: Option<Instant>,
    running: Option<JoinHandle<Result<Session, Failure>>>,
    last: Option<Failure>,
}

impl Attempts {
    fn new() -> Self {
        Self { backoff: BACKOFF[0], since: None, running: None, last: None }
    }

    /// Begins one, after a pause.
    fn begin(&mut self, endpoint: &Endpoint, media: &Media, pause: Duration) {
        self.since.get_or_insert_with(Instant::now);
        let (endpoint, media) = (endpoint.clone(), media.clone());
        self.running = Some(tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            endpoint.open(&media).await
        }));
    }

    /// The next pause: longer each time.
    fn pause(&mut self) -> Duration {
        let [_, longest] = BACKOFF;
        let pause = self.backoff;
        self.backoff = (self.backoff * 2).min(longest);
        pause
    }

    /// There is a session.
    fn succeed(&mut self) {
        *self = Self::new();
    }

    /// What comes of the present one. Cancelling this ends it not.
    async fn outcome(&mut self) -> Result<Session, Failure> {
        let Some(running) = &mut self.running else { return std::future::pending().await };
        let outcome = running.await;
        self.running = None;
        outcome.unwrap_or_else(|error| Err(Failure::Unreachable(error.to_string())))
    }
}

/// What is sent or received: of each kind, which codecs; none where any will do.
type Media = Vec<(twocan::MediaKind, Vec<twocan::Codec>)>;

/// Ctrl-C, or the system's wish that we end.
async fn until_interrupted() {
    #[cfg(unix)]
    if let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
        return;
    }
    // Without a handler the signal ends the process, as everywhere.
    let _ = tokio::signal::ctrl_c().await;
}
