//! VP8's payloads (RFC 7741 §4).
//!
//! ```text
//!      0 1 2 3 4 5 6 7
//!     +-+-+-+-+-+-+-+-+
//!     |X|R|N|S|R| PID |
//!     +-+-+-+-+-+-+-+-+
//! X:  |I|L|T|K| RSV   |
//!     +-+-+-+-+-+-+-+-+
//! I:  |M| PictureID   |  7 bits, or 15 in two bytes if M
//!     +-+-+-+-+-+-+-+-+
//! L:  |   TL0PICIDX   |
//!     +-+-+-+-+-+-+-+-+
//! T/K:|TID|Y| KEYIDX  |
//!     +-+-+-+-+-+-+-+-+
//! ```

use wire::Reader;

use super::{PayloadFault, PayloadInfo, PictureId, Resolution};

/// Bytes of the longest descriptor.
pub const MAX_DESCRIPTOR_LEN: usize = 6;

/// What stands before the codec's own bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// Whether no other frame depends on this one (N).
    pub non_reference: bool,
    /// Whether a partition begins (S).
    pub start: bool,
    /// Which partition it is: 0 to 7 (PID).
    pub partition: u8,
    /// Which picture it is.
    pub picture_id: Option<PictureId>,
    /// The running index of the lowest layer's pictures.
    pub tl0_picture_index: Option<u8>,
    /// The temporal layer, and whether it depends on the lowest alone (TID, Y).
    pub temporal: Option<(u8, bool)>,
    /// The running index of key frames: 5 bits.
    pub key_index: Option<u8>,
}

impl Descriptor {
    /// Reads the descriptor of a payload; what is behind it is the codec's.
    #[inline]
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), PayloadFault> {
        let mut reader = Reader::new(payload);
        let first = reader.u8()?;
        let mut descriptor = Self {
            non_reference: first & 0x20 != 0,
            start: first & 0x10 != 0,
            partition: first & 0x07,
            ..Self::default()
        };
        let extension = if first & 0x80 != 0 { reader.u8()? } else { 0 };
        if extension & 0x80 != 0 {
            descriptor.picture_id = Some(PictureId::read(&mut reader)?);
        }
        if extension & 0x40 != 0 {
            descriptor.tl0_picture_index = Some(reader.u8()?);
        }
        if extension & 0x30 != 0 {
            let byte = reader.u8()?;
            descriptor.temporal = (extension & 0x20 != 0).then_some((byte >> 6, byte & 0x20 != 0));
            descriptor.key_index = (extension & 0x10 != 0).then_some(byte & 0x1F);
        }
        if reader.is_empty() {
            return Err(PayloadFault::Truncated);
        }
        Ok((descriptor, reader.rest()))
    }

    /// Appends the descriptor: at most [`MAX_DESCRIPTOR_LEN`] bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        let extension = u8::from(self.picture_id.is_some()) << 7
            | u8::from(self.tl0_picture_index.is_some()) << 6
            | u8::from(self.temporal.is_some()) << 5
            | u8::from(self.key_index.is_some()) << 4;
        let first = u8::from(extension != 0) << 7 | u8::from(self.non_reference) << 5;
        out.push(first | u8::from(self.start) << 4 | self.partition & 0x07);
        if extension == 0 {
            return;
        }
        out.push(extension);
        if let Some(id) = self.picture_id {
            id.write(out);
        }
        out.extend(self.tl0_picture_index);
        if extension & 0x30 != 0 {
            let (temporal, sync) = self.temporal.unwrap_or_default();
            out.push((temporal & 3) << 6 | u8::from(sync) << 5 | self.key_index.unwrap_or(0) & 0x1F);
        }
    }

    fn begins_frame(&self) -> bool {
        self.start && self.partition == 0
    }
}

impl PictureId {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, PayloadFault> {
        let first = reader.u8()?;
        if first & 0x80 == 0 {
            return Ok(Self { value: u16::from(first), long: false });
        }
        Ok(Self { value: u16::from_be_bytes([first & 0x7F, reader.u8()?]), long: true })
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        if self.long {
            out.extend_from_slice(&(self.value | 0x8000).to_be_bytes());
        } else {
            out.push(self.value as u8 & 0x7F);
        }
    }

    /// Puts another value where this one lies, in as many bits; its bytes.
    pub(super) fn overwrite(self, bytes: &mut [u8], value: u16) -> usize {
        if self.long {
            bytes[..2].copy_from_slice(&(value | 0x8000).to_be_bytes());
            2
        } else {
            bytes[0] = value as u8 & 0x7F;
            1
        }
    }
}

