//! How much may be under way, and how fast it leaves: BBR version 3 (draft-ietf-ccwg-bbr-06) over
//! delivery-rate samples, and a pacer. `CONGESTION.md` maps each module to its source and says why.
//!
//! The boundary to the rest of the crate is [`Bbr`] with [`PacketState`] going in and out, and [`Pacer`].

mod bbr;
mod filter;
mod model;
mod pacer;
mod probe;
mod rate_sample;

pub(crate) use bbr::{Bbr, State};
pub(crate) use pacer::Pacer;
pub(crate) use rate_sample::PacketState;
