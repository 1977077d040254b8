//! Connections over TCP to the media port (RFC 6544), before a worker has them.
//!
//! All workers are reached at one port, as it may be the only one that a firewall lets through. Whose a connection is
//! its first frame says (RFC 4571 §2): a check (RFC 8445 §7.2.2), whose user name begins with our fragment. Who sends
//! anything else, or nothing for ten seconds, is cut off. How many one address may have is for who accepts them.

use std::io;
use std::time::Duration;

use stun::attribute::Username;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Handle;
use super::commands::Command;
use super::tcp::Arrival;

/// How long the first frame may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a check: it has some hundred.
const LONGEST: usize = 2048;

/// Bytes that the system takes for a connection beyond those on their way: some tenths of a second of a good picture.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 32 * 1024;

impl Handle {
    /// Whether a connection's first byte may be that of a frame's length; neither HTTP nor TLS begin so.
    pub(crate) fn is_frame(first: u8) -> bool {
        usize::from(first) <= LONGEST >> 8
    }

    /// Gives a connection to the worker whose it is, and returns when it has ended.
    pub(crate) async fn accept(&self, mut stream: TcpStream) -> io::Result<()> {
        let first =
            timeout(PATIENCE, first_frame(&mut stream)).await.map_err(|_| io::ErrorKind::TimedOut)??;
        let fragment = fragment_of(first.get(2..).unwrap_or_default());
        let fragment = fragment.ok_or_else(|| io::Error::other("its first frame is no check"))?.into();
        #[cfg(target_os = "linux")]
        {
            // A hint, without which it works as well.
            let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
        }
        let canonical = |mut address: std::net::SocketAddr| {
            address.set_ip(address.ip().to_canonical());
            address
        };
        let (local, remote) = (canonical(stream.local_addr()?), canonical(stream.peer_addr()?));
        let (held, ended) = oneshot::channel();
        let stream = stream.into_std()?;
        let mut arrival = Box::new(Arrival { stream, local, remote, first, fragment, held });
        for worker in &self.workers {
            match worker.ask(|reply| Command::Arrival(arrival, reply)).await {
                Some(Some(back)) => arrival = back,
                Some(None) => {
                    // An error is what says that the worker has dropped it.
                    let _ = ended.await;
                    return Ok(());
                }
                None => return Ok(()),
            }
        }
        Err(io::Error::other("its check is for nobody here"))
    }
}

/// Reads a frame, with its length before it.
async fn first_frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).await?;
    let count = usize::from(u16::from_be_bytes(length));
    if count > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = vec![0; 2 + count];
    let (head, body) = frame.split_at_mut(2);
    head.copy_from_slice(&length);
    stream.read_exact(body).await?;
    Ok(frame)
}

/// Our fragment in a check's user name (RFC 8445 §7.3).
pub(super) fn fragment_of(bytes: &[u8]) -> Option<&str> {
    let message = stun::Message::parse(bytes).ok()?;
    let Username(name) = message.get::<Username<'_>>().ok()??;
    let (ours, _) = name.split_once(':')?;
    Some(ours)
}
