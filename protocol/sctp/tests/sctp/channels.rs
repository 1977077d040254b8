use std::time::{Duration, Instant};

use bytes::Bytes;
use twocan_sctp::channel::{
    ChannelError, ChannelEvent, ChannelId, ChannelOptions, ChannelState, DataChannels, Kind, Role,
};
use twocan_sctp::{Association, Config, Reliability};

use crate::link::{Conditions, Link};
use crate::pair::{beginning, stubborn};

struct Ends {
    now: Instant,
    ends: [DataChannels; 2],
    links: [Link; 2],
    events: [Vec<ChannelEvent>; 2],
    /// Events in the order of both ends.
    buffer: Vec<u8>,
}

impl Ends {
    fn new(config: &Config, conditions: Conditions, seed: u64) -> Self {
        let now = beginning();
        let mut ends =
            [1, 2].map(|side| DataChannels::new(Association::new(now, config.clone(), seed * 2 + side)));
        ends[0].set_role(now, Role::Client);
        ends[0].association_mut().connect(now);
        ends[1].association_mut().connect(now);
        let links = [1, 2].map(|side| Link::new(conditions, seed * 2 + side));
        Self { now, ends, links, events: Default::default(), buffer: Vec::new() }
    }

    fn run_until(&mut self, most: Duration, mut is_done: impl FnMut(&mut Self) -> bool) -> bool {
        let last = self.now + most;
        loop {
            let mut changed = true;
            while changed {
                changed = false;
                for side in 0..2 {
                    let (end, link) = (&mut self.ends[side], &mut self.links[side]);
                    if end.poll_timeout().is_some_and(|(time, _)| time <= self.now) {
                        end.handle_timeout(self.now);
                        changed = true;
                    }
                    while let Some(event) = end.poll_event(self.now) {
                        self.events[side].push(event);
                        changed = true;
                    }
                    self.buffer.clear();
                    while end.poll_transmit(self.now, &mut self.buffer).is_some() {
                        link.send(self.now, &self.buffer);
                        self.buffer.clear();
                        changed = true;
                    }
                    link.receive(self.now, |packet| {
                        let _ = self.ends[1 - side].handle_packet(self.now, packet);
                        changed = true;
                    });
                }
            }
            if is_done(self) {
                return true;
            }
            let timeouts = self.ends.iter().filter_map(|end| Some(end.poll_timeout()?.0));
            let next = timeouts.chain(self.links.iter().filter_map(Link::next_arrival)).min();
            match next {
                Some(next) if next <= last => self.now = next.max(self.now),
                _ => return false,
            }
        }
    }

    fn open(&mut self, side: usize, label: &str, options: ChannelOptions) -> ChannelId {
        self.ends[side].open(self.now, label, "", options).unwrap()
    }

    fn incoming(&self, side: usize) -> Vec<ChannelId> {
        let incoming = |event: &ChannelEvent| match event {
            ChannelEvent::Incoming(id) => Some(*id),
            _ => None,
        };
        self.events[side].iter().filter_map(incoming).collect()
    }

    fn messages(&self, side: usize) -> Vec<(ChannelId, Kind, Vec<u8>)> {
        let message = |event: &ChannelEvent| match event {
            ChannelEvent::Message(message) => Some((message.channel, message.kind, message.data.clone())),
            _ => None,
        };
        self.events[side].iter().filter_map(message).collect()
    }

