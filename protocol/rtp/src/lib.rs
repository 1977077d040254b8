//! RTP and RTCP as WebRTC uses them (RFC 3550, 8834).
//!
//! A protocol crate: no clock, no I/O. What came in is read through checked views that copy nothing; what goes out is
//! appended to the caller's buffer. Nothing that is done for each packet takes from the heap (`tests/allocation.rs`).
//!
//! What a forwarder does with a packet, whose extensions have other ids at the other end:
//!
//! ```
//! use twocan_rtp::codec::Codec;
//! use twocan_rtp::extension::{AbsSendTime, AudioLevel, ExtensionMap, Kind, Mid};
//! use twocan_rtp::{Fields, HeaderWriter, Packet, SequenceNumber, Ssrc};
//!
//! let (mut from, mut to) = (ExtensionMap::default(), ExtensionMap::default());
//! from.insert(1, Kind::AudioLevel)?;
//! to.insert(3, Kind::Mid)?;
//! to.insert(5, Kind::AudioLevel)?;
//!
//! let received = [0x90, 111, 0, 1, 0, 0, 3, 0xC0, 0, 0, 0, 7, 0xBE, 0xDE, 0, 1, 0x10, 0x85, 0, 0, 0xF8, 9];
//! let packet = Packet::parse(&received)?;
//! assert!(Codec::Opus.describe(packet.payload(), false)?.start);
//!
//! let mut buffer = Vec::new();
//! let fields = Fields { sequence_number: SequenceNumber(50), ssrc: Ssrc(8), ..packet.header().fields() };
//! let mut writer = HeaderWriter::new(&mut buffer, &fields);
//! writer.extension(&to, &Mid(b"2"));
//! writer.copy_extensions(packet.header(), (&from, &to), |kind| kind != Kind::Mid);
//! writer.finish().buffer().extend_from_slice(packet.payload());
//!
//! let sent = Packet::parse(&buffer)?;
//! assert_eq!(sent.header().read(&to), Some(AudioLevel { level: 5, voice: true }));
//! assert_eq!(sent.header().read::<AbsSendTime>(&to), None);
//! assert_eq!(sent.payload(), [0xF8, 9]);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is kept
//!
//! Nearly nothing: a [`dependency::Reader`] keeps a stream's structure, of at most 64 templates; a
//! [`codec::FrameAssembler`] one frame, up to the limit it is given; a [`fec::Recovery`] 128 packets and 32 repair packets
//! of at most 2 KiB each; a [`jitter::JitterBuffer`] 1,024 packets of 4 MiB altogether, and a frame.
//!
//! # What is not as the standards say, or not there
//!
//! - RFC 3550 §6.1: a compound packet need not begin with a report (RFC 5506), and its packets are read each for itself,
//!   so that one that is malformed takes no others with it. Collisions of SSRCs and validating new sources (§8.2, A.1) are
//!   for whoever knows all streams of a session.
//! - RFC 8285 §4.3: the application bits are not read, and written as zeros.
//! - RFC 5104: TMMBR is read only, TMMBN, TSTR and VBCM are unknown packets. RFC 3611: of report blocks, reference times
//!   and delays since them.
//! - Transport-wide feedback without times, for which a sender must ask, is a fault.
//! - RFC 6184: packetization mode 2 (STAP-B, MTAP, FU-B) is unsupported, as RFC 7742 §6.2 asks for 0 and 1 only.
//!   RFC 7798: PACI is, and decoding order numbers.
//! - RFC 9628: what is packetized has one layer, and no scalability structure; everything is read.
//! - AV1's payload format §4.2: a frame whose last packet has no marker is dropped, as it would be whole only with the next
//!   frame's first packet. Dependency descriptors of more than 16 dependencies, 4 spatial or 8 temporal layers are faults.
//! - RFC 5109: levels of protection above the lowest. FlexFEC: fixed rows and columns, retransmissions, several streams in
//!   one repair packet. Of both there is recovery only.

pub mod codec;
pub mod dependency;
pub mod extension;
pub mod fec;
mod header;
pub mod jitter;
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
