//! UDP sockets that receive and send batches (GRO, GSO).

use std::cell::RefCell;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use tokio::io::Interest;
use tokio::net::{TcpListener, UdpSocket};

use crate::interfaces::interfaces;
use crate::{AddressFilter, Configuration};

/// With GRO, up to 64 datagrams arrive as one.
pub(crate) const BUFFER_LEN: usize = 1 << 16;

/// How many buffers one receive fills.
const BUFFERS: usize = 8;

thread_local! {
    /// Where a thread receives. It is empty between two calls, so that connections need none of their own: half a
    /// megabyte each would be most of what an idle one takes.
    static ARENA: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Ports that are tried for one that is free on every address.
const PORTS: usize = 16;

/// Addresses of this machine that are used at most.
const ADDRESSES: usize = 32;

#[derive(Debug)]
pub(crate) struct Socket {
    io: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    interface: u32,
    /// How many datagrams one call takes, each no larger than an Ethernet frame.
    most_segments: AtomicUsize,
}

/// One socket on each of this host's addresses.
#[derive(Debug)]
pub(crate) struct Sockets {
    sockets: Vec<Arc<Socket>>,
    /// Which one is looked at first: each has its turn, however much comes to another.
    turn: usize,
    listeners: Vec<(TcpListener, u32)>,
    /// Where those listen.
    listening: Vec<(SocketAddr, u32)>,
    options: Options,
}

/// What the configuration says of sockets.
#[derive(Debug)]
struct Options {
    ports: Option<RangeInclusive<u16>>,
    include_loopback: bool,
    filter: Option<AddressFilter>,
    receive_buffer: usize,
    send_buffer: usize,
    gso: bool,
}

/// What has become of this machine's addresses.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) new: Vec<(SocketAddr, u32)>,
    pub(crate) gone: Vec<SocketAddr>,
}

impl Change {
    pub(crate) fn is_empty(&self) -> bool {
        self.new.is_empty() && self.gone.is_empty()
    }
}

impl Sockets {
    pub(crate) fn open(configuration: &Configuration) -> io::Result<Self> {
        let options = Options {
            ports: configuration.ports.clone(),
            include_loopback: configuration.include_loopback,
            filter: configuration.address_filter.clone(),
            receive_buffer: configuration.receive_buffer,
            send_buffer: configuration.send_buffer,
            gso: configuration.gso,
        };
        let (mut sockets, mut listeners, mut listening) = (Vec::new(), Vec::new(), Vec::new());
        let mut failure = io::Error::new(io::ErrorKind::AddrNotAvailable, "this machine has no address");
        for (ip, interface) in options.addresses()? {
            match Socket::bind(ip, interface, &options) {
                Ok(socket) => sockets.push(Arc::new(socket)),
                Err(error) => failure = error,
            }
            if configuration.ice_tcp_listen {
                // Without one, there is one way less.
                if let Ok(listener) = listen(ip, options.ports.clone())
                    && let Ok(local) = listener.local_addr()
                {
                    listeners.push((listener, interface));
                    listening.push((local, interface));
                }
            }
        }
        if sockets.is_empty() {
            return Err(failure);
        }
        Ok(Self { sockets, turn: 0, listeners, listening, options })
    }

