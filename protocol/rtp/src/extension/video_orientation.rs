//! How a picture must be turned to stand upright: Coordination of Video Orientation (3GPP TS 26.114 §7.4.5, which
//! RFC 7742 §4 asks for).

use super::{Extension, Kind};

/// The orientation of the camera when it took the picture.
///
/// ```text
///  0                   1
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  ID   | len=0 |0 0 0 0 C F R R|
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoOrientation {
    /// Whether it is the camera at the back (C).
    pub back_camera: bool,
    /// Whether to mirror the picture (F).
    pub flip: bool,
    /// How far to turn it (R).
    pub rotation: Rotation,
}

/// How far a picture is to be turned clockwise before it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says how many degrees")]
pub enum Rotation {
    #[default]
    Degrees0,
    Degrees90,
    Degrees180,
    Degrees270,
}

impl<'a> Extension<'a> for VideoOrientation {
    const KIND: Kind = Kind::VideoOrientation;

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let [byte] = *bytes else { return None };
        let rotation = match byte & 0x03 {
            0 => Rotation::Degrees0,
            1 => Rotation::Degrees90,
            2 => Rotation::Degrees180,
            _ => Rotation::Degrees270,
        };
        Some(Self { back_camera: byte & 0x08 != 0, flip: byte & 0x04 != 0, rotation })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.back_camera) << 3 | u8::from(self.flip) << 2 | self.rotation as u8);
    }
}
