//! The crate `str0m`: ICE, DTLS, SCTP, data channels.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use str0m::channel::{ChannelConfig, ChannelId};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Rtc};

use super::stack::{Addresses, End, Heard, Lane, Pair};

struct Session {
    rtc: Rtc,
    own: SocketAddr,
    other: SocketAddr,
    channels: [Option<ChannelId>; 2],
    deadline: Instant,
    /// What came out while something went in.
    waiting: super::stack::Output,
    has_failed: bool,
}

const LABELS: [&str; 2] = ["bulk", "urgent"];

pub(crate) fn pair(now: Instant, addresses: Addresses) -> Pair {
    let mut ends = [0, 1].map(|index| {
        let [own, other] = [addresses[index], addresses[1 - index]];
        let mut rtc = Rtc::builder()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            // By default 128 KiB, under way included, which no long path is filled with.
            .set_sctp_max_buffered_amount(4 << 20)
            .build(now);
        rtc.add_local_candidate(Candidate::host(own, "udp").expect("a candidate"));
        rtc.add_remote_candidate(Candidate::host(other, "udp").expect("a candidate"));
        let waiting = super::stack::Output::default();
        Session { rtc, own, other, channels: [None; 2], deadline: now, waiting, has_failed: false }
    });
    let [a, b] = &mut ends;
    let mut change = a.rtc.sdp_api();
    for lane in [Lane::Bulk, Lane::Urgent] {
        change.add_channel_with_config(ChannelConfig {
            label: LABELS[lane as usize].into(),
            ordered: lane == Lane::Bulk,
            ..ChannelConfig::default()
        });
    }
    let (offer, pending) = change.apply().expect("an offer");
    let answer = b.rtc.sdp_api().accept_offer(offer).expect("an answer");
    a.rtc.sdp_api().accept_answer(pending, answer).expect("an answer that is taken");
    ends.map(|end| Box::new(end) as Box<dyn End>)
}

impl Session {
    /// Its rule: after each input, everything that comes out until there is a time.
    fn give(&mut self, input: Input<'_>) {
        if self.rtc.handle_input(input).is_err() {
            self.has_failed = true;
        }
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output() {
                Ok(str0m::Output::Timeout(time)) => {
                    self.deadline = time;
                    return;
                }
                Ok(str0m::Output::Transmit(transmit)) => self.waiting.send(&transmit.contents),
                Ok(str0m::Output::Event(Event::ChannelOpen(id, label))) => {
                    let lane = LABELS.iter().position(|known| *known == label);
                    lane.into_iter().for_each(|lane| self.channels[lane] = Some(id));
                }
                Ok(str0m::Output::Event(Event::ChannelData(data))) => {
                    let is_bulk = self.channels[0] == Some(data.id);
                    let lane = if is_bulk { Lane::Bulk } else { Lane::Urgent };
                    self.waiting.heard.push(Heard::new(lane, &data.data, true));
                }
                Ok(str0m::Output::Event(_)) => {}
                Err(_) => {
                    self.has_failed = true;
                    return;
                }
            }
        }
    }
}

impl End for Session {
    fn take(&mut self, now: Instant, datagram: &mut [u8]) {
        let Ok(contents) = (&*datagram).try_into() else { return };
        let (source, destination) = (self.other, self.own);
        self.give(Input::Receive(now, Receive { proto: Protocol::Udp, source, destination, contents }));
    }

    fn advance(&mut self, now: Instant, output: &mut super::stack::Output) {
        if !self.has_failed {
            self.give(Input::Timeout(now));
        }
        std::mem::swap(&mut self.waiting, output);
    }

    fn deadline(&mut self) -> Option<Instant> {
        (!self.has_failed).then_some(self.deadline)
    }

    fn is_open(&self) -> bool {
        self.channels.iter().all(Option::is_some)
    }

    fn send(&mut self, _now: Instant, lane: Lane, message: &[u8]) -> bool {
        let Some(id) = self.channels[lane as usize] else { return false };
        self.rtc.channel(id).is_some_and(|mut channel| channel.write(true, message).is_ok_and(|taken| taken))
    }

    fn buffered(&mut self) -> usize {
        let channel = self.channels[0].and_then(|id| self.rtc.channel(id));
        channel.map_or(0, |mut channel| channel.buffered_amount())
    }

    fn counts_under_way(&self) -> bool {
        true
    }
}
