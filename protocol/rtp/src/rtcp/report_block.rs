//! What a receiver says about one source (RFC 3550 §6.4.1).

use super::RtcpFault;
use super::raw::{put_u32, put_u64};
use crate::number::Ssrc;
use crate::time::NtpShort;

/// Reception of one source's packets.
///
/// ```text
/// +---------------------------------------------------------------+
/// |                              SSRC                             |
/// +---------------+-----------------------------------------------+
/// | fraction lost |       cumulative number of packets lost       |
/// +---------------+-----------------------------------------------+
/// |           extended highest sequence number received           |
/// +---------------------------------------------------------------+
/// |                      interarrival jitter                      |
/// +---------------------------------------------------------------+
/// |                         last SR (LSR)                         |
/// +---------------------------------------------------------------+
/// |                   delay since last SR (DLSR)                  |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The source it is about.
    pub ssrc: Ssrc,
    /// Of the packets since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Of all packets; negative where more duplicates came than were lost. 24 bits with a sign: what does not fit is
    /// written as the nearest that does.
    pub packets_lost: i32,
    /// The highest sequence number, and above it how often it wrapped around.
    pub highest_sequence: u32,
    /// In ticks of the source's clock.
    pub jitter: u32,
    /// The middle bits of the last sender report's time; 0 where none came.
    pub last_sender_report: NtpShort,
    /// Since that report came; 0 where none did.
    pub delay: NtpShort,
}

impl ReportBlock {
    /// Bytes of one.
    pub const LEN: usize = 24;

    pub(super) fn of_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let [ssrc, lost, highest_sequence, jitter, last, delay] =
            std::array::from_fn(|word| u32::from_be_bytes(bytes.as_chunks::<4>().0[word]));
        Self {
            ssrc: Ssrc(ssrc),
            fraction_lost: (lost >> 24) as u8,
            packets_lost: (lost << 8).cast_signed() >> 8,
            highest_sequence,
            jitter,
            last_sender_report: NtpShort(last),
            delay: NtpShort(delay),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        put_u32(out, self.ssrc.0);
        let lost = self.packets_lost.clamp(-0x80_0000, 0x7F_FFFF).cast_unsigned() & 0xFF_FFFF;
        put_u32(out, u32::from(self.fraction_lost) << 24 | lost);
        put_u32(out, self.highest_sequence);
        put_u32(out, self.jitter);
        put_u64(out, u64::from(self.last_sender_report.0) << 32 | u64::from(self.delay.0));
    }
}

/// As many blocks as a header counts, at the front of some bytes.
pub(super) fn blocks(bytes: &[u8], count: u8) -> Result<&[[u8; ReportBlock::LEN]], RtcpFault> {
    bytes.as_chunks().0.get(..usize::from(count)).ok_or(RtcpFault::Truncated)
}
