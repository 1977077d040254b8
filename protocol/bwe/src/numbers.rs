//! From the numbers on the wire to those that an [`Estimator`](crate::Estimator) knows: 16 bits of a transport-wide number
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2), or a stream and 16 bits of its RTP sequence number (RFC 8888
//! §3.1).

/// The transport-wide number that stands on the wire as these 16 bits, where `newest` was sent last. `None` where that
/// would be one that was never sent.
#[must_use]
pub fn transport_wide(newest: u64, wire: u16) -> Option<u64> {
    // Truncation keeps the 16 bits that the wire has.
    let behind = (newest as u16).wrapping_sub(wire);
    newest.checked_sub(u64::from(behind))
}

/// Packets of a stream that are remembered: two seconds and more at 10 Mbit/s.
const PACKETS: usize = 2048;
/// Streams that are remembered; the one that sent longest ago makes room.
const STREAMS: usize = 64;

/// Numbers packets for an estimator where reports speak of streams and their sequence numbers (RFC 8888).
///
/// ```
/// let mut numbers = twocan_bwe::StreamNumbers::new();
/// assert_eq!(numbers.on_sent(7, 65_535), 0);
/// assert_eq!(numbers.on_sent(8, 1), 1);
/// assert_eq!(numbers.on_sent(7, 0), 2);
/// assert_eq!(numbers.find(7, 0), Some(2));
/// assert_eq!(numbers.find(8, 0), None);
/// ```
#[derive(Debug, Default)]
pub struct StreamNumbers {
    next: u64,
    streams: Vec<Stream>,
}

/// In place of a packet that there is not: more than there ever are.
const NONE: u64 = u64::MAX;

#[derive(Debug)]
struct Stream {
    ssrc: u32,
    last: u64,
    /// By the low bits of the sequence number: the packet's number, and behind it the sequence number's 16 bits.
    packets: Vec<u64>,
}

impl StreamNumbers {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A packet of a stream is about to leave: its number, for [`Sent::sequence`](crate::Sent::sequence).
    pub fn on_sent(&mut self, ssrc: u32, sequence: u16) -> u64 {
        let number = self.next;
        self.next += 1;
        let place = self.place(ssrc);
        let stream = &mut self.streams[place];
        stream.last = number;
        stream.packets[usize::from(sequence) % PACKETS] = number << 16 | u64::from(sequence);
        number
    }

    /// The number of a packet that a report speaks of, if it is remembered.
    #[must_use]
    pub fn find(&self, ssrc: u32, sequence: u16) -> Option<u64> {
        let stream = self.streams.iter().find(|stream| stream.ssrc == ssrc)?;
        let known = stream.packets[usize::from(sequence) % PACKETS];
        (known != NONE && known as u16 == sequence).then_some(known >> 16)
    }

    fn place(&mut self, ssrc: u32) -> usize {
        if let Some(place) = self.streams.iter().position(|stream| stream.ssrc == ssrc) {
            return place;
        }
        if self.streams.len() < STREAMS {
            self.streams.push(Stream { ssrc, last: 0, packets: vec![NONE; PACKETS] });
            return self.streams.len() - 1;
        }
        let oldest = self.streams.iter().enumerate().min_by_key(|(_, stream)| stream.last);
        let place = oldest.map_or(0, |(place, _)| place);
        self.streams[place].ssrc = ssrc;
        self.streams[place].packets.fill(NONE);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_mean_what_was_sent_last() {
        assert_eq!(transport_wide(5, 5), Some(5));
        assert_eq!(transport_wide(5, 3), Some(3));
        assert_eq!(transport_wide(5, 6), None);
        assert_eq!(transport_wide(65_537, 65_535), Some(65_535));
        assert_eq!(transport_wide(65_537, 1), Some(65_537));
        assert_eq!(transport_wide(u64::MAX, 0), Some(u64::MAX - 65_535));
    }

    #[test]
    fn what_is_long_ago_is_forgotten() {
        let mut numbers = StreamNumbers::new();
        for sequence in 0..3000 {
            numbers.on_sent(7, sequence);
        }
        assert_eq!(numbers.find(7, 2999), Some(2999));
        assert_eq!(numbers.find(7, 952), Some(952));
        assert_eq!(numbers.find(7, 951), None);
        for ssrc in 100..300 {
            numbers.on_sent(ssrc, 0);
        }
        assert_eq!(numbers.streams.len(), STREAMS);
        assert_eq!(numbers.find(7, 2999), None);
        assert_eq!(numbers.find(299, 0), Some(3199));
    }
}
