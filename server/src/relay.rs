//! STUN and TURN on real sockets: worker threads that drive [`turn::server::Server`] (RFC 8656).
//!
//! Each worker owns a UDP socket for every listening address (the kernel spreads clients over them with
//! SO_REUSEPORT, by address and port, so that a client always meets the same worker) and the relay
//! sockets of its clients. Workers share nothing on the packet path. Streams (TCP, TLS) are accepted
//! elsewhere and handed to a worker through [`Handle::accept`].

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use turn::server::{Client, Config, Counters, Ledger, Limits, Transport};

mod icmp;
mod links;
mod outbox;
mod pace;
mod stream;
mod streams;
mod worker;

use worker::{Command, Worker};

/// What [`start`] needs.
pub(crate) struct Settings {
    /// The machine's settings.
    pub(crate) config: Config,
    /// The bounds that all workers keep together.
    pub(crate) limits: Limits,
    /// UDP addresses to listen on; port 0 picks one.
    pub(crate) listen: Vec<SocketAddr>,
    /// How many threads, at least one.
    pub(crate) workers: usize,
}

/// Why the workers could not start.
#[derive(Debug)]
pub(crate) struct StartError {
    /// The address that could not be listened on.
    pub(crate) address: SocketAddr,
    /// What the system said.
    pub(crate) cause: io::Error,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, cause } = self;
        match cause.kind() {
            io::ErrorKind::AddrInUse => {
                write!(f, "UDP {address} is in use: stop the other program or choose another --stun-turn")
            }
            io::ErrorKind::PermissionDenied => {
                write!(f, "UDP {address} is not ours to listen on: choose a port above 1023 for --stun-turn")
            }
            io::ErrorKind::AddrNotAvailable => {
                write!(f, "{address} is no address of this host: choose another --stun-turn")
            }
            _ => write!(f, "cannot listen on UDP {address}: {cause}"),
        }
    }
}

impl std::error::Error for StartError {}

/// The running workers. Dropping it stops them.
pub(crate) struct Handle {
    workers: Vec<WorkerHandle>,
    /// The worker that the next stream goes to.
    next: AtomicUsize,
    listening: Vec<SocketAddr>,
    ledger: Arc<Ledger>,
}

struct WorkerHandle {
    commands: mpsc::Sender<Command>,
    waker: Arc<mio::Waker>,
}

/// What one worker has done so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// What its machine counts.
    pub(crate) counters: Counters,
    /// Allocations now.
    pub(crate) allocations: usize,
    /// Datagrams that could not be sent.
    pub(crate) send_errors: u64,
    /// System calls that sent, and datagrams in them.
    pub(crate) sends: u64,
    /// Datagrams sent by those.
    pub(crate) sent_datagrams: u64,
    /// System calls that received.
    pub(crate) receives: u64,
    /// Datagrams received by those.
    pub(crate) received_datagrams: u64,
    /// Bytes for a stream that its reader was too slow to take.
    pub(crate) dropped_stream_bytes: u64,
}

/// Binds every address on every worker and starts the threads.
pub(crate) fn start(settings: Settings) -> Result<Handle, StartError> {
    let Settings { config, limits, mut listen, workers } = settings;
    let config = Arc::new(config);
    let ledger = Arc::new(Ledger::new(limits, Instant::now()));
    let mut handles = Vec::new();
    for index in 0..workers.max(1) {
        let mut listeners = Vec::new();
        for address in &mut listen {
            let failed = |cause| StartError { address: *address, cause };
            let listener = crate::sockets::Listener::bind(*address).map_err(failed)?;
            // Port 0 was chosen by the first worker; the others share it.
            *address = listener.local;
            listeners.push(listener);
        }
        let (commands, inbox) = mpsc::channel(1024);
        let failed = |cause| StartError { address: listen[0], cause };
        let machine = turn::server::Server::new(Arc::clone(&config), Arc::clone(&ledger));
        let worker = Worker::new(machine, Arc::clone(&config), listeners, inbox).map_err(failed)?;
        let waker = worker.waker();
        std::thread::Builder::new()
            .name(format!("relay-{index}"))
            .spawn(move || worker.run())
            .map_err(failed)?;
        handles.push(WorkerHandle { commands, waker });
    }
    Ok(Handle { workers: handles, next: AtomicUsize::new(0), listening: listen, ledger })
}

impl Handle {
    /// The addresses that are listened on, with their real ports.
    pub(crate) fn listening(&self) -> &[SocketAddr] {
        &self.listening
    }

    /// Serves one client on a stream until either side ends it. `local` is our concrete address.
    pub(crate) async fn accept<S>(
        &self,
        stream: S,
        local: SocketAddr,
        remote: SocketAddr,
        transport: Transport,
    ) where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let client = Client { transport, local: canonical(local), remote: canonical(remote) };
        let index = self.next.fetch_add(1, Ordering::Relaxed) % self.workers.len();
        let WorkerHandle { commands, waker } = &self.workers[index];
        stream::serve(stream, client, commands, waker).await;
    }

    /// What each worker has done so far.
    pub(crate) async fn reports(&self) -> Vec<Report> {
        let mut reports = Vec::new();
        for worker in &self.workers {
            let (sender, receiver) = oneshot::channel();
            if worker.commands.send(Command::Report(sender)).await.is_ok() {
                worker.wake();
                reports.extend(receiver.await);
            }
        }
        reports
    }

    /// Allocations now, on all workers.
    pub(crate) fn allocations(&self) -> usize {
        self.ledger.allocations()
    }
}

impl WorkerHandle {
    fn wake(&self) {
        // A worker that is gone has nothing to be woken for.
        let _ = self.waker.wake();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            // Closing the channel is the sign to stop.
            let (closed, _) = mpsc::channel(1);
            worker.commands = closed;
            worker.wake();
        }
    }
}

/// An IPv4 address without the IPv6 clothes that a dual-stack listener puts on it.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The address from which this host speaks to the Internet by default. Nothing is sent to find out.
pub(crate) fn default_source(ipv6: bool) -> Option<IpAddr> {
    // Documentation addresses: routed by default like any other.
    let (any, target) = if ipv6 { ("[::]:0", "[2001:db8::1]:9") } else { ("0.0.0.0:0", "192.0.2.1:9") };
    let socket = std::net::UdpSocket::bind(any).ok()?;
    socket.connect(target).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified()).then_some(ip)
}
