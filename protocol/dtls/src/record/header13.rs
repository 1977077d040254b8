//! The unified header of DTLS 1.3: RFC 9147 §4.
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! |0|0|1|C|S|L|E E|   C: connection ID, S: 16-bit sequence number, L: length present, E: epoch's low bits
//! ```

use super::super::codec::Malformed;

/// The header that we write: 16 bits of sequence number, and the length.
pub(crate) const HEADER_LEN: usize = 5;

const FIXED: u8 = 0b0010_0000;
const FIXED_MASK: u8 = 0b1110_0000;
const CONNECTION_ID: u8 = 0b0001_0000;
const LONG_SEQUENCE: u8 = 0b0000_1000;
const LENGTH: u8 = 0b0000_0100;
const EPOCH: u8 = 0b0000_0011;

/// Whether a record begins so.
pub(crate) const fn is_unified(first: u8) -> bool {
    first & FIXED_MASK == FIXED
}

/// Where the parts of a record are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The low two bits.
    pub(crate) epoch: u8,
    /// Of the sequence number, in bytes: one or two.
    pub(crate) sequence_len: usize,
    /// Of the header, in bytes: two to five.
    pub(crate) header_len: usize,
    /// Of header and body, in bytes.
    pub(crate) record_len: usize,
}

impl Header {
    /// The header at the front of `bytes`, which are the rest of a datagram. We never ask for connection IDs.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let first = *bytes.first().ok_or(Malformed)?;
        if !is_unified(first) || first & CONNECTION_ID != 0 {
            return Err(Malformed);
        }
        let sequence_len = if first & LONG_SEQUENCE != 0 { 2 } else { 1 };
        let (header_len, record_len) = if first & LENGTH != 0 {
            let at = 1 + sequence_len;
            let length = bytes.get(at..at + 2).ok_or(Malformed)?;
            (at + 2, at + 2 + usize::from(u16::from_be_bytes([length[0], length[1]])))
        } else {
            (1 + sequence_len, bytes.len())
        };
        // Sixteen bytes are needed to uncover the sequence number (§4.2.3).
        if bytes.len() < record_len || record_len < header_len + 16 {
            return Err(Malformed);
        }
        Ok(Self { epoch: first & EPOCH, sequence_len, header_len, record_len })
    }
}

/// Our own header.
pub(crate) fn bytes(epoch: u64, sequence: u64, length: u16) -> [u8; HEADER_LEN] {
    let [.., high, low] = sequence.to_be_bytes();
    let [long, short] = length.to_be_bytes();
    let [.., epoch] = epoch.to_be_bytes();
    [FIXED | LONG_SEQUENCE | LENGTH | epoch & EPOCH, high, low, long, short]
}

/// The number closest to `expected` that ends in the `low` bytes given (§4.2.2).
pub(crate) fn reconstruct(expected: u64, low: &[u8]) -> u64 {
    let bits = 8 * low.len();
    let window = 1 << bits;
    let low = low.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let candidate = expected & !(window - 1) | low;
    if candidate > expected.saturating_add(window / 2) {
        candidate.checked_sub(window).unwrap_or(candidate)
    } else if candidate.saturating_add(window / 2) < expected {
        candidate.saturating_add(window)
    } else {
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_every_shape_are_read() {
        let mut record = bytes(2, 0x01_0203, 16).to_vec();
        assert_eq!(record, [0b0010_1110, 2, 3, 0, 16]);
        record.extend([0; 20]);
        let full = Header { epoch: 2, sequence_len: 2, header_len: 5, record_len: 21 };
        assert_eq!(Header::parse(&record), Ok(full));
        let mut short = vec![0b0010_0011, 9];
        short.extend([0; 16]);
        let minimal = Header { epoch: 3, sequence_len: 1, header_len: 2, record_len: 18 };
        assert_eq!(Header::parse(&short), Ok(minimal));
        for bad in
            [&[][..], &short[..17], &record[..20], &[0b0011_0000; 40], &[22; 40], &[0b0010_1100, 0, 0, 0]]
        {
            assert_eq!(Header::parse(bad), Err(Malformed));
        }
    }

    #[test]
    fn the_closest_number_is_taken() {
        assert_eq!(reconstruct(0, &[0]), 0);
        assert_eq!(reconstruct(0, &[255]), 255);
        assert_eq!(reconstruct(0x100, &[0xff]), 0xff);
        assert_eq!(reconstruct(0x1ff, &[0x00]), 0x200);
        assert_eq!(reconstruct(0x1_0000, &[0xff, 0xff]), 0xffff);
        assert_eq!(reconstruct(0x1_ffff, &[0, 1]), 0x2_0001);
        assert_eq!(reconstruct(0x1_8000, &[0x80, 0]), 0x1_8000);
        assert_eq!(reconstruct(u64::MAX, &[0]), u64::MAX);
    }
}
