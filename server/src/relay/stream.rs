//! The asynchronous end of a client's stream: moves bytes between it and the worker that has its
//! allocation.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use turn::server::Client;

use super::worker::Command;

/// The most that is read at once, in bytes.
const READ_SIZE: usize = 16 << 10;

/// What may wait for a slow reader, in bytes: what comes beyond is dropped, as a full router would.
const MAX_WAITING: usize = 512 << 10;

/// Nothing from a client for this long ends its stream; a live allocation is refreshed far more often.
const IDLE: Duration = Duration::from_secs(3700);

/// A client must begin to speak within this time.
const FIRST_BYTES: Duration = Duration::from_secs(30);

/// The worker's end of a stream.
pub(super) struct Outlet {
    sender: mpsc::UnboundedSender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
}

impl Outlet {
    /// Hands bytes over, unless too many wait already or the stream has ended.
    pub(super) fn send(&self, bytes: Vec<u8>) -> Result<(), usize> {
        let length = bytes.len();
        if self.waiting.load(Ordering::Relaxed) + length > MAX_WAITING {
            return Err(length);
        }
        self.waiting.fetch_add(length, Ordering::Relaxed);
        self.sender.send(bytes).map_err(|_| length)
    }
}

/// Serves a stream until either side ends it.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    client: Client,
    commands: &mpsc::Sender<Command>,
    waker: &mio::Waker,
) {
    let (sender, mut outgoing) = mpsc::unbounded_channel::<Vec<u8>>();
    let waiting = Arc::new(AtomicUsize::new(0));
    let outlet = Outlet { sender, waiting: Arc::clone(&waiting) };
    let tell = async |command| {
        let told = commands.send(command).await.is_ok();
        told && waker.wake().is_ok()
    };
    if !tell(Command::Connected(client, outlet)).await {
        return;
    }
    let (mut reader, mut writer) = tokio::io::split(stream);
    let read = async {
        let mut patience = FIRST_BYTES;
        loop {
            let mut bytes = Vec::with_capacity(READ_SIZE);
            let read = tokio::time::timeout(patience, reader.read_buf(&mut bytes)).await;
            if !matches!(read, Ok(Ok(1..))) || !tell(Command::Received(client, bytes)).await {
                break;
            }
            patience = IDLE;
        }
    };
    let write = async {
        while let Some(bytes) = outgoing.recv().await {
            let written = writer.write_all(&bytes).await.and(writer.flush().await);
            waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
            if written.is_err() {
                break;
            }
        }
        let _ = writer.shutdown().await;
    };
    // Whichever ends first ends the other.
    tokio::select! {
        () = read => {}
        () = write => {}
    }
    tell(Command::Disconnected(client)).await;
}
