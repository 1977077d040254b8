//! str0m's row: without I/O, so these are its sockets and its clock. One thread drives both ends of a pair, with no queue
//! between them and nobody to wake: the least that a program around it can cost. Idle pairs are let lie.

use std::error::Error;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use str0m::channel::ChannelId;
use str0m::config::DtlsCert;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use super::{DATAGRAM, DEADLINE, RECEIVE_BUFFER, Stack};

/// What waits or is under way, in bytes: one of the longest messages. For each packet it goes through all of that, so that
/// its default of 128 KiB costs up to a third more, and 1 MiB costs five times as much.
const QUEUED: usize = 64 << 10;

/// How long nothing is looked at.
const MOST: Duration = Duration::from_secs(1);

/// Datagrams that one end takes before the other has its turn.
const BATCH: usize = 64;

pub(super) struct Str0m {
    certificate: DtlsCert,
    pairs: Vec<[End; 2]>,
}

struct End {
    rtc: Rtc,
    socket: UdpSocket,
    address: SocketAddr,
    channel: Option<ChannelId>,
    arrived: u64,
    deadline: Instant,
}

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

impl Str0m {
    pub(super) fn new() -> io::Result<Self> {
        let provider = str0m::crypto::from_feature_flags().dtls_provider;
        let certificate =
            provider.generate_certificate().ok_or_else(|| io::Error::other("it makes no certificate"))?;
        Ok(Self { certificate, pairs: Vec::new() })
    }
}

impl Stack for Str0m {
    fn connect(&mut self) -> io::Result<()> {
        self.pairs.push(connect(&self.certificate).map_err(io::Error::other)?);
        Ok(())
    }

    fn pump(&mut self, size: usize, window: Duration) -> io::Result<u64> {
        let Some(pair) = self.pairs.last_mut() else { return Ok(0) };
        pump(pair, size, window).map_err(io::Error::other)
    }

    fn forget(&mut self) {
        self.pairs.clear();
    }
}

fn connect(certificate: &DtlsCert) -> Outcome<[End; 2]> {
    let mut pair = [End::new(certificate)?, End::new(certificate)?];
    let [ada, bob] = &mut pair;
    let mut change = ada.rtc.sdp_api();
    change.add_channel("bench".to_owned());
    let (offer, pending) = change.apply().ok_or("nothing to offer")?;
    let answer = bob.rtc.sdp_api().accept_offer(offer)?;
    ada.rtc.sdp_api().accept_answer(pending, answer)?;
    let begun = Instant::now();
    while pair.iter().any(|end| end.channel.is_none()) {
        if begun.elapsed() > DEADLINE {
            return Err("it does not connect".into());
        }
        drive(&mut pair)?;
    }
    Ok(pair)
}

fn pump(pair: &mut [End; 2], size: usize, window: Duration) -> Outcome<u64> {
    let (before, begun, message) = (pair[1].arrived, Instant::now(), vec![7; size]);
    while begun.elapsed() < window {
        let end = &mut pair[0];
        while let Some(mut channel) = end.channel.and_then(|id| end.rtc.channel(id))
            && channel.write(true, &message)?
        {}
        end.drain()?;
        drive(pair)?;
    }
    Ok(pair[1].arrived - before)
}

/// Takes what came to both, or waits until something comes or is due.
fn drive(pair: &mut [End; 2]) -> Outcome<()> {
    let mut has_come = false;
    for end in &mut *pair {
        has_come |= end.receive()?;
    }
    let now = Instant::now();
    for end in pair.iter_mut().filter(|end| end.deadline <= now) {
        end.rtc.handle_input(Input::Timeout(now))?;
        end.drain()?;
        has_come = true;
    }
    if has_come {
        return Ok(());
    }
    let nap = pair.iter().map(|end| end.deadline.saturating_duration_since(now)).min().unwrap_or_default();
    if !nap.is_zero() {
        let mut sockets = [0, 1].map(|index| PollFd::new(pair[index].socket.as_fd(), PollFlags::POLLIN));
        ppoll(&mut sockets, Some(TimeSpec::from_duration(nap.min(MOST))), None)?;
    }
    Ok(())
}

impl End {
    fn new(certificate: &DtlsCert) -> Outcome<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_nonblocking(true)?;
        socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER)?;
        let (address, now) = (socket.local_addr()?, Instant::now());
        let mut rtc = RtcConfig::new()
            .clear_codecs()
            .set_dtls_cert(certificate.clone())
            .set_mtu(DATAGRAM..=DATAGRAM)
            .set_sctp_max_buffered_amount(QUEUED)
            .build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp")?);
        Ok(Self { rtc, socket, address, channel: None, arrived: 0, deadline: now })
    }

    /// Takes what waits in the socket; whether something did.
    fn receive(&mut self) -> Outcome<bool> {
        let mut buffer = [0; 2048];
        for taken in 0..BATCH {
            let (length, source) = match self.socket.recv_from(&mut buffer) {
                Ok(came) => came,
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Ok(taken > 0),
                Err(why) => return Err(why.into()),
            };
            let (proto, destination) = (Protocol::Udp, self.address);
            let contents = (&buffer[..length]).try_into()?;
            let receive = Receive { proto, source, destination, contents };
            self.rtc.handle_input(Input::Receive(Instant::now(), receive))?;
            self.drain()?;
        }
        Ok(true)
    }

    /// Its rule: after each input, everything that comes out until there is a time.
    fn drain(&mut self) -> Outcome<()> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => {
                    self.deadline = at;
                    return Ok(());
                }
                Output::Transmit(sent) => {
                    // What the socket does not take is lost, as on any network.
                    let _ = self.socket.send_to(&sent.contents, sent.destination);
                }
                Output::Event(Event::ChannelOpen(id, _)) => self.channel = Some(id),
                Output::Event(Event::ChannelData(data)) => self.arrived += data.data.len() as u64,
                Output::Event(_) => {}
            }
        }
    }
}
