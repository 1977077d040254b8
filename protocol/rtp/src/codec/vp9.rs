//! VP9's payloads (RFC 9628 §4.2).
//!
//! ```text
//!      0 1 2 3 4 5 6 7
//!     +-+-+-+-+-+-+-+-+
//!     |I|P|L|F|B|E|V|Z|
//!     +-+-+-+-+-+-+-+-+
//! I:  |M| PICTURE ID  |  7 bits, or 15 in two bytes if M
//!     +-+-+-+-+-+-+-+-+
//! L:  | TID |U| SID |D|
//!     +-+-+-+-+-+-+-+-+
//!     |   TL0PICIDX   |  unless F
//!     +-+-+-+-+-+-+-+-+
//! P,F:| P_DIFF      |N|  up to 3 times
//!     +-+-+-+-+-+-+-+-+
//! V:  | N_S |Y|G|-|-|-|  and sizes, and a group of pictures
//!     +-+-+-+-+-+-+-+-+
//! ```

use wire::Reader;

use super::{PayloadFault, PayloadInfo, PictureId, Resolution};

/// Spatial layers that a structure has at most.
const MAX_SPATIAL: usize = 8;
/// Pictures that one depends on at most.
const MAX_REFERENCES: usize = 3;

/// What stands before the codec's own bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// Which picture it is.
    pub picture_id: Option<PictureId>,
    /// Whether the frame depends on other pictures (P).
    pub inter_predicted: bool,
    /// Its layers.
    pub layers: Option<Layers>,
    /// Whether each frame says what it depends on (F).
    pub flexible: bool,
    /// Whether a frame of a layer begins (B).
    pub start: bool,
    /// Whether it ends (E).
    pub end: bool,
    /// Whether no frame of a higher spatial layer depends on it (Z).
    pub not_for_higher_spatial: bool,
    /// How many pictures back those are that it depends on; 0 for none. Of flexible mode.
    pub references: [u8; MAX_REFERENCES],
    /// What layers there are.
    pub structure: Option<Structure>,
}

/// A frame's layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// The temporal layer: 0 to 7.
    pub temporal: u8,
    /// Whether later pictures of higher temporal layers depend on none of those layers before it (U).
    pub switching_point: bool,
    /// The spatial layer: 0 to 7.
    pub spatial: u8,
    /// Whether it depends on the next lower spatial layer's frame (D).
    pub inter_layer: bool,
    /// The running index of the lowest temporal layer's pictures; not in flexible mode.
    pub tl0_picture_index: Option<u8>,
}

/// The scalability structure, of which the group of pictures is passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Structure {
    /// How many spatial layers there are: 1 to 8.
    pub spatial_layers: u8,
    /// The size of each one's frames, where they are said.
    pub sizes: Option<[(u16, u16); MAX_SPATIAL]>,
}

