//! INIT and INIT ACK: what each end can do (RFC 9260 §3.3.2, §3.3.3).

use wire::Reader;

use super::{IData, IForwardTsn, Malformed, Pad, Parameter, Parameters, RawChunk, ReConfig, writer};

/// The body that INIT and INIT ACK share (RFC 9260 §3.3.2).
///
/// ```text
/// +---------------+---------------+-------------------------------+
/// | Type = 1 or 2 |  Chunk Flags  |         Chunk Length          |
/// +---------------+---------------+-------------------------------+
/// |                         Initiate Tag                          |
/// +---------------------------------------------------------------+
/// |           Advertised Receiver Window Credit (a_rwnd)          |
/// +-------------------------------+-------------------------------+
/// |  Number of Outbound Streams   |   Number of Inbound Streams   |
/// +-------------------------------+-------------------------------+
/// |                          Initial TSN                          |
/// +---------------------------------------------------------------+
/// \              Optional/Variable-Length Parameters              \
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Init {
    /// The tag that packets to the sender of this chunk must carry; never zero.
    pub initiate_tag: u32,
    /// Receive window, in bytes.
    pub a_rwnd: u32,
    /// Streams that the sender wants to send on; never zero.
    pub outbound_streams: u16,
    /// Streams that the sender can receive on; never zero.
    pub inbound_streams: u16,
    /// The sender's first TSN.
    pub initial_tsn: u32,
    /// The sender understands FORWARD-TSN (RFC 3758).
    pub partial_reliability: bool,
    /// The sender understands RE-CONFIG (RFC 6525).
    pub reconfig: bool,
    /// The sender understands I-DATA, and I-FORWARD-TSN where `partial_reliability` (RFC 8260).
    pub interleaving: bool,
    /// The sender understands PAD (RFC 4820), and takes packets as large as a path may carry: it may be probed with them. Those who do
    /// not say so may have no room for them, whatever the path carries.
    pub padding: bool,
    /// The sender accepts a checksum of zero, since packets come over DTLS (RFC 9653).
    pub zero_checksum: bool,
}

/// Error Detection Method Identifier: lower layer DTLS (RFC 9653 §8).
const EDMID_DTLS: [u8; 4] = 1u32.to_be_bytes();

impl Init {
    /// The type of INIT.
    pub const KIND: u8 = 1;

    /// Reads an INIT.
    pub fn parse(raw: RawChunk<'_>) -> Result<Self, Malformed> {
        Ok(Self::parse_body(raw.expect(Self::KIND)?)?.0)
    }

    /// Reads an INIT chunk that stands alone, as SDP's `sctp-init` carries it (draft-hancke-tsvwg-snap).
    pub fn parse_standalone(bytes: &[u8]) -> Result<Self, Malformed> {
        let raw = super::Chunks::new(bytes).next().ok_or(Malformed)??;
        Self::parse(raw)
    }

    fn parse_body(mut reader: Reader<'_>) -> Result<(Self, Option<&[u8]>), Malformed> {
        let mut init = Self {
            initiate_tag: reader.u32()?,
            a_rwnd: reader.u32()?,
            outbound_streams: reader.u16()?,
            inbound_streams: reader.u16()?,
            initial_tsn: reader.u32()?,
            partial_reliability: false,
            reconfig: false,
            interleaving: false,
            padding: false,
            zero_checksum: false,
        };
        // RFC 9260 §3.3.2: each of these being zero is an error of the peer.
        if init.initiate_tag == 0 || init.outbound_streams == 0 || init.inbound_streams == 0 {
            return Err(Malformed);
        }
        let mut cookie = None;
        for parameter in Parameters::new(reader.rest()) {
            let Parameter { kind, value } = parameter?;
            match kind {
                Parameter::STATE_COOKIE => cookie = Some(value),
                Parameter::FORWARD_TSN_SUPPORTED => init.partial_reliability = true,
                Parameter::SUPPORTED_EXTENSIONS => {
                    init.reconfig = value.contains(&ReConfig::KIND);
                    init.interleaving = value.contains(&IData::KIND);
                    init.padding = value.contains(&Pad::KIND);
                }
                Parameter::ZERO_CHECKSUM_ACCEPTABLE => init.zero_checksum = value == EDMID_DTLS,
                // The highest bit of an unknown type unset: stop here (RFC 9260 §3.2.1). The types of
                // addresses and the like, below 0x8000 and of no use over DTLS, are known and skipped.
                unknown if unknown >= 0x8000 || unknown <= 12 => {}
                _ => break,
            }
        }
        Ok((init, cookie))
    }

    /// Appends an INIT.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_as(out, Self::KIND, None);
    }

    fn write_as(&self, out: &mut Vec<u8>, kind: u8, cookie: Option<&[u8]>) {
        let start = writer::begin_chunk(out, kind, 0);
        out.extend_from_slice(&self.initiate_tag.to_be_bytes());
        out.extend_from_slice(&self.a_rwnd.to_be_bytes());
        out.extend_from_slice(&self.outbound_streams.to_be_bytes());
        out.extend_from_slice(&self.inbound_streams.to_be_bytes());
        out.extend_from_slice(&self.initial_tsn.to_be_bytes());
        if let Some(value) = cookie {
            Parameter { kind: Parameter::STATE_COOKIE, value }.write(out);
        }
        if self.zero_checksum {
            Parameter { kind: Parameter::ZERO_CHECKSUM_ACCEPTABLE, value: &EDMID_DTLS }.write(out);
        }
        if self.partial_reliability {
            Parameter { kind: Parameter::FORWARD_TSN_SUPPORTED, value: &[] }.write(out);
        }
        let extensions = [
            (self.reconfig, ReConfig::KIND),
            (self.partial_reliability, super::ForwardTsn::KIND),
            (self.interleaving, IData::KIND),
            (self.interleaving && self.partial_reliability, IForwardTsn::KIND),
            (self.padding, Pad::KIND),
        ];
        let mut value = [0; 5];
        let mut count = 0;
        for (_, kind) in extensions.into_iter().filter(|extension| extension.0) {
            value[count] = kind;
            count += 1;
        }
        // The padding of a last parameter belongs to no length (RFC 9260 §3.2.1): the chunk's length
        // ends with the parameter, as in SNAP's example.
        let before = out.len();
        if count > 0 {
            Parameter { kind: Parameter::SUPPORTED_EXTENSIONS, value: &value[..count] }.write(out);
            out.truncate(before + 4 + count);
        }
        writer::end_chunk(out, start);
    }
}

/// An INIT ACK: the same body with a State Cookie (RFC 9260 §3.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitAck<'a> {
    /// What the sender can do.
    pub init: Init,
    /// What the sender wants to have back in a COOKIE ECHO.
    pub cookie: &'a [u8],
}

impl<'a> InitAck<'a> {
    /// The type of INIT ACK.
    pub const KIND: u8 = 2;

    /// Reads an INIT ACK; one without a cookie is malformed.
    pub fn parse(raw: RawChunk<'a>) -> Result<Self, Malformed> {
        let (init, cookie) = Init::parse_body(raw.expect(Self::KIND)?)?;
        Ok(Self { init, cookie: cookie.ok_or(Malformed)? })
    }

    /// Appends the chunk.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.init.write_as(out, Self::KIND, Some(self.cookie));
    }
}
