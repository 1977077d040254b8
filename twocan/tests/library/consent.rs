//! A peer that vanishes: what the state says, and when (RFC 7675 §5.1, W3C webrtc-pc §5.6.4), and that an ICE restart
//! brings the connection back.
//!
//! Sockets are real, time is not: it is moved on in small steps, in each of which everything that is under way arrives.
//! What is between the two ends can be cut without either being told.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::Instant;
use twocan::{
    AddressFilter, Configuration, DataChannel, DataChannelOptions, DataChannelState, IceCandidateInit,
    Message, PeerConnection, PeerConnectionState, PeerEvent, SessionDescription,
};

/// How far time is moved on at once.
const STEP: Duration = Duration::from_millis(10);
/// How often everybody has a turn in a step: more than a datagram takes from one end to the other.
const TURNS: usize = 20;

const ADA: usize = 0;
const BOB: usize = 1;

/// What each end takes for the other: a socket that hands on to the other's.
struct Middle {
    sockets: [UdpSocket; 2],
    /// Where each end was heard from last.
    ends: [Option<SocketAddr>; 2],
    is_cut: bool,
}

impl Middle {
    async fn new() -> Self {
        let open = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
        let sockets = [open().await.expect("a socket"), open().await.expect("a socket")];
        Self { sockets, ends: [None; 2], is_cut: false }
    }

    fn hand_on(&mut self) {
        let mut buffer = [0; 2048];
        for end in [ADA, BOB] {
            while let Ok((length, source)) = self.sockets[end].try_recv_from(&mut buffer) {
                self.ends[end] = Some(source);
                if let Some(other) = self.ends[1 - end].filter(|_| !self.is_cut) {
                    // What finds no room is lost.
                    let _ = self.sockets[1 - end].try_send_to(&buffer[..length], other);
                }
            }
        }
    }

    /// What is told of an end's candidate: nothing, or that it is here.
    fn disguise(&mut self, end: usize, candidate: &IceCandidateInit) -> Option<IceCandidateInit> {
        let mut words: Vec<&str> = candidate.candidate.split(' ').collect();
        if !matches!(words[..], [_, _, "udp", _, "127.0.0.1", ..]) {
            return None;
        }
        self.ends[end] = Some(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), words[5].parse().expect("a port")));
        let port = self.sockets[1 - end].local_addr().expect("bound").port().to_string();
        words[5] = &port;
        Some(IceCandidateInit { candidate: words.join(" "), ..candidate.clone() })
    }
}

/// Two ends, and what is between them.
struct World {
    peers: [PeerConnection; 2],
    middle: Middle,
    /// The states of each connection, in order.
    states: [Vec<PeerConnectionState>; 2],
    incoming: Option<DataChannel>,
}

impl World {
    async fn new() -> Self {
        let configuration = Configuration {
            include_loopback: true,
            address_filter: Some(AddressFilter::new(|_, ip| ip.is_loopback())),
            ice_tcp: false,
            ..Configuration::default()
        };
        let ada = PeerConnection::new(configuration.clone()).await.expect("sockets");
        let bob = PeerConnection::new(configuration).await.expect("sockets");
        let (middle, states) = (Middle::new().await, [Vec::new(), Vec::new()]);
        Self { peers: [ada, bob], middle, states, incoming: None }
    }

    /// Ada offers and Bob answers.
    async fn exchange(&mut self) {
        let [ada, bob] = &self.peers;
        let offer: SessionDescription = ada.set_local_description(None).await.expect("an offer");
        bob.set_remote_description(offer).await.expect("taken");
        let answer = bob.set_local_description(None).await.expect("an answer");
        ada.set_remote_description(answer).await.expect("taken");
    }

    /// Moves on until `is_so`, for `patience` at most; how long it took.
    async fn until(&mut self, patience: Duration, mut is_so: impl FnMut(&Self) -> bool) -> Duration {
        let begin = Instant::now();
        loop {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
                self.middle.hand_on();
                self.hear().await;
            }
            let passed = begin.elapsed();
            if is_so(self) {
                return passed;
            }
            assert!(passed < patience, "it does not come about: {:?}", self.states);
            tokio::time::advance(STEP).await;
        }
    }

    async fn hear(&mut self) {
        for end in [ADA, BOB] {
            loop {
                let event = tokio::select! {
                    biased;
                    Some(event) = self.peers[end].next_event() => event,
                    () = std::future::ready(()) => break,
                };
                match event {
                    PeerEvent::IceCandidate(Some(candidate)) => {
                        if let Some(candidate) = self.middle.disguise(end, &candidate) {
                            self.peers[1 - end].add_ice_candidate(Some(candidate)).await.expect("taken");
                        }
                    }
                    PeerEvent::IceCandidate(None) => {
                        self.peers[1 - end].add_ice_candidate(None).await.expect("taken");
                    }
                    PeerEvent::ConnectionState(state) => self.states[end].push(state),
                    PeerEvent::DataChannel(channel) => self.incoming = Some(channel),
                    _ => {}
                }
            }
        }
    }

    fn are(&self, state: PeerConnectionState) -> bool {
        self.peers.iter().all(|peer| peer.connection_state() == state)
    }
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_vanishes_is_disconnected_then_failed_and_a_restart_of_ice_mends_it() {
    use PeerConnectionState::{Connected, Connecting, Disconnected, Failed};

    let mut world = World::new().await;
    let options = DataChannelOptions::default();
    let ours = world.peers[ADA].create_data_channel("chat", options).await.expect("a channel");
    world.exchange().await;
    world.until(seconds(10), |world| world.are(Connected) && world.incoming.is_some()).await;
    // Longer than any consent: it is renewed.
    let begin = Instant::now();
    world.until(seconds(41), |_| begin.elapsed() > seconds(40)).await;
    assert_eq!(world.states, [[Connecting, Connected], [Connecting, Connected]]);

    world.middle.is_cut = true;
    // Consent is asked for every 4 to 6 seconds, and an answer is missed for some.
    let disconnected = world.until(seconds(20), |world| world.are(Disconnected)).await;
    assert!(disconnected > seconds(3), "{disconnected:?}");
    // The last answer, before the cut, is good for 30 seconds; checks go on for a while longer.
    let failed = world.until(seconds(60), |world| world.are(Failed)).await;
    assert!(disconnected + failed > seconds(24), "{disconnected:?}, {failed:?}");
    let all = [Connecting, Connected, Disconnected, Failed];
    assert_eq!(world.states, [all, all]);
    // A path that failed closes no channel: what is sent waits.
    assert_eq!(ours.ready_state(), Some(DataChannelState::Open));
    ours.send("at last").await.expect("queued");

    world.middle.is_cut = false;
    world.peers[ADA].restart_ice();
    world.exchange().await;
    world.until(seconds(10), |world| world.are(Connected)).await;
    let mut theirs = world.incoming.take().expect("there before");
    let mut heard = None;
    while heard.is_none() {
        world.until(seconds(10), |_| true).await;
        heard = tokio::select! {
            biased;
            message = theirs.recv() => message,
            () = std::future::ready(()) => None,
        };
        tokio::time::advance(STEP).await;
    }
    assert_eq!(heard, Some(Message::text("at last")));
}
