//! What goes out: datagrams to the sockets, the rest to streams.

use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{Driver, clock};

thread_local! {
    /// Where a thread's connections write what they send. None needs it between two calls, and 64 KiB each would be more
    /// than an idle one takes.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A batch that waits for room in its socket, and gives its buffer back.
pub(crate) struct Unsent(pub(crate) Pin<Box<dyn Future<Output = Vec<u8>> + Send>>);

impl fmt::Debug for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unsent")
    }
}

impl Driver {
    /// Sends what there is; ready with whether there was anything, pending while a socket has no room.
    pub(super) fn poll_transmit(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        let mut any = false;
        if let Some(Unsent(sending)) = &mut self.unsent {
            BUFFER.set(ready!(sending.as_mut().poll(context)));
            self.unsent = None;
            any = true;
        }
        let (mut buffer, mut now) = (BUFFER.take(), clock());
        loop {
            buffer.clear();
            let Some(transmit) = self.peer.poll_transmit(now, &mut buffer) else { break };
            any = true;
            if let Err(mut unsent) = self.port.send(&transmit, &mut buffer) {
                // From here on the task is woken.
                if let Poll::Ready(sent) = unsent.0.as_mut().poll(context) {
                    buffer = sent;
                } else {
                    self.unsent = Some(unsent);
                    return Poll::Pending;
                }
            }
            now = clock();
        }
        while let Some(id) = self.peer.poll_stream(now, &mut buffer) {
            any = true;
            if !self.streams.write(id, &buffer) {
                self.peer.set_stream_ready(id, false);
            }
            buffer.clear();
        }
        BUFFER.set(buffer);
        Poll::Ready(any)
    }
}
