//! Session descriptions: SDP (RFC 8866) with the attributes that WebRTC gives it (RFC 9429).
//!
//! A protocol crate: text in, types out, and back. What an offer and its answer must have to do with each other
//! is the peer's business.
//!
//! ```
//! # use twocan_sdp as sdp;
//! use sdp::attribute::{Attribute, Group, IceOptions, Setup};
//! use sdp::{Description, Media, Origin};
//!
//! // Somebody offers data channels…
//! let media = Media::data_channels("0".parse()?)
//!     .with(Setup::ActPass)
//!     .with("ice-ufrag:8hhY".parse::<Attribute>()?)
//!     .with("ice-pwd:asd88fgpdd777uzjYhagZg".parse::<Attribute>()?)
//!     .with("ice-options:trickle".parse::<Attribute>()?);
//! let offer = Description::new(Origin::new(4962303333179871722))
//!     .with(Group::bundle(["0".parse()?]))
//!     .with_media(media);
//! let text = offer.to_string();
//!
//! // … and somebody else reads it.
//! let description: Description = text.parse()?;
//! let section = description.section(0).ok_or("no section")?;
//! assert_eq!(section.setup(), Some(Setup::ActPass));
//! assert_eq!(*section.ice_credentials().ok_or("no credentials")?.ufrag, "8hhY");
//! assert!(section.has_ice_option(IceOptions::TRICKLE));
//! assert_eq!(section.media.sctp_port().ok_or("no port")?.0, 5000);
//!
//! // What is wrong is said so that it can be put right.
//! let error = text.replace("actpass", "both").parse::<Description>().unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "line 10, \"a=setup:both\": bad a=setup: expected active, passive, actpass or holdconn",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Shape
//!
//! - [`Description`] and [`Media`] are plain structs with public fields. Every string in them is of a type that
//!   has been checked ([`Text`], [`Word`], [`Token`], …), so no line break gets into a line.
//! - [`Attribute`](attribute::Attribute) is an enum of typed attributes and
//!   [`Other`](attribute::Attribute::Other); they stay in their order. `attributes.get::<Mid>()` finds one by type.
//! - [`Section`] sees a section together with what it takes over from its session; [`Media::codecs`] joins what is
//!   said of each payload type; [`Fragment`] carries candidates that come later.
//! - What is written is canonical: lines in the standard's order, CRLF, one space. What was canonical when it was
//!   read is written back byte for byte.
//!
//! # What is read although the standard forbids it
//!
//! - Lines that end in LF only, a last line without an end, empty lines, and spaces before a line: they mean
//!   nothing else (RFC 8866 §5 has a SHOULD for the first).
//! - Lines of the session in another order, `v=` excepted (RFC 8866 §5 MUST): they are out there, and unambiguous.
//! - No `t=` (RTSP servers leave it out), no `c=` anywhere, an `m=` without formats.
//! - Malformed values of attributes that a peer can do without are kept as
//!   [`Other`](attribute::Attribute::Other), where RFC 9429 §5.8 (MUST) refuses the description: `fmtp`, `rtcp-fb`,
//!   `simulcast`, `ssrc`, `ssrc-group`, `msid`, `msid-semantic`, `rtcp-xr`, `ptime`, `maxptime`, `content`, `label`
//!   (and `rid`, for which RFC 8851 §6.2.2 says so itself). A peer that acts on nothing is right about them.
//! - `a=rtpmap` without a clock rate: its payload type has no codec then.
//! - `imageattr` (RFC 6236), `crypto` (RFC 4568), `identity` (RFC 8827), `sctpmap` and others are kept unread.
//! - A `mid` that is no token, leading zeros, `ice-ufrag` and `ice-pwd` with `-`, `_`, `=` or `#`.
//! - An attribute at the level to which it does not belong; nobody looks for it there.
//! - Text is taken for UTF-8; `a=charset` (RFC 8866 §6.10) is not heeded.
//!
//! # What is refused
//!
//! Whatever could be taken in two ways: a malformed line, a line of an unknown letter, a second `ice-ufrag`,
//! `ice-pwd`, `mid`, `setup`, `tls-id`, direction, `sctp-port`, `max-message-size` or `sctp-init` on a level, two sections of one
//! `mid`, a payload type or extension number with two meanings, a fingerprint of the wrong length, numbers out of
//! range, and what exceeds [`limits`]. [`Description::salvage`] reads around such lines, for tools.

mod address;
pub mod attribute;
mod bandwidth;
mod codec;
mod description;
mod error;
mod fragment;
pub mod limits;
mod media;
mod origin;
mod parse;
mod section;
mod text;
mod timing;

pub use address::{Address, Family};
pub use bandwidth::{Bandwidth, BandwidthKind};
pub use codec::Codec;
pub use description::Description;
pub use error::{Malformed, ParseError, Reason};
pub use fragment::Fragment;
pub use media::{Media, MediaKind, Protocol};
pub use origin::Origin;
pub use section::Section;
pub use text::{Text, Token, Unlisted, Word};
pub use timing::{Repeat, Timing, Zones};
