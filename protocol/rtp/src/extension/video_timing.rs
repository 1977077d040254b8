//! How long a frame took on its way through the sender: an extension that no RFC describes (RFC 8285 carries it),
//! libwebrtc does.

use wire::Reader;

use super::{Extension, Kind};

/// Milliseconds since the capture of the frame whose last packet this is.
///
/// ```text
/// +---------------+---------------+-------------------------------+
/// |  ID   | len=12|     flags     |         encode start          |
/// +---------------+---------------+-------------------------------+
/// |         encode finish         |    packetization complete     |
/// +-------------------------------+-------------------------------+
/// |  last packet left the pacer   |  for the network, two of them :
/// +-------------------------------+-------------------------------+
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoTiming {
    /// It is there because it was time again.
    pub by_timer: bool,
    /// It is there because the frame is larger than others.
    pub by_size: bool,
    /// When encoding began.
    pub encode_start: u16,
    /// When encoding ended.
    pub encode_finish: u16,
    /// When the frame lay in packets.
    pub packetized: u16,
    /// When the last packet left the pacer.
    pub paced: u16,
    /// For whatever forwards it.
    pub network: [u16; 2],
}

impl<'a> Extension<'a> for VideoTiming {
    const KIND: Kind = Kind::VideoTiming;

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let flags = reader.u8().ok()?;
        let mut next = || reader.u16().ok();
        Some(Self {
            by_timer: flags & 1 != 0,
            by_size: flags & 2 != 0,
            encode_start: next()?,
            encode_finish: next()?,
            packetized: next()?,
            paced: next()?,
            network: [next()?, next()?],
        })
        .filter(|_| reader.is_empty())
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.by_timer) | u8::from(self.by_size) << 1);
        let [first, second] = self.network;
        for delta in [self.encode_start, self.encode_finish, self.packetized, self.paced, first, second] {
            out.extend_from_slice(&delta.to_be_bytes());
        }
    }
}
