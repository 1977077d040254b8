//! The parameters of RE-CONFIG (RFC 6525 §4).

use wire::Reader;

use super::{Malformed, Parameter};

/// One parameter of a RE-CONFIG (RFC 6525 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReConfigParameter<'a> {
    /// The sender resets streams that it sends on (§4.1).
    OutgoingReset(OutgoingReset<'a>),
    /// The sender asks the receiver to reset streams that the receiver sends on (§4.2).
    IncomingReset(IncomingReset<'a>),
    /// The sender wants all TSNs and stream sequence numbers to begin anew (§4.3).
    TsnReset {
        /// The request's number.
        request: u32,
    },
    /// The answer to a request (§4.4).
    Response(ReConfigResponse),
    /// The sender wants to send on more streams (§4.5).
    AddOutgoing(AddStreams),
    /// The sender wants the receiver to send on more streams (§4.6).
    AddIncoming(AddStreams),
}

/// Outgoing SSN Reset Request (RFC 6525 §4.1).
///
/// ```text
/// +-------------------------------+-------------------------------+
/// |     Parameter Type = 13       | Parameter Length = 16 + 2 * N |
/// +-------------------------------+-------------------------------+
/// |           Re-configuration Request Sequence Number            |
/// +---------------------------------------------------------------+
/// |           Re-configuration Response Sequence Number           |
/// +---------------------------------------------------------------+
/// |                Sender's Last Assigned TSN                     |
/// +-------------------------------+-------------------------------+
/// |  Stream Number 1 (optional)   |    Stream Number 2 (optional) |
/// +-------------------------------+-------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutgoingReset<'a> {
    /// The request's number.
    pub request: u32,
    /// The number of the Incoming SSN Reset Request that this answers, else the last one received.
    pub response: u32,
    /// The streams are reset once everything up to here has arrived.
    pub last_assigned_tsn: u32,
    /// The streams; none means all.
    pub streams: StreamList<'a>,
}

/// Incoming SSN Reset Request (RFC 6525 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncomingReset<'a> {
    /// The request's number.
    pub request: u32,
    /// The streams; none means all.
    pub streams: StreamList<'a>,
}

/// Re-configuration Response (RFC 6525 §4.4), without the optional TSNs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReConfigResponse {
    /// The number of the request that is answered.
    pub request: u32,
    /// What came of it.
    pub result: ReConfigResult,
}

/// Add Outgoing or Incoming Streams Request (RFC 6525 §4.5, §4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddStreams {
    /// The request's number.
    pub request: u32,
    /// How many more.
    pub count: u16,
}

/// The result of a request (RFC 6525 §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReConfigResult {
    /// Nothing to do.
    Nothing,
    /// Performed.
    Performed,
    /// Denied.
    Denied,
    /// Wrong stream number.
    WrongStream,
    /// A request is already in progress.
    AlreadyInProgress,
    /// The request's number is not the expected one.
    BadSequenceNumber,
    /// Not yet; ask again.
    InProgress,
}

/// Stream numbers in a parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StreamList<'a>(&'a [[u8; 2]]);

impl<'a> StreamList<'a> {
    /// The streams that these pairs of bytes (big-endian) name.
    pub fn new(streams: &'a [[u8; 2]]) -> Self {
        Self(streams)
    }

    /// The stream numbers, as sent.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u16> + 'a {
        self.0.iter().copied().map(u16::from_be_bytes)
    }

    /// Whether none is named, which means all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn parse(reader: Reader<'a>) -> Result<Self, Malformed> {
        let (streams, rest) = reader.rest().as_chunks();
        if rest.is_empty() { Ok(Self(streams)) } else { Err(Malformed) }
    }
}

impl std::fmt::Debug for StreamList<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl ReConfigResult {
    fn parse(code: u32) -> Result<Self, Malformed> {
        Ok(match code {
            0 => Self::Nothing,
            1 => Self::Performed,
            2 => Self::Denied,
            3 => Self::WrongStream,
            4 => Self::AlreadyInProgress,
            5 => Self::BadSequenceNumber,
            6 => Self::InProgress,
            _ => return Err(Malformed),
        })
    }
}

impl<'a> ReConfigParameter<'a> {
    pub(super) fn parse(parameter: Parameter<'a>) -> Result<Self, Malformed> {
        let mut reader = Reader::new(parameter.value);
        let request = reader.u32()?;
        Ok(match parameter.kind {
            13 => Self::OutgoingReset(OutgoingReset {
                request,
                response: reader.u32()?,
                last_assigned_tsn: reader.u32()?,
                streams: StreamList::parse(reader)?,
            }),
            14 => Self::IncomingReset(IncomingReset { request, streams: StreamList::parse(reader)? }),
            15 => Self::TsnReset { request },
            16 => Self::Response(ReConfigResponse { request, result: ReConfigResult::parse(reader.u32()?)? }),
            17 => Self::AddOutgoing(AddStreams { request, count: reader.u16()? }),
            18 => Self::AddIncoming(AddStreams { request, count: reader.u16()? }),
            _ => return Err(Malformed),
        })
    }

    /// Appends the parameter and returns how many bytes of padding end it.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        let kind: u16 = match self {
            Self::OutgoingReset(_) => 13,
            Self::IncomingReset(_) => 14,
            Self::TsnReset { .. } => 15,
            Self::Response(_) => 16,
            Self::AddOutgoing(_) => 17,
            Self::AddIncoming(_) => 18,
        };
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(&[0; 2]);
        match *self {
            Self::OutgoingReset(reset) => {
                out.extend_from_slice(&reset.request.to_be_bytes());
                out.extend_from_slice(&reset.response.to_be_bytes());
                out.extend_from_slice(&reset.last_assigned_tsn.to_be_bytes());
                out.extend_from_slice(reset.streams.0.as_flattened());
            }
            Self::IncomingReset(reset) => {
                out.extend_from_slice(&reset.request.to_be_bytes());
                out.extend_from_slice(reset.streams.0.as_flattened());
            }
            Self::TsnReset { request } => out.extend_from_slice(&request.to_be_bytes()),
            Self::Response(response) => {
                out.extend_from_slice(&response.request.to_be_bytes());
                out.extend_from_slice(&(response.result as u32).to_be_bytes());
            }
            Self::AddOutgoing(add) | Self::AddIncoming(add) => {
                out.extend_from_slice(&add.request.to_be_bytes());
                out.extend_from_slice(&add.count.to_be_bytes());
                out.extend_from_slice(&[0; 2]);
            }
        }
        super::writer::set_length(out, start);
        let length = out.len();
        super::writer::pad(out, start);
        out.len() - length
    }
}
