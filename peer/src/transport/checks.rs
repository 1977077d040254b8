//! Sends what ICE has to say together with what goes the same way: a check with data, an answer with data or a check. One
//! system call (UDP GSO) sends both, and the peer's takes both.
//!
//! All datagrams of such a call but the last are of one size, so that the longer of two goes first. Data may go before a
//! check or an answer, once the peer has shown by what came by the path that it takes ours. An answer stays before a check:
//! a peer that has not heard yet that its own check went well sends another one for it (RFC 8445 §7.3.1.4).

use std::time::Instant;

use wire::Transmit;

use super::Transport;
use super::batch::MAX_BYTES;

/// A datagram that could not go along.
#[derive(Debug)]
pub(super) struct Held {
    transmit: Transmit,
    bytes: Box<[u8]>,
}

impl Transport {
    /// The next of ICE's datagrams, with another one where both go together.
    pub(super) fn poll_checks(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let start = buffer.len();
        let first = match self.held.take() {
            Some(held) => {
                buffer.extend_from_slice(&held.bytes);
                held.transmit
            }
            None => self.poll_check(now, buffer)?,
        };
        let end = buffer.len();
        let mut next = self.poll_check(now, buffer);
        let is_data = next.is_none() && self.received.packets > 0;
        if is_data {
            next = self.poll_data(now, buffer);
        }
        let Some(next) = next else { return Some(first) };
        if let Some(size) = join((&first, &next), is_data, &mut buffer[start..], end - start) {
            return Some(Transmit { segment_size: Some(size), ..first });
        }
        let (whole, transmit, held) = match next.segment_size {
            None => (first, next, end..buffer.len()),
            // Data may be much, and a check is not.
            Some(_) => (next, first, start..end),
        };
        self.held = Some(Box::new(Held { transmit, bytes: buffer.drain(held).collect() }));
        Some(whole)
    }
}

/// Has the first `length` bytes and those behind them go in one call, if they may, the other way round only if `swaps`; the
/// size of all datagrams but the last.
fn join(
    (first, next): (&Transmit, &Transmit),
    swaps: bool,
    bytes: &mut [u8],
    length: usize,
) -> Option<usize> {
    let is_one_way = (first.source, first.destination) == (next.source, next.destination);
    let other = bytes.len() - length;
    // A batch ends with the first datagram that is shorter, which its last one may be already.
    let is_batch = next.segment_size.is_some() || bytes.len() > MAX_BYTES;
    if !is_one_way || is_batch || (other > length && !swaps) {
        return None;
    }
    if other > length {
        bytes.rotate_left(length);
    }
    Some(length.max(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(port: u16, segment_size: Option<usize>) -> Transmit {
        let [source, destination] = [1, port].map(|port| ([127, 0, 0, 1], port).into());
        Transmit { source, destination, segment_size }
    }

    #[test]
    fn the_longer_of_two_goes_first() {
        for (bytes, length, joined) in [([1, 1, 1, 2], 3, [1, 1, 1, 2]), ([1, 2, 2, 2], 1, [2, 2, 2, 1])] {
            let mut bytes = bytes;
            assert_eq!(join((&to(2, None), &to(2, None)), true, &mut bytes, length), Some(3));
            assert_eq!(bytes, joined);
        }
        let mut equal = [1, 1, 2, 2];
        assert_eq!(join((&to(2, None), &to(2, None)), false, &mut equal, 2), Some(2));
        assert_eq!(equal, [1, 1, 2, 2]);
    }

    #[test]
    fn what_goes_another_way_and_batches_stay_alone() {
        let mut bytes = [1, 2];
        assert_eq!(join((&to(2, None), &to(3, None)), true, &mut bytes, 1), None);
        assert_eq!(join((&to(2, None), &to(2, Some(1))), true, &mut bytes, 1), None);
        assert_eq!(join((&to(2, None), &to(2, None)), true, &mut [0; MAX_BYTES + 1], 1), None);
        assert_eq!(join((&to(2, None), &to(2, None)), false, &mut [1, 2, 2], 1), None);
        assert_eq!(bytes, [1, 2]);
    }
}
