//! str0m's, in the mode in which packets are written as they are. Its estimator and pacer are off, which ours never are:
//! that is the least that it takes.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::config::DtlsCert;
use str0m::media::{Direction, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Input, Output, Rtc, RtcConfig};

use super::{Frame, Work};

pub(super) struct Viewer {
    server: Rtc,
    client: Rtc,
    /// Sound, and pictures: with the number of the next packet.
    media: [(Mid, Pt, u64); 2],
    /// What each of them waits for: the server, the client.
    deadlines: [Instant; 2],
    sent: Vec<Vec<u8>>,
    said: Vec<Vec<u8>>,
}

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const PORTS: [u16; 2] = [5000, 5001];

pub(super) fn viewers(count: usize) -> io::Result<Vec<(Instant, Viewer)>> {
    let provider = str0m::crypto::from_feature_flags().dtls_provider;
    let certificate =
        provider.generate_certificate().ok_or_else(|| io::Error::other("it makes no certificate"))?;
    (0..count).map(|_| connect(&certificate).map_err(io::Error::other)).collect()
}

impl super::Viewer for Viewer {
    fn give(&mut self, now: Instant, frame: &Frame, work: &mut Work) -> io::Result<()> {
        let ticks = [frame.number.wrapping_mul(1584), frame.number.wrapping_mul(2970)];
        let packets = [std::slice::from_ref(&frame.sound), frame.packets.as_slice()];
        for (at, ((mid, pt, next), packets)) in self.media.iter_mut().zip(packets).enumerate() {
            let mut direct = self.server.direct_api();
            let stream = direct.stream_tx_by_mid(*mid, None).ok_or_else(|| io::Error::other("no stream"))?;
            for (place, payload) in packets.iter().enumerate() {
                let write = RtpWrite::new(*pt, (*next).into(), ticks[at], now, payload.as_ref());
                stream.write_rtp(write.marker(place + 1 == packets.len()).nackable(at == 1));
                *next += 1;
                work.packets += 1;
            }
        }
        self.wake_up(now, work)
    }

    fn arrive(&mut self, now: Instant) -> io::Result<()> {
        let sent = (&mut self.sent, [1, 0]);
        let deadline = take(now, &mut self.client, sent, &mut self.said).map_err(io::Error::other)?;
        self.deadlines[1] = deadline.unwrap_or(self.deadlines[1]);
        Ok(())
    }

    fn answer(&mut self, now: Instant) -> io::Result<bool> {
        if self.deadlines[1] <= now {
            self.client.handle_input(Input::Timeout(now)).map_err(io::Error::other)?;
            self.deadlines[1] = drain(&mut self.client, &mut self.said).map_err(io::Error::other)?;
        }
        Ok(!self.said.is_empty())
    }

    fn hear(&mut self, now: Instant, work: &mut Work) -> io::Result<()> {
        let before = self.sent.len();
        let said = (&mut self.said, [0, 1]);
        let deadline = take(now, &mut self.server, said, &mut self.sent).map_err(io::Error::other)?;
        self.deadlines[0] = deadline.unwrap_or(self.deadlines[0]);
        work.datagrams += (self.sent.len() - before) as u64;
        Ok(())
    }

    fn is_due(&self, now: Instant) -> bool {
        self.deadlines[0] <= now
    }

    fn wake_up(&mut self, now: Instant, work: &mut Work) -> io::Result<()> {
        self.server.handle_input(Input::Timeout(now)).map_err(io::Error::other)?;
        self.send(work)
    }
}

impl Viewer {
    fn send(&mut self, work: &mut Work) -> io::Result<()> {
        let before = self.sent.len();
        self.deadlines[0] = drain(&mut self.server, &mut self.sent).map_err(io::Error::other)?;
        work.datagrams += (self.sent.len() - before) as u64;
        Ok(())
    }
}

/// Everything that comes out, until there is a time.
fn drain(rtc: &mut Rtc, sent: &mut Vec<Vec<u8>>) -> Outcome<Instant> {
    loop {
        match rtc.poll_output()? {
            Output::Timeout(at) => return Ok(at),
            Output::Transmit(transmit) => sent.push(transmit.contents.into()),
            Output::Event(_) => {}
        }
    }
}

/// What was sent arrives; `said` is what is said to it. When it is to be woken, if anything arrived.
fn take(
    now: Instant,
    rtc: &mut Rtc,
    (sent, from_to): (&mut Vec<Vec<u8>>, [usize; 2]),
    said: &mut Vec<Vec<u8>>,
) -> Outcome<Option<Instant>> {
    let [source, destination] = from_to.map(address);
    let mut deadline = None;
    for datagram in sent.drain(..) {
        let contents = datagram.as_slice().try_into()?;
        rtc.handle_input(Input::Receive(
            now,
            Receive { proto: Protocol::Udp, source, destination, contents },
        ))?;
        deadline = Some(drain(rtc, said)?);
    }
    Ok(deadline)
}

fn address(end: usize) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], PORTS[end]))
}

/// A viewer that is connected, and when: it offers, as WHEP has it, and the server answers.
fn connect(certificate: &DtlsCert) -> Outcome<(Instant, Viewer)> {
    let mut now = Instant::now();
    let build = |is_server: bool| {
        RtcConfig::new()
            .set_rtp_mode(true)
            .set_ice_lite(is_server)
            .set_dtls_cert(certificate.clone())
            .build(now)
    };
    let mut ends = [build(false), build(true)];
    for (end, rtc) in ends.iter_mut().enumerate() {
        rtc.add_local_candidate(Candidate::host(address(end), "udp")?);
    }
    let [client, server] = &mut ends;
    let mut change = client.sdp_api();
    let mids = [MediaKind::Audio, MediaKind::Video]
        .map(|kind| change.add_media(kind, Direction::RecvOnly, None, None, None));
    let (offer, pending) = change.apply().ok_or("nothing to offer")?;
    let answer = server.sdp_api().accept_offer(offer)?;
    client.sdp_api().accept_answer(pending, answer)?;
    let (mut sent, mut said) = (Vec::new(), Vec::new());
    let latest = now + Duration::from_secs(5);
    while !client.is_connected() || !server.is_connected() {
        if now > latest {
            return Err("it does not connect".into());
        }
        for (rtc, out) in [(&mut *client, &mut said), (&mut *server, &mut sent)] {
            rtc.handle_input(Input::Timeout(now))?;
            drain(rtc, out)?;
        }
        take(now, client, (&mut sent, [1, 0]), &mut said)?;
        take(now, server, (&mut said, [0, 1]), &mut sent)?;
        now += Duration::from_millis(1);
    }
    let [client, server] = ends;
    let media = mids.map(|mid| {
        let pt = server.media(mid).and_then(|media| media.remote_pts().first().copied());
        pt.map(|pt| (mid, pt, 1000))
    });
    let [Some(sound), Some(pictures)] = media else { return Err("no codec".into()) };
    let viewer = Viewer { server, client, media: [sound, pictures], deadlines: [now; 2], sent, said };
    Ok((now, viewer))
}