    fn has(&self, side: usize, event: &ChannelEvent) -> bool {
        self.events[side].contains(event)
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_channel_opens_with_what_it_was_asked_to_be() {
    let mut ends = Ends::new(&Config::default(), Conditions::default(), 1);
    let options = ChannelOptions {
        ordered: false,
        reliability: Reliability::MaxRetransmits(2),
        priority: 512,
        negotiated: None,
    };
    let ours = ends.open(0, "lábel", options.clone());
    let late = ends.open(1, "of the server", ChannelOptions::default());
    assert_eq!(ends.ends[1].get(late).unwrap().stream(), None, "no role yet");
    let now = ends.now;
    ends.ends[1].set_role(now, Role::Server);
    assert!(ends.run_until(MINUTE, |ends| !ends.incoming(0).is_empty() && !ends.incoming(1).is_empty()));
    let theirs = ends.incoming(1)[0];
    let channel = ends.ends[1].get(theirs).unwrap();
    assert_eq!((channel.label(), channel.options(), channel.stream()), ("lábel", &options, Some(0)));
    assert_eq!(ends.ends[1].get(late).unwrap().stream(), Some(1));
    assert!(ends.has(0, &ChannelEvent::Opened(ours)) && ends.has(1, &ChannelEvent::Opened(late)));

    let now = ends.now;
    for (kind, bytes) in
        [(Kind::String, "text"), (Kind::Binary, "bytes"), (Kind::String, ""), (Kind::Binary, "")]
    {
        ends.ends[1].send_copy(now, theirs, kind, bytes.as_bytes()).unwrap();
    }
    assert!(ends.run_until(MINUTE, |ends| ends.messages(0).len() == 4));
    let expected: Vec<_> =
        [(Kind::String, "text"), (Kind::Binary, "bytes"), (Kind::String, ""), (Kind::Binary, "")]
            .map(|(kind, bytes)| (ours, kind, bytes.as_bytes().to_vec()))
            .into();
    assert_eq!(ends.messages(0), expected);
}

#[test]
fn a_negotiated_channel_needs_no_words() {
    let mut ends = Ends::new(&Config::default(), Conditions::default(), 1);
    let options = ChannelOptions { negotiated: Some(7), ..ChannelOptions::default() };
    let [a, b] = [0, 1].map(|side| ends.open(side, "both", options.clone()));
    let again = ends.ends[0].open(ends.now, "again", "", options);
    assert_eq!(again, Err(ChannelError::NoStream));
    assert!(ends.run_until(MINUTE, |ends| {
        ends.has(0, &ChannelEvent::Opened(a)) && ends.has(1, &ChannelEvent::Opened(b))
    }));
    let now = ends.now;
    ends.ends[0].send(now, a, Kind::Binary, Bytes::from_static(b"x")).unwrap();
    assert!(ends.run_until(MINUTE, |ends| ends.messages(1).len() == 1));
    assert_eq!(ends.messages(1)[0].0, b);
    assert!(ends.incoming(1).is_empty());
}

#[test]
fn closing_delivers_first_and_frees_the_stream() {
    for seed in 0..30 {
        let conditions = Conditions { loss: 100_000, ..Conditions::default() };
        let mut ends = Ends::new(&stubborn(), conditions, seed);
        let now = ends.now;
        ends.ends[1].set_role(now, Role::Server);
        for round in 0..4 {
            let ours = ends.open(0, "again and again", ChannelOptions::default());
            assert!(ends.run_until(MINUTE * 20, |ends| ends.has(0, &ChannelEvent::Opened(ours))));
            assert_eq!(ends.ends[0].get(ours).unwrap().stream(), Some(0), "round {round}");
            let now = ends.now;
            ends.ends[0].send(now, ours, Kind::Binary, vec![1; 30_000].into()).unwrap();
            ends.ends[0].close(ours);
            assert_eq!(ends.ends[0].get(ours).unwrap().state(), ChannelState::Closing);
            let refused = ends.ends[0].send_copy(now, ours, Kind::Binary, b"late");
            assert_eq!(refused, Err(ChannelError::NotOpen));
            assert!(ends.run_until(MINUTE * 20, |ends| {
                let theirs = ends.incoming(1);
                ends.has(0, &ChannelEvent::Closed(ours))
                    && theirs.len() == round + 1
                    && ends.has(1, &ChannelEvent::Closed(theirs[round]))
            }));
            assert_eq!(ends.messages(1).len(), round + 1);
            let theirs = ends.incoming(1)[round];
            assert!(ends.has(1, &ChannelEvent::Closing(theirs)));
            assert!(ends.ends[0].get(ours).is_none() && ends.ends[1].get(theirs).is_none());
        }
    }
}

#[test]
fn both_may_close_at_once() {
    let mut ends = Ends::new(&Config::default(), Conditions::default(), 1);
    let ours = ends.open(0, "x", ChannelOptions::default());
    assert!(ends.run_until(MINUTE, |ends| !ends.incoming(1).is_empty()));
    let theirs = ends.incoming(1)[0];
    ends.ends[0].close(ours);
    ends.ends[1].close(theirs);
    assert!(ends.run_until(MINUTE, |ends| {
        ends.has(0, &ChannelEvent::Closed(ours)) && ends.has(1, &ChannelEvent::Closed(theirs))
    }));
}

#[test]
fn the_peers_limit_on_messages_holds() {
    let mut ends = Ends::new(&Config::default(), Conditions::default(), 1);
    let ours = ends.open(0, "x", ChannelOptions::default());
    assert!(ends.run_until(MINUTE, |ends| ends.has(0, &ChannelEvent::Opened(ours))));
    let now = ends.now;
    let long = Bytes::from(vec![0; 100_000]);
    assert_eq!(ends.ends[0].send(now, ours, Kind::Binary, long.clone()), Err(ChannelError::TooLong));
    ends.ends[0].set_max_message_size(100_000);
    ends.ends[0].send(now, ours, Kind::Binary, long).unwrap();
}

#[test]
fn when_the_association_ends_so_do_channels() {
    let mut ends = Ends::new(&Config::default(), Conditions::default(), 1);
    let ours = ends.open(0, "x", ChannelOptions::default());
    assert!(ends.run_until(MINUTE, |ends| !ends.incoming(1).is_empty()));
    let theirs = ends.incoming(1)[0];
    ends.ends[0].association_mut().abort("bye");
    assert!(ends.run_until(MINUTE, |ends| ends.has(1, &ChannelEvent::Closed(theirs))));
    assert!(ends.has(0, &ChannelEvent::Closed(ours)));
    assert!(matches!(ends.events[1].last(), Some(ChannelEvent::Ended(_))));
    let again = ends.ends[1].open(ends.now, "y", "", ChannelOptions::default());
    assert_eq!(again, Err(ChannelError::Ended));
}

#[test]
fn a_small_message_passes_a_bulk_transfer() {
    let path = Conditions::bottleneck(50, Duration::from_millis(50));
    let mut ends = Ends::new(&Config::default(), path, 1);
    let bulk = ends.open(0, "bulk", ChannelOptions::default());
    let small = ends.open(0, "small", ChannelOptions { ordered: false, ..ChannelOptions::default() });
    assert!(ends.run_until(MINUTE, |ends| ends.incoming(1).len() == 2));
    ends.ends[0].set_max_message_size(0);
    let now = ends.now;
    for _ in 0..200 {
        ends.ends[0].send(now, bulk, Kind::Binary, vec![0; 65_536].into()).unwrap();
    }
    ends.run_until(Duration::from_millis(900), |_| false);
    let before = ends.now;
    ends.ends[0].send_copy(before, small, Kind::String, b"quick").unwrap();
    let arrived = |ends: &mut Ends| ends.messages(1).iter().any(|message| message.2 == b"quick");
    assert!(ends.run_until(MINUTE, arrived));
    assert!(ends.now - before <= Duration::from_millis(60), "{:?}", ends.now - before);
}