    /// One port, the same on every address.
    pub(crate) fn bind(port: u16, configuration: &Configuration) -> io::Result<Self> {
        let configuration = Configuration { ice_tcp_listen: false, ..configuration.clone() };
        if port != 0 {
            return Self::open(&Configuration { ports: Some(port..=port), ..configuration });
        }
        // Whatever port the first address gives may be taken on another.
        let mut failure = io::Error::new(io::ErrorKind::AddrInUse, "no port is free on every address");
        for _ in 0..PORTS {
            let first = Self::open(&Configuration { ports: None, ..configuration.clone() })?;
            let Some((address, _)) = first.addresses().next() else { break };
            let count = first.sockets.len();
            drop(first);
            let port = address.port();
            match Self::open(&Configuration { ports: Some(port..=port), ..configuration.clone() }) {
                Ok(sockets) if sockets.sockets.len() == count => return Ok(sockets),
                Ok(_) => {}
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// The sockets, for others to send on.
    pub(crate) fn shared(&self) -> Arc<[Arc<Socket>]> {
        self.sockets.clone().into()
    }

    /// Where datagrams arrive, and on which interface.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (SocketAddr, u32)> + '_ {
        self.sockets.iter().map(|socket| (socket.local, socket.interface))
    }

    /// Whether one of them has what is too large for the way cut there, rather than lost.
    pub(crate) fn may_fragment(&self) -> bool {
        self.sockets.iter().any(|socket| socket.may_fragment())
    }

    /// Where connections are taken, and on which interface.
    pub(crate) fn listeners(&self) -> impl Iterator<Item = (SocketAddr, u32)> + '_ {
        self.listening.iter().copied()
    }

    /// The sockets that take them: once.
    pub(crate) fn take_listeners(&mut self) -> Vec<TcpListener> {
        self.listeners.drain(..).map(|(listener, _)| listener).collect()
    }

    /// Opens sockets on addresses that are new, and closes those on addresses that are gone.
    pub(crate) fn refresh(&mut self) -> io::Result<Change> {
        let addresses = self.options.addresses()?;
        let mut change = Change::default();
        self.sockets.retain(|socket| {
            let is_there = addresses.iter().any(|(ip, _)| *ip == socket.local.ip());
            if !is_there {
                change.gone.push(socket.local);
            }
            is_there
        });
        for (ip, interface) in addresses {
            if self.sockets.iter().any(|socket| socket.local.ip() == ip) {
                continue;
            }
            // IPv6 addresses are tentative at first: the next look finds them again.
            if let Ok(socket) = Socket::bind(ip, interface, &self.options) {
                change.new.push((socket.local, interface));
                self.sockets.push(Arc::new(socket));
            }
        }
        Ok(change)
    }

    /// The next socket that has something.
    pub(crate) fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<usize> {
        let count = self.sockets.len();
        let mut turns = (0..count).map(|step| (self.turn + step) % count);
        match turns.find(|index| self.sockets[*index].io.poll_recv_ready(context).is_ready()) {
            Some(index) => {
                self.turn = index + 1;
                Poll::Ready(index)
            }
            None => Poll::Pending,
        }
    }

    /// Hands out what a socket has: source, destination, how long each datagram is but the last, all bytes.
    pub(crate) fn receive(
        &mut self,
        index: usize,
        mut each: impl FnMut(SocketAddr, SocketAddr, usize, &mut [u8]),
    ) {
        self.receive_into(index, |source, destination, stride, buffer, length| {
            each(source, destination, stride, &mut buffer[..length]);
        });
    }

    /// The same, with the buffers: one that is kept is to be replaced by another of [`BUFFER_LEN`] bytes.
    pub(crate) fn receive_into(
        &mut self,
        index: usize,
        mut each: impl FnMut(SocketAddr, SocketAddr, usize, &mut Vec<u8>, usize),
    ) {
        let Some(socket) = self.sockets.get(index) else { return };
        ARENA.with_borrow_mut(|arena| {
            arena.resize_with(BUFFERS, || vec![0; BUFFER_LEN]);
            let mut meta = [RecvMeta::default(); BUFFERS];
            let mut rest = arena.iter_mut();
            let mut buffers: [IoSliceMut<'_>; BUFFERS] =
                std::array::from_fn(|_| IoSliceMut::new(rest.next().map_or(&mut [], Vec::as_mut_slice)));
            let mut count = 0;
            let read = || {
                count = socket.state.recv((&socket.io).into(), &mut buffers, &mut meta)?;
                // Linux gives all there is: where fewer come than could have, nothing is left to be asked for before it
                // says that there is more.
                let is_empty = cfg!(target_os = "linux") && count < BUFFERS;
                if is_empty { Err(io::Error::from(io::ErrorKind::WouldBlock)) } else { Ok(()) }
            };
            // An error is an old one, about something sent: it says nothing of what arrives.
            let _ = socket.io.try_io(Interest::READABLE, read);
            for (buffer, meta) in arena.iter_mut().zip(&meta[..count]) {
                each(meta.addr, socket.local, meta.stride.max(1), buffer, meta.len);
            }
        });
    }

    /// The socket at this address.
    pub(crate) fn at(&self, local: SocketAddr) -> Option<&Arc<Socket>> {
        self.sockets.iter().find(|socket| socket.local == local)
    }
}

impl Socket {
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn interface(&self) -> u32 {
        self.interface
    }

    /// Whether what is too large for the way is cut there, rather than lost.
    pub(crate) fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }

    /// Sends, as far as there is room; how many bytes are left. What the system refuses is lost.
    pub(crate) fn send(&self, transmit: &wire::Transmit, mut contents: &[u8]) -> usize {
        let segment = transmit.segment_size.unwrap_or(contents.len()).max(1);
        let mut most = self.most_segments.load(Ordering::Relaxed).max(1);
        while !contents.is_empty() {
            let (now, rest) = contents.split_at(contents.len().min(segment * most));
            let batch = Transmit {
                destination: transmit.destination,
                ecn: None,
                contents: now,
                segment_size: (now.len() > segment).then_some(segment),
                src_ip: None,
            };
            let send = || self.state.try_send((&self.io).into(), &batch);
            match self.io.try_io(Interest::WRITABLE, send) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // Some drivers cannot do it, and say so only now: from here on without. Or the way has no room for such large
                // ones, which may have shorter ones behind them.
                Err(error) if batch.segment_size.is_some() && is_refusal(&error) => {
                    if segment <= FRAME {
                        self.most_segments.store(1, Ordering::Relaxed);
                    }
                    most = 1;
                }
                _ => contents = rest,
            }
        }
        contents.len()
    }

