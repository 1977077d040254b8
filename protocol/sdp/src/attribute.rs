//! Attributes: the `a=` lines, each a type in a file of its own (RFC 8866 §5.13, RFC 9429 §5.8).
//!
//! What a peer relies upon must be well-formed, or the description is refused. What it can do without is kept
//! as [`Attribute::Other`] when it is malformed, as are attributes that have no type here.

use std::fmt;
use std::str::FromStr;

use crate::error::Malformed;
use crate::text::{Text, Token};

pub mod candidate;
pub mod direction;
pub mod extmap;
pub mod fingerprint;
pub mod fmtp;
pub mod group;
pub mod ice_credentials;
pub mod ice_options;
pub mod label;
mod list;
pub mod msid;
pub mod packet_time;
pub mod rid;
pub mod rtcp;
pub mod rtcp_feedback;
pub mod rtpmap;
pub mod sctp;
pub mod sctp_init;
pub mod setup;
pub mod simulcast;
pub mod ssrc;
pub mod tls_id;

pub use candidate::{Candidate, RemoteCandidate, RemoteCandidates};
pub use direction::Direction;
pub use extmap::{ExtensionId, Extmap};
pub use fingerprint::{Fingerprint, HashFunction};
pub use fmtp::Fmtp;
pub use group::{Group, GroupSemantics, Mid};
pub use ice_credentials::{IceCredentials, Password, Ufrag};
pub use ice_options::{IceOptions, IcePacing};
pub use label::{Content, Label};
pub use list::Attributes;
pub use msid::{Msid, MsidSemantic};
pub use packet_time::{MaxPacketTime, PacketTime};
pub use rid::{Restriction, Rid, RidDirection, RidId};
pub use rtcp::{Rtcp, RtcpXr};
pub use rtcp_feedback::{Feedback, RtcpFeedback};
pub use rtpmap::{PayloadType, Rtpmap};
pub use sctp::{MaxMessageSize, SctpPort};
pub use sctp_init::SctpInit;
pub use setup::Setup;
pub use simulcast::{Simulcast, SimulcastAlternative, SimulcastStream};
pub use ssrc::{Ssrc, SsrcAttribute, SsrcGroup, SsrcSemantics};
pub use tls_id::TlsId;

/// A type of attribute, for [`Attributes::get`] and its like.
pub trait Typed: Sized + Into<Attribute> + 'static {
    /// Its name in a description.
    const NAME: &'static str;

    /// The value, if an attribute is of this type.
    fn of(attribute: &Attribute) -> Option<&Self>;
}

/// An attribute that has no type here, or whose value does not have its type's form.
///
/// Only reading makes one ([`Attribute::from_str`]), so that a well-formed attribute always has its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Other {
    name: Token,
    value: Option<Text>,
}

impl Other {
    /// What stands before the colon.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands after the colon, if there is one.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }
}

