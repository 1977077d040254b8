//! Bandwidth estimation and pacing: how fast a path may be sent on, from what the other end says of each packet's arrival
//! (draft-ietf-rmcat-gcc-02, RFC 8888, RFC 8836).
//!
//! A protocol crate: no clock, no I/O. An [`Estimator`] is told which packets left and which arrived, and says how much may
//! be sent; a [`Pacer`] keeps packets until they may leave. Neither sees a packet's bytes. `SOURCES.md` says what is from
//! where and why.
//!
//! ```
//! # use twocan_bwe as bwe;
//! use std::time::Duration;
//!
//! use bwe::{Arrival, Config, DataRate, DataSize, Ecn, Estimator, Event, Kind, Pacer, PacerConfig, Priority};
//! use bwe::{Release, Sent};
//!
//! # #[expect(clippy::disallowed_methods, reason = "an example needs some instant")]
//! let start = std::time::Instant::now();
//! let mut estimator = Estimator::new(start, Config::default());
//! let mut pacer = Pacer::new(start, estimator.target(), PacerConfig::default());
//! let mut under_way = Vec::new();
//! let mut sequence = 0;
//! for millisecond in 0..2000 {
//!     let now = start + Duration::from_millis(millisecond);
//!     estimator.handle_timeout(now);
//!     if millisecond % 33 == 0 {
//!         // A frame of as many bytes as the target allows.
//!         let frame = estimator.target().over(Duration::from_millis(33)).as_bytes();
//!         for _ in 0..=frame / 1200 {
//!             pacer.push(now, 7, Priority::Video, DataSize::from_bytes(1200), "a handle").unwrap();
//!         }
//!     }
//!     while let Some(release) = pacer.poll_release(now) {
//!         let (size, kind, probe) = match release {
//!             Release::Packet { size, probe, .. } => (size, Kind::Media, probe),
//!             Release::Padding { size, probe } => (size, Kind::Padding, probe),
//!         };
//!         estimator.on_sent(&Sent { sequence, size, at: now, kind, probe });
//!         // A path of 20 ms and without limit.
//!         let at = Duration::from_millis(millisecond + 20);
//!         under_way.push(Arrival { sequence, at: Some(at), ecn: Ecn::NotEct });
//!         sequence += 1;
//!     }
//!     if millisecond % 50 == 49 {
//!         let there = |arrival: &Arrival| arrival.at < Some(Duration::from_millis(millisecond - 20));
//!         let (reported, rest): (Vec<_>, Vec<_>) = under_way.into_iter().partition(there);
//!         under_way = rest;
//!         estimator.on_feedback(now, reported);
//!     }
//!     while let Some(event) = estimator.poll_event() {
//!         match event {
//!             Event::Target(target) => pacer.set_target(now, target),
//!             Event::Probe(probe) => pacer.probe(probe),
//!         }
//!     }
//! }
//! assert!(estimator.target() > DataRate::from_mbps(2), "{}", estimator.target());
//! ```

mod control;
mod delay;
mod ecn;
mod estimator;
mod history;
mod limited;
mod loss;
mod numbers;
mod outage;
mod pacer;
mod packet;
mod probe;
mod rate;
mod round_trip;
mod throughput;
mod time;

pub use estimator::{Config, Estimator, Event, Faults, Reason, Stats};
pub use numbers::{StreamNumbers, transport_wide};
pub use pacer::{Full, Pacer, PacerConfig, PacerReason, Priority, QUEUE_LIMIT, Release};
pub use packet::{Arrival, Ecn, Kind, Probe, ProbeId, Sent};
pub use rate::{DataRate, DataSize};