    /// Sends what is left of a batch, waiting for room.
    pub(crate) async fn send_rest(&self, transmit: &wire::Transmit, mut contents: &[u8]) {
        // Of one datagram, all is left.
        while self.io.writable().await.is_ok() {
            let left = self.send(transmit, contents);
            if left == 0 {
                break;
            }
            contents = &contents[contents.len() - left..];
        }
    }

    fn bind(ip: IpAddr, interface: u32, options: &Options) -> io::Result<Self> {
        let socket = within(options.ports.clone(), |port| std::net::UdpSocket::bind((ip, port)))?;
        socket.set_nonblocking(true)?;
        let kernel = socket2::SockRef::from(&socket);
        // As much as the system lets everyone have.
        let _ = kernel.set_recv_buffer_size(options.receive_buffer);
        let _ = kernel.set_send_buffer_size(options.send_buffer);
        let state = UdpSocketState::new((&socket).into())?;
        let local = socket.local_addr()?;
        let most_segments = AtomicUsize::new(if options.gso { state.max_gso_segments() } else { 1 });
        Ok(Self { io: UdpSocket::from_std(socket)?, state, local, interface, most_segments })
    }
}

impl Options {
    /// The addresses that are used, and their interfaces.
    fn addresses(&self) -> io::Result<Vec<(IpAddr, u32)>> {
        let all = interfaces()?;
        let wanted = all.iter().filter_map(|interface| {
            let ip = interface.ip();
            // A link-local address would need its scope told along, which candidates cannot.
            let is_scoped = matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
            let accepts = |filter: &AddressFilter| filter.accepts(&interface.name, ip);
            let is_wanted = !is_scoped
                && (self.include_loopback || !ip.is_loopback())
                && self.filter.as_ref().is_none_or(accepts);
            is_wanted.then_some((ip, interface.index.unwrap_or(0)))
        });
        Ok(wanted.take(ADDRESSES).collect())
    }
}

fn listen(ip: IpAddr, ports: Option<RangeInclusive<u16>>) -> io::Result<TcpListener> {
    let listener = within(ports, |port| std::net::TcpListener::bind((ip, port)))?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Whether the system cannot send several datagrams at once: EIO or EINVAL.
fn is_refusal(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    number == Some(EIO) || error.kind() == io::ErrorKind::InvalidInput
}

/// What an Ethernet frame has room for.
const FRAME: usize = 1500;

/// The same number on every system that has GSO.
const EIO: i32 = 5;

/// Binds to the first port of a range that is free, from anywhere within it: so that many do not look for the same ones.
fn within<T>(
    ports: Option<RangeInclusive<u16>>,
    mut bind: impl FnMut(u16) -> io::Result<T>,
) -> io::Result<T> {
    let Some(ports) = ports else { return bind(0) };
    let mut random = [0; 8];
    let _ = aws_lc_rs::rand::fill(&mut random);
    let begin = (u64::from_le_bytes(random) % ports.len().max(1) as u64) as usize;
    let mut failure = io::Error::new(io::ErrorKind::AddrInUse, "the range of ports is empty");
    for port in ports.clone().skip(begin).chain(ports.take(begin)) {
        match bind(port) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => failure = error,
            other => return other,
        }
    }
    Err(failure)
}

#[cfg(test)]
mod tests;
