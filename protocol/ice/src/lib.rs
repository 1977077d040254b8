//! ICE: Interactive Connectivity Establishment (RFC 8445), for one transport whose RTP and RTCP share a port.
//!
//! An [`Agent`] is told addresses where its own end may be reached, tells them to the peer as
//! [`Candidate`]s, takes the peer's, tries what reaches what, and says by which [`Path`] data goes. Then it
//! keeps that path: it asks for consent, notices when the peer is gone, and takes another one where there is
//! one. It does no I/O, reads no clock, and gathers nothing: sockets, STUN and TURN clients, multicast DNS
//! and TCP connections are the caller's.
//!
//! | what | where |
//! |---|---|
//! | full and lite agents, roles, checks, nomination, restarts | RFC 8445 |
//! | candidates one by one, and their end | RFC 8838 |
//! | patience before failure | RFC 8863 |
//! | consent | RFC 7675 |
//! | the order of IPv6, IPv4 and interfaces | RFC 8421 |
//! | TCP candidates, active and passive | RFC 6544 |
//! | candidates as text | RFC 8839 §5.1 |
//! | names that hide addresses | draft-ietf-mmusic-mdns-ice-candidates |
//! | a nomination after the first one | libwebrtc's renomination (draft-thatcher-ice-renomination) |
//!
//! Two agents on one machine find each other:
//!
//! ```
//! # use twocan_ice as ice;
//! use std::time::Instant;
//! use ice::{Agent, Config, LocalCandidate, RemoteParameters, Role, State};
//! use wire::Received;
//!
//! let now = Instant::now();
//! let mut ada = Agent::new(Config::new(Role::Controlling, [1; 32]));
//! let mut bob = Agent::new(Config::new(Role::Controlled, [2; 32]));
//!
//! // Signaling: each tells the other who it is and where.
//! let from_ada = ada.add_local(now, LocalCandidate::host("127.0.0.1:1000".parse()?))?;
//! let from_bob = bob.add_local(now, LocalCandidate::host("127.0.0.1:2000".parse()?))?;
//! ada.set_remote(now, &RemoteParameters::new(bob.credentials().clone()))?;
//! bob.set_remote(now, &RemoteParameters::new(ada.credentials().clone()))?;
//! ada.add_remote(now, from_bob.to_string().parse()?)?;
//! bob.add_remote(now, from_ada.to_string().parse()?)?;
//! for agent in [&mut ada, &mut bob] {
//!     agent.set_gathered(now, true);
//!     agent.end_of_remote_candidates(now);
//! }
//!
//! // The network: whatever one sends reaches the other.
//! while (ada.state(), bob.state()) != (State::Completed, State::Completed) {
//!     for turn in 0..2 {
//!         let (from, to) = if turn == 0 { (&mut ada, &mut bob) } else { (&mut bob, &mut ada) };
//!         let mut bytes = Vec::new();
//!         while let Some(sent) = from.poll_transmit(now, &mut bytes) {
//!             let (source, destination) = (sent.source, sent.destination);
//!             to.handle_datagram(now, Received { source, destination, bytes: &mut bytes })?;
//!             bytes.clear();
//!         }
//!     }
//! }
//! assert_eq!(ada.path().unwrap().remote.to_string(), "127.0.0.1:2000");
//! assert_eq!(bob.path().unwrap().remote.to_string(), "127.0.0.1:1000");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What differs from the standards
//!
//! - RFC 8445 §14.2 sends one check per Ta. Here the first [few](limits::ORDINARY_BURST) go out at once, and
//!   checks that answer the peer's have a reserve beyond that, so that a path on a LAN takes a round trip and
//!   not a timer; in the long run it is one per Ta. A burst is smaller than TCP's initial window by far.
//! - RFC 8445 §14.3's formula for RTO (a SHOULD) grows with the square of the number of pairs, to many
//!   seconds. Here it grows with the checks that are open, as in RFC 5245 for one stream; never below 500 ms.
//! - RFC 8445 §8.1.1 wants one nomination per session. When the nominated pair has died, another one that
//!   works is nominated, as browsers do: the alternative is a dead call. Renomination, where both sides say
//!   that they do it, is an exception by agreement.
//! - The agreed pair's questions for consent say USE-CANDIDATE again: where two choices overtook each other,
//!   the peer learns which one stands.
//! - RFC 8445 §8.1.2 removes all other pairs once one is nominated. Here they are kept, and no longer checked,
//!   to be tried again when the nominated one dies.
//! - RFC 8445 §5.1.2.1's local preference follows RFC 6544 §4.2's layout for UDP, too.
//! - RFC 8445 §7.2.1 has permissions on relays made before a check: the caller sees from
//!   [`Transmit::source`](wire::Transmit::source) that a check goes through a relay, and its TURN client does that.
//! - RFC 8489 §9.1.2 would have MESSAGE-INTEGRITY-SHA256 in checks. ICE rests on RFC 5389, and browsers on
//!   SHA-1; SHA-256 is verified where it comes, never sent.
//! - RFC 8489 §9.1.4 lets error answers 400 and 401 count without proof. Here they do not: anybody could
//!   end a check with one.
//! - RFC 6544's simultaneous-open candidates are not used: hosts rarely can do it.
//! - RFC 8838 §14 and W3C webrtc-pc wait for an end of candidates before failure; where none comes, the end of
//!   patience (RFC 8863 §5) counts as one.
//! - RFC 7675 §5.1 sends consent checks only once. When an answer is missed, ordinary checks with repetition
//!   follow on the same pair, so that one lost datagram does not look like a lost peer.

mod agent;
pub mod attribute;
mod candidate;
mod credentials;
pub mod limits;
mod local;
mod pair;
mod path;
mod priority;
mod random;
mod remote;
mod session;

pub use agent::{
    Agent, CandidateReport, Config, ConnectionId, Counters, Event, Fault, Incoming, NeedsRestart, PairReport,
    Reason, RemoteParameters, Role, Selected, State,
};
pub use candidate::{Address, BadFoundation, Candidate, Foundation, Kind, ParseError, TcpType, Transport};
pub use credentials::{BadCredentials, Credentials, Password, Ufrag, addressee};
pub use local::{LocalCandidate, NotAdded, RelayProtocol};
pub use pair::{PairId, PairState, PairStats};
pub use path::{Path, Protocol};
pub use remote::Refused;
pub use session::ResolveId;
