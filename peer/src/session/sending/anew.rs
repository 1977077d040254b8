//! A stream that begins anew with a key frame while much of it waits (RFC 7667 §3.7; RFC 3550 §5.1 for numbers).
//!
//! Where the way has become narrow, a forwarder goes to a smaller picture. What waits of the larger one would take longer to
//! leave than anybody looks, the smaller one would come behind it, and nothing that comes before its key frame is needed any
//! more. So it is dropped, and numbers go on as if it had never been: the receiver waits for nothing and asks for nothing.

use std::time::{Duration, Instant};

use bwe::Priority;

use super::Sending;
use crate::media::TransceiverId;

/// What leaves within two frames' time is sent.
const SOON: Duration = Duration::from_millis(66);

impl Sending {
    /// What comes next of an encoding, from this number on, needs nothing that came before it; none: from the one that is next.
    /// Where the way is full, or what waits would take long to leave, what waits of this stream is dropped: how many packets.
    pub(crate) fn begin_anew(
        &mut self,
        now: Instant,
        whose: (TransceiverId, usize),
        number: Option<u64>,
        is_full: bool,
    ) -> usize {
        let Some(stream) = self.place_of(whose).and_then(|place| self.streams.get_mut(place)) else {
            return 0;
        };
        let first = number.unwrap_or(stream.next);
        let is_soon = !is_full && self.pacer.wait(now, Priority::Video) < SOON;
        if is_soon || first < stream.next {
            return 0;
        }
        let mut dropped = 0;
        self.pacer.drop_stream(u64::from(stream.ssrc.0), |waiting| {
            dropped += usize::from(!waiting.is_repair);
        });
        stream.waiting = 0;
        // What has left is not asked for any more, either.
        stream.cache.clear();
        stream.asked.begin_anew(stream.cache.end());
        stream.begin = first;
        if let Some(last) = stream.last_left {
            stream.left_out = first.saturating_sub(last + 1);
        }
        dropped
    }
}