impl Descriptor {
    /// Reads the descriptor of a payload; what is behind it is the codec's.
    #[inline]
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), PayloadFault> {
        let mut reader = Reader::new(payload);
        let first = reader.u8()?;
        let has = |bit: u8| first & bit != 0;
        let mut descriptor = Self {
            inter_predicted: has(0x40),
            // Without picture ids there is nothing for references to count from: the bit is to be ignored.
            flexible: has(0x10) && has(0x80),
            start: has(0x08),
            end: has(0x04),
            not_for_higher_spatial: has(0x01),
            ..Self::default()
        };
        if has(0x80) {
            descriptor.picture_id = Some(PictureId::read(&mut reader)?);
        }
        if has(0x20) {
            let byte = reader.u8()?;
            descriptor.layers = Some(Layers {
                temporal: byte >> 5,
                switching_point: byte & 0x10 != 0,
                spatial: byte >> 1 & 0x07,
                inter_layer: byte & 0x01 != 0,
                tl0_picture_index: if descriptor.flexible { None } else { Some(reader.u8()?) },
            });
        }
        if descriptor.flexible && descriptor.inter_predicted {
            for index in 0.. {
                let byte = reader.u8()?;
                // More than three is as wrong as one of zero (§4.2).
                *descriptor.references.get_mut(index).ok_or(PayloadFault::Unsupported)? = byte >> 1;
                if byte & 1 == 0 {
                    break;
                }
            }
        }
        if has(0x02) {
            descriptor.structure = Some(Structure::read(&mut reader)?);
        }
        if reader.is_empty() {
            return Err(PayloadFault::Truncated);
        }
        Ok((descriptor, reader.rest()))
    }

    /// Appends the descriptor, without a structure.
    pub fn write(&self, out: &mut Vec<u8>) {
        let flexible = self.flexible && self.picture_id.is_some();
        let flags = [
            self.picture_id.is_some(),
            self.inter_predicted,
            self.layers.is_some(),
            flexible,
            self.start,
            self.end,
            false,
            self.not_for_higher_spatial,
        ];
        out.push(flags.into_iter().fold(0, |byte, flag| byte << 1 | u8::from(flag)));
        if let Some(id) = self.picture_id {
            id.write(out);
        }
        if let Some(layers) = self.layers {
            let layer = layers.temporal << 5 | u8::from(layers.switching_point) << 4;
            out.push(layer | (layers.spatial & 0x07) << 1 | u8::from(layers.inter_layer));
            if !flexible {
                out.push(layers.tl0_picture_index.unwrap_or(0));
            }
        }
        if flexible && self.inter_predicted {
            let count = self.references.iter().take_while(|reference| **reference > 0).count().max(1);
            for (index, reference) in self.references[..count].iter().enumerate() {
                out.push(reference << 1 | u8::from(index + 1 < count));
            }
        }
    }
}

impl Structure {
    fn read(reader: &mut Reader<'_>) -> Result<Self, PayloadFault> {
        let first = reader.u8()?;
        let spatial_layers = (first >> 5) + 1;
        let mut structure = Self { spatial_layers, sizes: None };
        if first & 0x10 != 0 {
            let mut sizes = [(0, 0); MAX_SPATIAL];
            for size in &mut sizes[..usize::from(spatial_layers)] {
                *size = (reader.u16()?, reader.u16()?);
            }
            structure.sizes = Some(sizes);
        }
        if first & 0x08 != 0 {
            for _ in 0..reader.u8()? {
                let references = reader.u8()? >> 2 & 0x03;
                reader.bytes(usize::from(references))?;
            }
        }
        Ok(structure)
    }
}

/// Sets a payload's picture id and the index of its lowest temporal layer where they lie, each as far as the payload has it
/// and in as many bits as it has: what a forwarder does that switches between streams. Returns whether it was a payload of
/// VP9. What it depends on is counted back from its picture id and stays as it is.
pub fn rewrite(payload: &mut [u8], picture_id: u16, tl0_picture_index: u8) -> bool {
    let Ok((descriptor, _)) = Descriptor::parse(payload) else { return false };
    // Behind the byte that says what there is. `parse` has seen all of it.
    let mut at = 1;
    if let Some(id) = descriptor.picture_id {
        at += id.overwrite(&mut payload[at..], picture_id);
    }
    if descriptor.layers.is_some_and(|layers| layers.tl0_picture_index.is_some()) {
        payload[at + 1] = tl0_picture_index;
    }
    true
}

