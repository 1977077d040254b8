//! What every end of a flow does, and how a datagram shows what it is.

use std::time::Instant;

/// One end of a flow.
pub(crate) trait End {
    /// Takes a datagram.
    fn take(&mut self, now: Instant, datagram: &mut [u8]);
    /// Does what is due; puts datagrams out.
    fn advance(&mut self, now: Instant, out: &mut Vec<Vec<u8>>);
    /// When it wants to be called again.
    fn deadline(&self) -> Option<Instant>;
    /// Whether it is connected.
    fn is_open(&self) -> bool {
        true
    }
    /// Sending begins; `sizes` are the rates that there are to choose from, none for any.
    fn begin(&mut self, _now: Instant, _sizes: &'static [u64]) {}
    /// The application sends no more than this from now on, in bits a second.
    fn limit(&mut self, _now: Instant, _most: u64) {}
    /// What it would send at, in bits a second.
    fn target(&self) -> u64 {
        0
    }
    /// What is inside, for a trace.
    fn trace(&self) -> String {
        String::new()
    }
}

/// The stream of media, and the one of whatever else there is: in the clear in every RTP packet.
pub(crate) const MEDIA: u32 = 42;
pub(crate) const OTHER: u32 = 44;

/// What an RTP packet's header says (RFC 3550 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Label {
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    /// When the frame was made, in milliseconds of virtual time.
    pub(crate) frame: u32,
}

impl Label {
    pub(crate) fn of(datagram: &[u8]) -> Option<Self> {
        let header: &[u8; 12] = datagram.first_chunk()?;
        // Version 2, and not RTCP.
        if header[0] >> 6 != 2 || (192..224).contains(&header[1]) {
            return None;
        }
        let four =
            |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        Some(Self { ssrc: four(8), sequence: u16::from_be_bytes([header[2], header[3]]), frame: four(4) })
    }

    pub(crate) fn write(self, size: usize) -> Vec<u8> {
        let mut datagram = vec![0; size.max(24)];
        datagram[0] = 0x80;
        datagram[1] = 96;
        datagram[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        datagram[4..8].copy_from_slice(&self.frame.to_be_bytes());
        datagram[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        datagram
    }
}
