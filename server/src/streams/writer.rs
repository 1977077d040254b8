//! A file that frames are written to, on a thread of its own: a disk may be slow.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind};
use std::path::Path;
use std::time::Duration;

use media::{Container, Frame, FrameSink, Track, WriteError, create};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Frames that wait for the disk; further ones wait in the connection, and what it has no room for is lost.
const WAITING: usize = 512;
/// So much is lost at most when this program is killed.
const FLUSH: Duration = Duration::from_secs(1);

/// A file that is being written.
#[derive(Debug)]
pub(super) struct Writer {
    frames: mpsc::Sender<Frame>,
    thread: JoinHandle<Result<(), WriteError>>,
}

/// Makes a file, and none where there is one, unless it may be overwritten.
pub(super) fn make(path: &Path, overwrite: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).read(true);
    if overwrite {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    options.open(path)
}

impl Writer {
    /// Begins a file of these tracks.
    pub(super) fn begin(file: File, container: Container, tracks: &[Track]) -> Result<Self, WriteError> {
        let sink = create(container, BufWriter::with_capacity(256 << 10, file), tracks)?;
        let (frames, inbox) = mpsc::channel(WAITING);
        let thread = tokio::task::spawn_blocking(move || write(sink, inbox));
        Ok(Self { frames, thread })
    }

    /// Writes a frame; false where the file cannot be written any more.
    pub(super) async fn write(&self, frame: Frame) -> bool {
        self.frames.send(frame).await.is_ok()
    }

    /// Ends the file.
    pub(super) async fn finish(self) -> Result<(), WriteError> {
        drop(self.frames);
        self.thread.await.unwrap_or_else(|error| Err(WriteError::Io(io::Error::other(error))))
    }
}

fn write(mut sink: Box<dyn FrameSink>, mut frames: mpsc::Receiver<Frame>) -> Result<(), WriteError> {
    let mut flushed = Duration::ZERO;
    while let Some(frame) = frames.blocking_recv() {
        let time = frame.time;
        let mut written = sink.write_frame(&frame);
        if written.is_ok() && time >= flushed + FLUSH {
            flushed = time;
            written = sink.flush();
        }
        if let Err(error) = written {
            // What is there can be played; places to seek by may still be written over what was reserved for them.
            let _ = sink.finish();
            return Err(error);
        }
    }
    sink.finish()
}

/// Whether a disk has no room.
pub(super) fn is_full(error: &WriteError) -> bool {
    matches!(error, WriteError::Io(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge))
}
