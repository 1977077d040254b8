//! The checksum of packets (RFC 9260 §6.8, Appendix A).

use crc_fast::{CrcAlgorithm, Digest, checksum};

const CRC32C: CrcAlgorithm = CrcAlgorithm::Crc32Iscsi;

/// CRC32c of `bytes`, with the processor's instructions where it has them.
pub fn crc32c(bytes: &[u8]) -> u32 {
    low(checksum(CRC32C, bytes))
}

/// CRC32c of a packet whose checksum field, between `head` and `rest`, counts as zero.
pub(super) fn of_parts(head: &[u8], rest: &[u8]) -> u32 {
    let mut digest = Digest::new(CRC32C);
    digest.update(head);
    digest.update(&[0; 4]);
    digest.update(rest);
    low(digest.finalize())
}

/// A CRC of 32 bits comes in 64.
fn low(crc: u64) -> u32 {
    crc as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // RFC 3720 B.4: 32 bytes of zeros, of ones.
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[0xFF; 32]), 0x62A8_AB43);
        assert_eq!(of_parts(&[0; 8], &[0; 20]), 0x8A91_36AA);
    }
}
