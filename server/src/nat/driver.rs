//! The sockets and the clock of a discovery: a handful of UDP sockets on one thread, each with its own port.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Instant;

use stun::discovery::{Config, Discovery, Event, Report};
use wire::Received;

/// Longer than any answer to a Binding request.
const BUFFER_LEN: usize = 2048;

/// The local address from which datagrams to `server` leave. Sends nothing.
pub(super) fn local_address(server: SocketAddr) -> io::Result<SocketAddr> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(server)?;
    socket.local_addr()
}

/// Runs one round from two ports of `local`'s address and as many `more` for lifetimes.
pub(super) fn run(
    local: SocketAddr,
    more: usize,
    config: impl FnOnce(&[SocketAddr]) -> Config,
) -> io::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut sockets = Vec::new();
        for _ in 0..2 + more {
            // Port 0: the system picks one at random, which had no traffic of late.
            sockets.push(tokio::net::UdpSocket::bind((local.ip(), 0)).await?);
        }
        let ports = sockets.iter().map(tokio::net::UdpSocket::local_addr).collect::<io::Result<Vec<_>>>()?;
        let discovery = Discovery::new(Instant::now(), config(&ports));
        drive(discovery, &sockets, &ports).await
    })
}

async fn drive(
    mut discovery: Discovery,
    sockets: &[tokio::net::UdpSocket],
    ports: &[SocketAddr],
) -> io::Result<Report> {
    let (mut outgoing, mut incoming) = (Vec::new(), [0; BUFFER_LEN]);
    loop {
        while let Some(transmit) = discovery.poll_transmit(Instant::now(), &mut outgoing) {
            if let Some(index) = ports.iter().position(|port| *port == transmit.source) {
                // A datagram that cannot be sent is lost, as any can be: silence tells.
                let _ = sockets[index].send_to(&outgoing, transmit.destination).await;
            }
            outgoing.clear();
        }
        if let Some(Event::Finished(report)) = discovery.poll_event() {
            return Ok(report);
        }
        let Some((deadline, _)) = discovery.poll_timeout() else { return Ok(discovery.report()) };
        let readable = sockets.iter().map(|socket| Box::pin(socket.readable()));
        tokio::select! {
            () = tokio::time::sleep_until(deadline.into()) => discovery.handle_timeout(Instant::now()),
            (result, index, _) = futures_util::future::select_all(readable) => {
                result?;
                if let Ok((length, source)) = sockets[index].try_recv_from(&mut incoming) {
                    let datagram =
                        Received { source, destination: ports[index], bytes: &mut incoming[..length] };
                    // What is not for us is dropped; the state machine has no more to say about it here.
                    let _ = discovery.handle_datagram(Instant::now(), datagram);
                }
            }
        }
    }
}
