//! The crate `str0m`: its estimator cannot be had alone, hence whole connections, driven as its own tests do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use str0m::bwe::{Bitrate, BweKind};
use str0m::media::{MediaKind, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, Input, Output, Rtc};

use super::encoder::Encoder;
use super::end::{End, MEDIA, OTHER};
use super::plan::MOST;

/// What ours begins with, too.
const START: u64 = 300_000;

pub(crate) struct Session {
    rtc: Rtc,
    own: SocketAddr,
    other: SocketAddr,
    deadline: Instant,
    waiting: Vec<Vec<u8>>,
    /// Where it sends.
    encoder: Option<Encoder>,
    pt: Option<Pt>,
    start: Instant,
    sequence: u64,
    estimate: u64,
    most: u64,
    seed: u64,
}

/// The end that sends and the one that receives.
pub(crate) fn pair(now: Instant, addresses: [SocketAddr; 2], seed: u64) -> [Session; 2] {
    let mut ends = [0, 1].map(|index| {
        let [own, other] = [addresses[index], addresses[1 - index]];
        let builder = Rtc::builder()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .set_rtp_mode(true);
        let builder = if index == 0 { builder.enable_bwe(Some(Bitrate::bps(START))) } else { builder };
        let mut rtc = builder.build(now);
        rtc.add_local_candidate(Candidate::host(own, "udp").expect("a candidate"));
        rtc.add_remote_candidate(Candidate::host(other, "udp").expect("a candidate"));
        Session {
            rtc,
            own,
            other,
            deadline: now,
            waiting: Vec::new(),
            encoder: None,
            pt: None,
            start: now,
            sequence: 1,
            estimate: START,
            most: MOST,
            seed,
        }
    });
    let fingerprints = ends.each_mut().map(|end| end.rtc.direct_api().local_dtls_fingerprint().clone());
    let credentials = ends.each_mut().map(|end| end.rtc.direct_api().local_ice_credentials());
    let [prints_a, prints_b] = fingerprints;
    let [credentials_a, credentials_b] = credentials;
    for (index, (print, credentials)) in
        [(prints_b, credentials_b), (prints_a, credentials_a)].into_iter().enumerate()
    {
        let end = &mut ends[index];
        let mut api = end.rtc.direct_api();
        api.set_remote_fingerprint(print);
        api.set_remote_ice_credentials(credentials);
        api.set_ice_controlling(index == 0);
        api.start_dtls(index == 0).expect("DTLS begins");
        let mid = "vid".into();
        api.declare_media(mid, MediaKind::Video);
        if index == 0 {
            api.declare_stream_tx(MEDIA.into(), Some(OTHER.into()), mid, None);
        } else {
            // What is lost stays lost, as with ours: retransmissions would be counted as media or not at all.
            api.expect_stream_rx(MEDIA.into(), Some(OTHER.into()), mid, None).suppress_nack(true);
            api.enable_twcc_feedback();
        }
    }
    ends[0].rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::bps(MOST));
    ends
}

impl Session {
    /// Its rule: after each input, everything that comes out until there is a time.
    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(time)) => {
                    self.deadline = time;
                    return;
                }
                Ok(Output::Transmit(transmit)) => self.waiting.push(transmit.contents.to_vec()),
                Ok(Output::Event(Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. }))) => {
                    self.estimate = estimate.as_u64();
                }
                Ok(Output::Event(_)) => {}
                Err(error) => panic!("str0m: {error}"),
            }
        }
    }

    fn encode(&mut self, now: Instant) {
        let Some(encoder) = &mut self.encoder else { return };
        let Some(sizes) = encoder.frame(now, self.estimate.min(self.most)) else { return };
        let Some(pt) = self.pt else { return };
        let frame = (now - self.start).as_millis() as u32;
        for size in sizes {
            let write = RtpWrite::new(pt, self.sequence.into(), frame, now, vec![0_u8; size]).nackable(true);
            self.sequence += 1;
            if let Some(stream) = self.rtc.direct_api().stream_tx(&MEDIA.into()) {
                stream.write_rtp(write);
            }
            self.drain();
        }
    }
}

impl End for Session {
    fn take(&mut self, now: Instant, datagram: &mut [u8]) {
        let Ok(contents) = (&*datagram).try_into() else { return };
        let (source, destination) = (self.other, self.own);
        let receive = Receive { proto: Protocol::Udp, source, destination, contents };
        if let Err(error) = self.rtc.handle_input(Input::Receive(now, receive)) {
            panic!("str0m: {error}");
        }
        self.drain();
    }

    fn advance(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) {
        if let Err(error) = self.rtc.handle_input(Input::Timeout(now)) {
            panic!("str0m: {error}");
        }
        self.drain();
        self.encode(now);
        out.append(&mut self.waiting);
    }

    fn deadline(&self) -> Option<Instant> {
        let encoder = self.encoder.as_ref().map(Encoder::next_at);
        encoder.into_iter().chain([self.deadline]).min()
    }

    fn is_open(&self) -> bool {
        self.rtc.is_connected()
    }

    fn begin(&mut self, now: Instant, sizes: &'static [u64]) {
        let params = self.rtc.codec_config().params();
        self.pt =
            params.iter().find(|params| params.spec().codec.is_video()).map(str0m::format::PayloadParams::pt);
        self.encoder = Some(Encoder::new(now, self.seed, sizes));
    }

    fn limit(&mut self, _now: Instant, most: u64) {
        self.most = most;
    }

    fn target(&self) -> u64 {
        self.estimate
    }
}
