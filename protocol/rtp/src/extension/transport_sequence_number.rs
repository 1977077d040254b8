//! A number that counts the packets of a whole transport, whatever stream they are of
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2, and libwebrtc's second version of it).

use super::{Extension, Kind};
use crate::number::SequenceNumber;

/// A packet's number, and what the second version may ask for with it.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  ID   | L=1,3 |transport-wide sequence number |T|  seq count  |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |seq count cont.|
/// +-+-+-+-+-+-+-+-+
/// ```
///
/// Its [`Kind`] is that of the first version; one of the second is written with
/// [`crate::HeaderWriter::raw_extension`] or read from an element's bytes, whose form is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportSequenceNumber {
    /// Counts every packet of the transport.
    pub number: SequenceNumber,
    /// In the second version: feedback that is to be sent at once.
    pub request: Option<FeedbackRequest>,
}

/// What feedback is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedbackRequest {
    /// Whether it must say when packets arrived.
    pub timing: bool,
    /// About how many packets, up to this one: 1 to 32,767.
    pub count: u16,
}

impl<'a> Extension<'a> for TransportSequenceNumber {
    const KIND: Kind = Kind::TransportSequenceNumber;

    #[inline]
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (number, request) = match *bytes {
            [a, b] => ([a, b], 0),
            [a, b, c, d] => ([a, b], u16::from_be_bytes([c, d])),
            _ => return None,
        };
        // A count of zero asks for nothing: it is there to keep the length.
        let request = FeedbackRequest { timing: request & 0x8000 != 0, count: request & 0x7FFF };
        let number = SequenceNumber(u16::from_be_bytes(number));
        Some(Self { number, request: Some(request).filter(|request| request.count > 0) })
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.number.0.to_be_bytes());
        if let Some(FeedbackRequest { timing, count }) = self.request {
            out.extend_from_slice(&(u16::from(timing) << 15 | count & 0x7FFF).to_be_bytes());
        }
    }
}
