//! What a picture's numbers mean as colours: an extension that no RFC describes (RFC 8285 carries it), libwebrtc does.

use wire::Reader;

use super::{Extension, Kind};

/// Colours by the code points of ITU-T H.273, in the last packet of a frame.
///
/// ```text
/// +---------------+---------------+---------------+---------------+
/// |  ID   | L = 3 |   primaries   |   transfer    |    matrix     |
/// +---------------+---------------+---------------+---------------+
/// |range+chr.sit. |  HDR metadata of 24 bytes (optional)          :
/// +---------------+-----------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColorSpace {
    /// Table 2 of H.273.
    pub primaries: u8,
    /// Table 3 of H.273.
    pub transfer: u8,
    /// Table 4 of H.273.
    pub matrix: u8,
    /// WebM's range, and where chroma lies: range × 16 + horizontal × 4 + vertical.
    pub range_and_siting: u8,
    /// What a high dynamic range needs to be shown well.
    pub hdr: Option<HdrMetadata>,
}

/// What SMPTE ST 2086 and CTA-861.3 say about a mastering display and its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HdrMetadata {
    /// In nits.
    pub luminance_max: u16,
    /// In 1/10,000 nits.
    pub luminance_min: u16,
    /// Red.
    pub red: Chromaticity,
    /// Green.
    pub green: Chromaticity,
    /// Blue.
    pub blue: Chromaticity,
    /// The white point.
    pub white: Chromaticity,
    /// The brightest pixel, in nits.
    pub max_content_light: u16,
    /// The brightest frame's average, in nits.
    pub max_frame_average_light: u16,
}

/// A colour of CIE 1931, in 1/50,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "x and y are CIE's")]
pub struct Chromaticity {
    pub x: u16,
    pub y: u16,
}

impl<'a> Extension<'a> for ColorSpace {
    const KIND: Kind = Kind::ColorSpace;

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let [primaries, transfer, matrix, range_and_siting] = reader.array().ok()?;
        let hdr = match reader.rest().len() {
            0 => None,
            24 => Some(HdrMetadata::read(&mut reader)?),
            _ => return None,
        };
        Some(Self { primaries, transfer, matrix, range_and_siting, hdr })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.primaries, self.transfer, self.matrix, self.range_and_siting]);
        let Some(hdr) = self.hdr else { return };
        let mut put = |value: u16| out.extend_from_slice(&value.to_be_bytes());
        put(hdr.luminance_max);
        put(hdr.luminance_min);
        for color in [hdr.red, hdr.green, hdr.blue, hdr.white] {
            put(color.x);
            put(color.y);
        }
        put(hdr.max_content_light);
        put(hdr.max_frame_average_light);
    }
}

impl HdrMetadata {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut next = || reader.u16().ok();
        let (luminance_max, luminance_min) = (next()?, next()?);
        let mut color = || Some(Chromaticity { x: next()?, y: next()? });
        let (red, green, blue, white) = (color()?, color()?, color()?, color()?);
        Some(Self {
            luminance_max,
            luminance_min,
            red,
            green,
            blue,
            white,
            max_content_light: next()?,
            max_frame_average_light: next()?,
        })
    }
}
