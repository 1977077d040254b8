//! The checksum of packets (RFC 9260 §6.8, Appendix A).

/// CRC32c of `bytes`, with the processor's instructions where it has them.
pub fn crc32c(bytes: &[u8]) -> u32 {
    ::crc32c::crc32c(bytes)
}

/// CRC32c of a packet whose checksum field, between `head` and `rest`, counts as zero.
pub(super) fn of_parts(head: &[u8], rest: &[u8]) -> u32 {
    let crc = ::crc32c::crc32c(head);
    let crc = ::crc32c::crc32c_append(crc, &[0; 4]);
    ::crc32c::crc32c_append(crc, rest)
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
