//! Writing a header (RFC 3550 §5.1) and its extension (RFC 8285 §4) into the caller's buffer.
//!
//! The one-byte form of extensions is written for as long as all of them fit it. The first that does not has those
//! before it written anew in the two-byte form, where the other end said that it reads both (`a=extmap-allow-mixed`).

use super::{FIXED_LEN, Fields, Header, ONE_BYTE, TWO_BYTE, WORD};
use crate::extension::{
    Extension, ExtensionMap, Kind, MAX_LEN, MAX_ONE_BYTE_ID, MAX_ONE_BYTE_LEN, TransportSequenceNumber,
};
use crate::number::{SequenceNumber, Ssrc};

/// Contributing sources that a header has room for.
pub const MAX_SOURCES: usize = 15;

/// Appends a packet's header to a buffer.
///
/// ```
/// use twocan_rtp::extension::{AudioLevel, ExtensionMap, Kind, Mid};
/// use twocan_rtp::{Fields, HeaderWriter, Packet, PayloadType, SequenceNumber, Ssrc, Timestamp};
///
/// let mut map = ExtensionMap::default();
/// map.insert(4, Kind::Mid).unwrap();
/// map.insert(1, Kind::AudioLevel).unwrap();
///
/// let mut buffer = Vec::new();
/// let mut writer = HeaderWriter::new(&mut buffer, &Fields {
///     marker: false,
///     payload_type: PayloadType::new(111).unwrap(),
///     sequence_number: SequenceNumber(1),
///     timestamp: Timestamp(960),
///     ssrc: Ssrc(7),
/// });
/// writer.extension(&map, &Mid(b"0"));
/// writer.extension(&map, &AudioLevel { level: 30, voice: true });
/// writer.finish().buffer().extend(b"sound");
///
/// let packet = Packet::parse(&buffer).unwrap();
/// assert_eq!(packet.header().read(&map), Some(Mid(b"0")));
/// assert_eq!(packet.payload(), b"sound");
/// ```
#[derive(Debug)]
pub struct HeaderWriter<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    form: Form,
}

/// In what form extensions are written, so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// There are none.
    None,
    OneByte,
    TwoByte,
}

