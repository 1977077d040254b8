//! Where a source's packets stand: RFC 3711 §3.2.1, §3.3.1.

use rtp::SequenceNumber;

/// The last index: 2^48 packets of one source, and of one master key altogether (RFC 3711 §9.2).
pub(crate) const MAX_INDEX: u64 = (1 << 48) - 1;

/// Wide enough for what a retransmission fills in late: a thousand packets are a second of a fast video.
pub(crate) type ReplayWindow = wire::ReplayWindow<16>;

/// The packets of one source in one direction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    pub(crate) window: ReplayWindow,
    /// How often the sequence number wrapped around before the first packet.
    pub(crate) rollover: u32,
}

impl Stream {
    pub(crate) fn with_rollover(rollover: u32) -> Self {
        Self { rollover, ..Self::default() }
    }

    /// The index nearest to the highest so far that ends with this number, as RFC 3711 appendix A finds it. `None` where
    /// that lies before zero.
    #[inline]
    pub(crate) fn index(&self, sequence: SequenceNumber) -> Option<u64> {
        const HALF: u16 = 1 << 15;
        let number = sequence.0;
        let rollover = match self.window.next().checked_sub(1) {
            None => u64::from(self.rollover),
            Some(highest) => {
                let (rollover, last) = (highest >> 16, highest as u16);
                if last < HALF && number > last + HALF {
                    rollover.checked_sub(1)?
                } else if last >= HALF && number < last - HALF {
                    rollover + 1
                } else {
                    rollover
                }
            }
        };
        Some(rollover << 16 | u64::from(number))
    }

    /// How often the sequence number has wrapped around.
    pub(crate) fn rollover(&self) -> u32 {
        self.window.next().checked_sub(1).map_or(self.rollover, |highest| (highest >> 16) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(highest: u64, sequence: u16) -> Option<u64> {
        let mut stream = Stream::default();
        stream.window.note(highest);
        stream.index(SequenceNumber(sequence))
    }

    /// RFC 3711 appendix A.
    #[test]
    fn the_index_is_the_nearest() {
        assert_eq!(after(0x1_0005, 0x0006), Some(0x1_0006));
        assert_eq!(after(0x1_0005, 0xFFFE), Some(0xFFFE));
        assert_eq!(after(0x1_FFFE, 0x0002), Some(0x2_0002));
        assert_eq!(after(0x1_8000, 0x0001), Some(0x1_0001));
        assert_eq!(after(0x1_8001, 0x0000), Some(0x2_0000));
        assert_eq!(after(0x1_8001, 0x0001), Some(0x1_0001));
        assert_eq!(after(0x1_7FFF, 0xFFFF), Some(0x1_FFFF));
        assert_eq!(after(0x1_0005, 0x8005), Some(0x1_8005));
        assert_eq!(after(0x1_0005, 0x8006), Some(0x8006));
        assert_eq!(after(5, 0xFFFE), None);
    }

    #[test]
    fn the_first_number_may_be_any() {
        assert_eq!(Stream::default().index(SequenceNumber(0xFFFF)), Some(0xFFFF));
        assert_eq!(Stream::with_rollover(3).index(SequenceNumber(1)), Some(0x3_0001));
    }
}