/// Defines the enum and its reading, writing and conversions from one table. The groups are of attributes that
/// have no value, may be there once, may be there more than once, and are kept when malformed.
macro_rules! attributes {
    (
        flags { $($(#[$flag_doc:meta])* $flag:ident = $flag_name:literal,)* }
        once { $($(#[$once_doc:meta])* $once:ident($once_type:ty) = $once_name:literal,)* }
        many { $($(#[$many_doc:meta])* $many:ident($many_type:ty) = $many_name:literal,)* }
        kept { $($(#[$kept_doc:meta])* $kept:ident($kept_type:ty) = $kept_name:literal,)* }
    ) => {
        /// An `a=` line.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Attribute {
            $($(#[$flag_doc])* $flag,)*
            $($(#[$once_doc])* $once($once_type),)*
            $($(#[$many_doc])* $many($many_type),)*
            $($(#[$kept_doc])* $kept($kept_type),)*
            /// Which way media flows: RFC 8866 §6.7.
            Direction(Direction),
            /// Any other.
            Other(Other),
        }

        impl Attribute {
            /// What stands before the colon.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$flag => $flag_name,)*
                    $(Self::$once(_) => $once_name,)*
                    $(Self::$many(_) => $many_name,)*
                    $(Self::$kept(_) => $kept_name,)*
                    Self::Direction(direction) => direction.as_str(),
                    Self::Other(other) => &other.name,
                }
            }

            /// Its line's name, if it may stand but once on a level.
            pub(crate) fn once(&self) -> Option<&'static str> {
                match self {
                    $(Self::$once(_) => Some(concat!("a=", $once_name)),)*
                    Self::Direction(_) => Some("a=sendrecv, sendonly, recvonly or inactive"),
                    _ => None,
                }
            }

            /// Reads what stands behind `a=`; the error comes with the line's name.
            pub(crate) fn read(text: &str) -> Result<Self, (&'static str, Malformed)> {
                let (name, value) = match text.split_once(':') {
                    Some((name, value)) => (name, Some(value)),
                    None => (text.trim_ascii_end(), None),
                };
                let given = value.unwrap_or_default();
                match name {
                    // Old players leave the clock rate out; such a payload type stays without a codec.
                    Rtpmap::NAME if !given.contains('/') => {}
                    $($flag_name if given.trim_ascii().is_empty() => return Ok(Self::$flag),)*
                    $($once_name => {
                        return parse(given).map(Self::$once).map_err(|why| (concat!("a=", $once_name), why));
                    })*
                    $($many_name => {
                        return parse(given).map(Self::$many).map_err(|why| (concat!("a=", $many_name), why));
                    })*
                    $($kept_name => if let Ok(value) = parse(given) {
                        return Ok(Self::$kept(value));
                    },)*
                    "sendrecv" | "sendonly" | "recvonly" | "inactive" if given.trim_ascii().is_empty() => {
                        return name.parse().map(Self::Direction).map_err(|why| ("direction", why));
                    }
                    _ => {}
                }
                let other = || Ok(Other { name: name.parse()?, value: value.map(str::parse).transpose()? });
                other().map(Self::Other).map_err(|why| ("attribute", why))
            }
        }

        impl fmt::Display for Attribute {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$flag => f.write_str($flag_name),)*
                    $(Self::$once(value) => write!(f, concat!($once_name, ":{}"), value),)*
                    $(Self::$many(value) => write!(f, concat!($many_name, ":{}"), value),)*
                    $(Self::$kept(value) => write!(f, concat!($kept_name, ":{}"), value),)*
                    Self::Direction(direction) => f.write_str(direction.as_str()),
                    Self::Other(Other { name, value: Some(value) }) => write!(f, "{name}:{value}"),
                    Self::Other(Other { name, value: None }) => f.write_str(name),
                }
            }
        }

        $(typed!($once($once_type) = $once_name);)*
        $(typed!($many($many_type) = $many_name);)*
        $(typed!($kept($kept_type) = $kept_name);)*
    };
}

macro_rules! typed {
    ($variant:ident($type:ty) = $name:expr) => {
        impl From<$type> for Attribute {
            fn from(value: $type) -> Self {
                Self::$variant(value)
            }
        }

        impl Typed for $type {
            const NAME: &'static str = $name;

            fn of(attribute: &Attribute) -> Option<&Self> {
                match attribute {
                    Attribute::$variant(value) => Some(value),
                    _ => None,
                }
            }
        }
    };
}

attributes! {
    flags {
        /// An agent that only answers checks: RFC 8839 §5.3.
        IceLite = "ice-lite",
        /// The other side's addresses do not fit its candidates: RFC 8839 §5.3.
        IceMismatch = "ice-mismatch",
        /// No more candidates come: RFC 8840 §8.1.
        EndOfCandidates = "end-of-candidates",
        /// Only together with others: RFC 9143 §6.
        BundleOnly = "bundle-only",
        /// Header extensions of both forms in one stream: RFC 8285 §6.
        ExtmapAllowMixed = "extmap-allow-mixed",
        /// RTP and RTCP on one port: RFC 5761 §5.1.1.
        RtcpMux = "rtcp-mux",
        /// The same, and not otherwise: RFC 8858 §3.
        RtcpMuxOnly = "rtcp-mux-only",
        /// RTCP packets that are not compound: RFC 5506 §5.
        RtcpReducedSize = "rtcp-rsize",
        /// Headers of packets that are encrypted can be read: RFC 9335 §4.
        Cryptex = "cryptex",
    }
    once {
        /// RFC 8839 §5.4.
        IceUfrag(Ufrag) = "ice-ufrag",
        /// RFC 8839 §5.4.
        IcePwd(Password) = "ice-pwd",
        /// RFC 8839 §5.5.
        IcePacing(IcePacing) = "ice-pacing",
        /// RFC 8842 §5.2.
        Setup(Setup) = "setup",
        /// RFC 8842 §4.
        TlsId(TlsId) = "tls-id",
        /// RFC 5888 §4.
        Mid(Mid) = "mid",
        /// RFC 8841 §5.
        SctpPort(SctpPort) = "sctp-port",
        /// RFC 8841 §6.
        MaxMessageSize(MaxMessageSize) = "max-message-size",
        /// draft-hancke-tsvwg-snap.
        SctpInit(SctpInit) = "sctp-init",
    }
    many {
        /// RFC 8839 §5.1.
        Candidate(Candidate) = "candidate",
        /// RFC 8839 §5.2.
        RemoteCandidates(RemoteCandidates) = "remote-candidates",
        /// RFC 8839 §5.6.
        IceOptions(IceOptions) = "ice-options",
        /// RFC 8122 §5.
        Fingerprint(Fingerprint) = "fingerprint",
        /// RFC 5888 §5, RFC 9143.
        Group(Group) = "group",
        /// RFC 8866 §6.6.
        Rtpmap(Rtpmap) = "rtpmap",
        /// RFC 8285 §8.
        Extmap(Extmap) = "extmap",
        /// RFC 3605 §2.1.
        Rtcp(Rtcp) = "rtcp",
    }
    kept {
        /// RFC 8866 §6.15.
        Fmtp(Fmtp) = "fmtp",
        /// RFC 4585 §4.2.
        RtcpFeedback(RtcpFeedback) = "rtcp-fb",
        /// RFC 8851 §10, which says itself that a malformed one is passed over.
        Rid(Rid) = "rid",
        /// RFC 8853 §5.1.
        Simulcast(Simulcast) = "simulcast",
        /// RFC 5576 §4.1.
        Ssrc(SsrcAttribute) = "ssrc",
        /// RFC 5576 §4.2.
        SsrcGroup(SsrcGroup) = "ssrc-group",
        /// RFC 8830 §2.
        Msid(Msid) = "msid",
        /// draft-ietf-mmusic-msid, before RFC 8830 left it out.
        MsidSemantic(MsidSemantic) = "msid-semantic",
        /// RFC 3611 §5.1.
        RtcpXr(RtcpXr) = "rtcp-xr",
        /// RFC 8866 §6.4.
        PacketTime(PacketTime) = "ptime",
        /// RFC 8866 §6.5.
        MaxPacketTime(MaxPacketTime) = "maxptime",
        /// RFC 4796 §5.
        Content(Content) = "content",
        /// RFC 4574 §4.
        Label(Label) = "label",
    }
}
typed!(Direction(Direction) = "sendrecv");

/// Reads a value as it stands, or else without the spaces around it.
fn parse<T: FromStr<Err = Malformed>>(value: &str) -> Result<T, Malformed> {
    value.parse().or_else(|why| match value.trim_ascii() {
        trimmed if trimmed.len() < value.len() => trimmed.parse(),
        _ => Err(why),
    })
}

/// Reads what stands behind `a=`.
///
/// ```
/// # use twocan_sdp::attribute::{Attribute, Setup};
/// assert_eq!("setup:active".parse(), Ok(Attribute::Setup(Setup::Active)));
/// let unknown: Attribute = "x-google-flag:conference".parse().unwrap();
/// assert_eq!((unknown.name(), unknown.to_string().as_str()), ("x-google-flag", "x-google-flag:conference"));
/// ```
impl FromStr for Attribute {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::read(text).map_err(|(_, why)| why)
    }
}

#[cfg(test)]
mod tests;