/// What follows a header: the payload, which is the caller's to append, and padding.
#[derive(Debug)]
pub struct Body<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> HeaderWriter<'a> {
    /// Appends the fixed fields to `out`.
    #[inline]
    pub fn new(out: &'a mut Vec<u8>, fields: &Fields) -> Self {
        let start = out.len();
        let [s0, s1] = fields.sequence_number.0.to_be_bytes();
        let [t0, t1, t2, t3] = fields.timestamp.0.to_be_bytes();
        let [c0, c1, c2, c3] = fields.ssrc.0.to_be_bytes();
        let second = u8::from(fields.marker) << 7 | fields.payload_type.number();
        out.extend_from_slice(&[0x80, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3]);
        Self { out, start, form: Form::None }
    }

    /// The same with a transport-wide sequence number as the first extension, which nearly every packet of media has. Where
    /// `map` has no id for that there is none.
    #[inline]
    pub fn counted(
        out: &'a mut Vec<u8>,
        fields: &Fields,
        map: &ExtensionMap,
        number: SequenceNumber,
    ) -> Self {
        let mut writer = Self::new(out, fields);
        match map.id(Kind::TransportSequenceNumber) {
            Some(id @ ..=MAX_ONE_BYTE_ID) => {
                let [b0, b1] = ONE_BYTE.to_be_bytes();
                let [n0, n1] = number.0.to_be_bytes();
                writer.out.extend_from_slice(&[b0, b1, 0, 0, id << 4 | 1, n0, n1]);
                writer.form = Form::OneByte;
            }
            Some(_) => {
                writer.extension(map, &TransportSequenceNumber { number, request: None });
            }
            None => {}
        }
        writer
    }

    /// Bytes so far.
    #[inline]
    pub fn written(&self) -> usize {
        self.out.len() - self.start
    }

    /// Adds contributing sources, which come before any extension. Those beyond [`MAX_SOURCES`] are left out, and all
    /// of them once there is an extension.
    pub fn contributing_sources(&mut self, sources: impl IntoIterator<Item = Ssrc>) {
        if self.form != Form::None {
            return;
        }
        for source in sources {
            if usize::from(self.out[self.start] & 0x0F) >= MAX_SOURCES {
                return;
            }
            self.out[self.start] += 1;
            self.out.extend_from_slice(&source.0.to_be_bytes());
        }
    }

    /// Adds an extension's value under the id that `map` has for it. False, and nothing is written, where it has none,
    /// or where the value fits no form that the other end reads.
    #[inline]
    pub fn extension<'v, E: Extension<'v>>(&mut self, map: &ExtensionMap, value: &E) -> bool {
        map.id(E::KIND).is_some_and(|id| self.element(map, id, |out| value.write(out)))
    }

    /// The same for a value that is bytes already.
    #[inline]
    pub fn raw_extension(&mut self, map: &ExtensionMap, kind: Kind, value: &[u8]) -> bool {
        map.id(kind).is_some_and(|id| self.element(map, id, |out| out.extend_from_slice(value)))
    }

    /// Copies a packet's extensions as they are, those that `keep` wants and that both ends know: each under the id that
    /// `to` has for it.
    #[inline]
    pub fn copy_extensions(
        &mut self,
        header: Header<'_>,
        (from, to): (&ExtensionMap, &ExtensionMap),
        mut keep: impl FnMut(Kind) -> bool,
    ) {
        for (id, value) in header.extensions() {
            if let Some(kind) = from.kind(id)
                && keep(kind)
            {
                self.raw_extension(to, kind, value);
            }
        }
    }

    fn element(&mut self, map: &ExtensionMap, id: u8, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let before = self.out.len();
        let form_before = self.form;
        if self.form == Form::None {
            self.out.extend_from_slice(&ONE_BYTE.to_be_bytes());
            self.out.extend_from_slice(&[0, 0]);
            self.form = Form::OneByte;
        }
        let at = self.out.len();
        self.out.push(0);
        if self.form == Form::TwoByte {
            self.out.push(0);
        }
        let value_at = self.out.len();
        write(self.out);
        let len = self.out.len() - value_at;
        let fits_one = id <= MAX_ONE_BYTE_ID && (1..=MAX_ONE_BYTE_LEN).contains(&len);
        if len > MAX_LEN || !(fits_one || map.is_mixed()) {
            self.out.truncate(before);
            self.form = form_before;
            return false;
        }
        if self.form == Form::OneByte && !fits_one {
            // Room for the length, which this one's value was written before.
            self.out.insert(at, 0);
            let shift = self.widen(at);
            self.out[at + shift] = id;
            self.out[at + shift + 1] = len as u8;
        } else if self.form == Form::OneByte {
            self.out[at] = id << 4 | (len - 1) as u8;
        } else {
            self.out[at] = id;
            self.out[at + 1] = len as u8;
        }
        true
    }

    /// Writes the elements up to `end` anew in the two-byte form; how many bytes that takes more.
    #[cold]
    fn widen(&mut self, mut end: usize) -> usize {
        let first = self.extension_at() + WORD;
        let (mut at, before) = (first, end);
        while at < end {
            let byte = self.out[at];
            let len = (byte & 0x0F) + 1;
            self.out[at] = byte >> 4;
            self.out.insert(at + 1, len);
            at += 2 + usize::from(len);
            end += 1;
        }
        self.out[first - WORD..first - 2].copy_from_slice(&TWO_BYTE.to_be_bytes());
        self.form = Form::TwoByte;
        end - before
    }

    /// Where the extension begins.
    fn extension_at(&self) -> usize {
        self.start + FIXED_LEN + usize::from(self.out[self.start] & 0x0F) * WORD
    }

    /// Ends the header: what is appended from here on is the payload.
    #[inline]
    pub fn finish(self) -> Body<'a> {
        if self.form != Form::None {
            let first = self.extension_at() + WORD;
            let len = (self.out.len() - first).next_multiple_of(WORD);
            self.out.resize(first + len, 0);
            // No more than 255 ids of no more than 257 bytes each: 16 bits of words hold it.
            let words = (len / WORD) as u16;
            self.out[first - 2..first].copy_from_slice(&words.to_be_bytes());
            self.out[self.start] |= 0x10;
        }
        Body { out: self.out, start: self.start }
    }
}

impl<'a> Body<'a> {
    /// The buffer, for the payload to be appended to.
    #[inline]
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// Ends the packet with this many bytes of padding, of which the last says so; none for zero.
    #[inline]
    pub fn pad(self, count: u8) {
        if count > 0 {
            self.out.resize(self.out.len() + usize::from(count) - 1, 0);
            self.out.push(count);
            self.out[self.start] |= 0x20;
        }
    }
}

#[cfg(test)]
mod tests;
