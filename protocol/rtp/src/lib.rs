//! RTP and RTCP as WebRTC uses them (RFC 3550, 8834).
//!
//! A protocol crate: no clock, no I/O. What came in is read through checked views that copy nothing; what goes out is
//! written into the caller's buffer.
//!
//! ```
//! use twocan_rtp::{Packet, Ssrc};
//!
//! let packet = Packet::parse(&[0x80, 111, 0, 1, 0, 0, 3, 0xC0, 0, 0, 0, 7, 0xFC]).unwrap();
//! assert_eq!(packet.header().ssrc(), Ssrc(7));
//! assert_eq!(packet.payload(), [0xFC]);
//! ```

pub mod codec;
pub mod dependency;
pub mod extension;
pub mod fec;
mod header;
mod leb128;
mod number;
mod packet;
pub mod red;
pub mod rtcp;
pub mod rtx;
mod time;

pub use header::{
    Body, FIXED_LEN, Fields, Header, HeaderFault, HeaderMut, HeaderWriter, MAX_SOURCES, RawExtension,
};
pub use number::{PayloadType, SequenceNumber, Ssrc, Timestamp};
pub use packet::Packet;
pub use time::{NtpShort, NtpTime};
