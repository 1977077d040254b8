//! Readiness, recvmmsg with GRO, sendmsg with GSO: what the relay does.

use std::io::{self, IoSliceMut};
use std::net::UdpSocket;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};

const BUFFER_LEN: usize = 1 << 16;

/// Buffers for one receive.
const BUFFERS: usize = 4;

/// How often one socket is read before the others have their turn.
const ROUNDS: usize = 8;

pub(super) fn run(sockets: Vec<UdpSocket>, rest: Option<Duration>) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut states = Vec::new();
    for (index, socket) in sockets.into_iter().enumerate() {
        let state = UdpSocketState::new((&socket).into())?;
        let mut socket = mio::net::UdpSocket::from_std(socket);
        poll.registry().register(&mut socket, Token(index), Interest::READABLE)?;
        states.push((socket, state));
    }
    let mut events = Events::with_capacity(1024);
    let mut arena = vec![0; BUFFERS * BUFFER_LEN];
    let mut unfinished: Vec<Token> = Vec::new();
    loop {
        poll.poll(&mut events, (!unfinished.is_empty()).then_some(Duration::ZERO))?;
        let due: Vec<Token> =
            unfinished.drain(..).chain(events.iter().map(mio::event::Event::token)).collect();
        for token in due {
            let (socket, state) = &states[token.0];
            if echo(socket, state, &mut arena)? {
                unfinished.push(token);
            }
        }
        if let Some(rest) = rest {
            std::thread::sleep(rest);
        }
    }
}

/// Says whether there may be more.
fn echo(socket: &mio::net::UdpSocket, state: &UdpSocketState, arena: &mut [u8]) -> io::Result<bool> {
    for _ in 0..ROUNDS {
        let mut meta = [RecvMeta::default(); BUFFERS];
        let mut chunks = arena.chunks_mut(BUFFER_LEN);
        let mut buffers: [IoSliceMut<'_>; BUFFERS] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let received = match state.recv(socket.into(), &mut buffers, &mut meta) {
            Ok(received) => received,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        };
        for (buffer, meta) in buffers.iter().zip(&meta[..received]) {
            let transmit = Transmit {
                destination: meta.addr,
                ecn: None,
                contents: &buffer[..meta.len],
                segment_size: (meta.stride < meta.len).then_some(meta.stride),
                src_ip: None,
            };
            state.try_send(socket.into(), &transmit)?;
        }
        if received < meta.len() {
            return Ok(false);
        }
    }
    Ok(true)
}