pub(super) fn describe(payload: &[u8], marker: bool) -> Result<PayloadInfo, PayloadFault> {
    let (descriptor, frame) = Descriptor::parse(payload)?;
    let start = descriptor.begins_frame();
    // The first bit of a frame's own header is clear in a key frame (RFC 6386 §9.1).
    let key = start && frame[0] & 1 == 0;
    let (temporal, sync) = descriptor.temporal.unwrap_or_default();
    Ok(PayloadInfo {
        start,
        end: marker,
        key,
        picture_id: descriptor.picture_id,
        tl0_picture_index: descriptor.tl0_picture_index,
        temporal: descriptor.temporal.map(|_| temporal),
        spatial: None,
        switching_point: sync || temporal == 0,
        discardable: descriptor.non_reference,
        resolution: key.then(|| resolution(frame)).flatten(),
    })
}

/// The size of a key frame's picture (RFC 6386 §9.1).
fn resolution(frame: &[u8]) -> Option<Resolution> {
    let (_, header) = frame.split_first_chunk::<3>()?;
    let &[0x9D, 0x01, 0x2A, w0, w1, h0, h1] = header.first_chunk::<7>()? else { return None };
    // Two bits of each are for scaling.
    let pixels = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
    Some(Resolution { width: pixels(w0, w1), height: pixels(h0, h1) })
}

/// Sets a payload's picture id and the index of its lowest layer where they lie, each as far as the payload has it and in
/// as many bits as it has: what a forwarder does that switches between streams. Returns whether it was a payload of VP8.
pub fn rewrite(payload: &mut [u8], picture_id: u16, tl0_picture_index: u8) -> bool {
    let Ok((descriptor, _)) = Descriptor::parse(payload) else { return false };
    // Behind the two bytes that say what there is. `parse` has seen all of it.
    let mut at = 2;
    if let Some(id) = descriptor.picture_id {
        at += id.overwrite(&mut payload[at..], picture_id);
    }
    if descriptor.tl0_picture_index.is_some() {
        payload[at] = tl0_picture_index;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_where_their_figure_has_them() {
        let descriptor = Descriptor {
            non_reference: true,
            start: true,
            partition: 0,
            picture_id: Some(PictureId { value: 0x1234, long: true }),
            tl0_picture_index: Some(0x56),
            temporal: Some((2, true)),
            key_index: Some(9),
        };
        let mut bytes = Vec::new();
        descriptor.write(&mut bytes);
        assert_eq!(bytes, [0xB0, 0xF0, 0x92, 0x34, 0x56, 0xA9]);
        assert_eq!(Descriptor::parse(&bytes), Err(PayloadFault::Truncated), "nothing is behind it");
        bytes.push(0x01);
        assert_eq!(Descriptor::parse(&bytes), Ok((descriptor, &[0x01][..])));
        let plain = Descriptor { start: true, ..Descriptor::default() };
        assert_eq!(Descriptor::parse(&[0x10, 1]), Ok((plain, &[1][..])));
    }

    #[test]
    fn a_key_frame_says_its_size() {
        let payload = [0x10, 0x50, 0x42, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0x68, 0x41];
        let info = describe(&payload, true).unwrap();
        assert!(info.start && info.end && info.key && info.switching_point && !info.discardable);
        assert_eq!(info.resolution, Some(Resolution { width: 640, height: 360 }));
        assert!(!describe(&[0x10, 0x51], false).unwrap().key);
        assert!(!describe(&[0x00, 0x50], false).unwrap().start, "a frame goes on");
        assert!(!describe(&[0x11, 0x50], false).unwrap().start, "another partition");
    }

    #[test]
    fn ids_are_rewritten_in_their_width() {
        let mut long = [0x90, 0xE0, 0x92, 0x34, 7, 0x40, 1];
        assert!(rewrite(&mut long, 0x0102, 9));
        assert_eq!(long, [0x90, 0xE0, 0x81, 0x02, 9, 0x40, 1]);
        let mut short = [0x90, 0x80, 0x12, 1];
        assert!(rewrite(&mut short, 0x01FF, 9));
        assert_eq!(short, [0x90, 0x80, 0x7F, 1]);
        let mut none = [0x10, 0xFF, 3];
        assert!(rewrite(&mut none, 1, 1));
        assert_eq!(none, [0x10, 0xFF, 3]);
        assert!(!rewrite(&mut [0x90, 0x80, 0x92], 1, 1));
    }

    #[test]
    fn picture_ids_wrap_around() {
        let (long, short) =
            (|value| PictureId { value, long: true }, |value| PictureId { value, long: false });
        assert_eq!(long(0).ahead_of(long(0x7FFF)), 1);
        assert_eq!(long(0x7FFF).ahead_of(long(0)), -1);
        assert_eq!(short(0).ahead_of(short(0x7F)), 1);
        assert_eq!(long(0x80).ahead_of(short(0x7F)), 1);
    }
}
