//! APP: what an application likes (RFC 3550 §6.7). It is read, so that it is no fault, and not used.

use super::RtcpFault;
use super::raw::RawPacket;
use crate::number::Ssrc;

/// An application's own packet.
///
/// ```text
/// +-+-+-+---------+---------------+-------------------------------+
/// |V=2|P| subtype |   PT=APP=204  |            length             |
/// +-+-+-+---------+---------------+-------------------------------+
/// |                           SSRC/CSRC                           |
/// +---------------------------------------------------------------+
/// |                          name (ASCII)                         |
/// +---------------------------------------------------------------+
/// |                   application-dependent data                  :
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Application<'a> {
    /// Which of the application's packets it is: 0 to 31.
    pub subtype: u8,
    /// Who sends it.
    pub ssrc: Ssrc,
    /// The application.
    pub name: [u8; 4],
    /// The rest.
    pub data: &'a [u8],
}

impl<'a> Application<'a> {
    /// Its type.
    pub const KIND: u8 = 204;

    pub(super) fn parse(raw: RawPacket<'a>) -> Result<Self, RtcpFault> {
        let mut reader = raw.reader();
        let (ssrc, name) = (Ssrc(reader.u32()?), reader.array()?);
        Ok(Self { subtype: raw.count, ssrc, name, data: reader.rest() })
    }
}
