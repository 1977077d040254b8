//! Noticing loss: round trips and the retransmission timeout (RFC 9260 §6.3), and loss detection by time
//! with tail-loss probes (RFC 8985).

mod rack;
mod round_trip;

pub(crate) use rack::Rack;
pub(crate) use round_trip::RoundTrip;