pub(super) fn describe(payload: &[u8]) -> Result<PayloadInfo, PayloadFault> {
    let (descriptor, _) = Descriptor::parse(payload)?;
    let layers = descriptor.layers.unwrap_or_default();
    let key = descriptor.start && !descriptor.inter_predicted && layers.spatial == 0;
    let size =
        descriptor.structure.and_then(|structure| structure.sizes?.get(usize::from(layers.spatial)).copied());
    Ok(PayloadInfo {
        start: descriptor.start,
        end: descriptor.end,
        key,
        picture_id: descriptor.picture_id,
        tl0_picture_index: layers.tl0_picture_index,
        temporal: descriptor.layers.map(|layers| layers.temporal),
        spatial: descriptor.layers.map(|layers| layers.spatial),
        switching_point: layers.switching_point || !descriptor.inter_predicted,
        // Nothing says that no later picture of its own layer depends on it.
        discardable: false,
        resolution: size.map(|(width, height)| Resolution { width: width.into(), height: height.into() }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_frame_with_a_structure_is_read() {
        let payload = [
            // I, L, B, E, V; a long id; layer 0; its index; three spatial layers with sizes, and a group of two.
            0xAE, 0x81, 0x02, 0x10, 9, 0x58, 0, 80, 0, 45, 0, 160, 0, 90, 1, 64, 0, 180, 2, 0x04, 1, 0x48, 1,
            2, 0xFF,
        ];
        // The first picture has one reference, the second two.
        let (descriptor, rest) = Descriptor::parse(&payload).unwrap();
        assert_eq!(rest, [0xFF]);
        assert_eq!(descriptor.picture_id, Some(PictureId { value: 0x0102, long: true }));
        let structure = descriptor.structure.unwrap();
        assert_eq!(structure.spatial_layers, 3);
        assert_eq!(structure.sizes.unwrap()[..3], [(80, 45), (160, 90), (320, 180)]);
        let info = describe(&payload).unwrap();
        assert!(info.key && info.start && info.end && info.switching_point);
        assert_eq!(info.resolution, Some(Resolution { width: 80, height: 45 }));
        for end in 0..payload.len() {
            assert_eq!(Descriptor::parse(&payload[..end]).err(), Some(PayloadFault::Truncated), "{end}");
        }
    }

    #[test]
    fn flexible_mode_says_what_it_depends_on() {
        let descriptor = Descriptor {
            picture_id: Some(PictureId { value: 5, long: false }),
            inter_predicted: true,
            layers: Some(Layers {
                temporal: 2,
                switching_point: true,
                spatial: 1,
                inter_layer: true,
                ..Layers::default()
            }),
            flexible: true,
            start: true,
            references: [1, 4, 0],
            ..Descriptor::default()
        };
        let mut bytes = Vec::new();
        descriptor.write(&mut bytes);
        assert_eq!(bytes, [0xF8, 5, 0x53, 0x03, 0x08]);
        bytes.push(1);
        assert_eq!(Descriptor::parse(&bytes), Ok((descriptor, &[1][..])));
        let four = [0xD0, 5, 3, 3, 3, 2, 1];
        assert_eq!(Descriptor::parse(&four).err(), Some(PayloadFault::Unsupported));
    }

    #[test]
    fn ids_are_rewritten_in_their_width() {
        let mut long = [0xAC, 0x92, 0x34, 0x02, 7, 0xFF];
        assert!(rewrite(&mut long, 0x0102, 9));
        assert_eq!(long, [0xAC, 0x81, 0x02, 0x02, 9, 0xFF]);
        let mut flexible = [0xF8, 5, 0x53, 0x02, 1];
        assert!(rewrite(&mut flexible, 0x01FF, 9));
        assert_eq!(flexible, [0xF8, 0x7F, 0x53, 0x02, 1]);
        // Without a picture id the bit for flexible mode is nothing.
        let mut none = [0x38, 0x02, 7, 0xFF];
        assert!(rewrite(&mut none, 1, 9));
        assert_eq!(none, [0x38, 0x02, 9, 0xFF]);
        assert!(!rewrite(&mut [0xAC, 0x92], 1, 9));
    }

    #[test]
    fn higher_spatial_layers_are_no_key_frames_of_their_own() {
        let info = describe(&[0xAC, 1, 0x02, 3, 0xFF]).unwrap();
        assert_eq!((info.key, info.spatial, info.tl0_picture_index), (false, Some(1), Some(3)));
    }
}
