//! One page of Ogg (RFC 3533 §6).

use std::io::Read;

use bytes::Bytes;

use super::SIGNATURE;
use crate::ReadError;
use crate::input::Input;

/// Its first packet goes on from the page before.
pub(super) const CONTINUES: u8 = 1;
/// A stream begins with it.
pub(super) const BEGINS: u8 = 2;
/// A stream ends with it.
pub(super) const ENDS: u8 = 4;

/// Where the checksum stands.
const CRC_AT: usize = 22;
const HEADER_LEN: usize = 27;

#[derive(Debug)]
pub(super) struct Page {
    pub(super) flags: u8,
    /// Negative where no packet ends on it.
    pub(super) granule: i64,
    pub(super) serial: u32,
    pub(super) lengths: Vec<u8>,
    pub(super) body: Vec<u8>,
}

impl Page {
    /// The next page that is whole; none at the end.
    pub(super) fn read<R: Read>(input: &mut Input<R>) -> Result<Option<Self>, ReadError> {
        loop {
            let Some(mut header) = input.array::<HEADER_LEN>()? else { return Ok(None) };
            if !header.starts_with(&SIGNATURE) {
                return Err(ReadError::Malformed("a page of Ogg does not begin where it should"));
            }
            let Some(lengths) = input.bytes(header[HEADER_LEN - 1].into())? else { return Ok(None) };
            let size = lengths.iter().map(|length| u64::from(*length)).sum();
            let Some(body) = input.bytes(size)? else { return Ok(None) };
            let told: [u8; 4] = [header[CRC_AT], header[CRC_AT + 1], header[CRC_AT + 2], header[CRC_AT + 3]];
            header[CRC_AT..CRC_AT + 4].fill(0);
            if crc([&header[..], &lengths, &body]) != u32::from_le_bytes(told) {
                continue;
            }
            let [_, _, _, _, _, flags, granule @ ..] = header;
            let [g0, g1, g2, g3, g4, g5, g6, g7, s0, s1, s2, s3, ..] = granule;
            return Ok(Some(Self {
                flags,
                granule: i64::from_le_bytes([g0, g1, g2, g3, g4, g5, g6, g7]),
                serial: u32::from_le_bytes([s0, s1, s2, s3]),
                lengths,
                body,
            }));
        }
    }
}

/// A page of whole packets, which have 255 segments at most.
pub(super) fn write(flags: u8, granule: u64, serial: u32, sequence: u32, packets: &[Bytes]) -> Vec<u8> {
    let mut lengths = Vec::new();
    for packet in packets {
        lengths.resize(lengths.len() + packet.len() / 255, 255);
        lengths.push((packet.len() % 255) as u8);
    }
    let mut bytes = Vec::new();
    bytes.extend(SIGNATURE);
    bytes.extend([0, flags]);
    bytes.extend(granule.to_le_bytes());
    bytes.extend(serial.to_le_bytes());
    bytes.extend(sequence.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.push(lengths.len() as u8);
    bytes.extend(lengths);
    packets.iter().for_each(|packet| bytes.extend_from_slice(packet));
    let sum = crc([&bytes, &[], &[]]).to_le_bytes();
    bytes[CRC_AT..CRC_AT + 4].copy_from_slice(&sum);
    bytes
}

/// CRC-32 with the polynomial 0x04C11DB7, neither reflected nor inverted (RFC 3533 §6).
fn crc(parts: [&[u8]; 3]) -> u32 {
    let each = |sum: u32, byte: &u8| sum << 8 ^ TABLE[((sum >> 24) as u8 ^ byte) as usize];
    parts.into_iter().flatten().fold(0, each)
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 0x8000_0000 == 0 { value << 1 } else { value << 1 ^ 0x04C1_1DB7 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
};
