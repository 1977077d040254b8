//! One direction's packets on their way out: RFC 3711 §3.3, §3.4.

use std::fmt;

use rtp::Header;

use crate::cipher::{Cipher, Place, Portion, RTCP_HEADER_LEN};
use crate::cryptex;
use crate::derive::{Kind, SessionKeys};
use crate::keys::{KeyError, MasterKey};
use crate::profile::Profile;
use crate::sources::Sources;
use crate::stream::{MAX_INDEX, Stream};

/// Sources that one sender may have.
pub const MAX_SENDER_SOURCES: usize = 8192;

/// The longest packet, in bytes before protection: more than a datagram holds, less than what an IV encrypts
/// (RFC 3711 §9.2, 2^20).
const MAX_LEN: usize = u16::MAX as usize;

/// SRTCP packets that one key may protect (RFC 3711 §9.2).
const MAX_RTCP_PACKETS: u64 = 1 << 31;

/// Where a sender found a source the last time: it looks there first. Any will do.
#[derive(Clone, Copy, Debug, Default)]
pub struct SourcePlace(u32);

/// Protects what one end sends.
///
/// It remembers which numbers each of its sources used, as no two different packets may have the same one. Packets may
/// come out of order, up to about a thousand late; a number that is more than 2^15 ahead of the highest counts as late. To
/// send a packet a second time, send its protected bytes again; a retransmission in the sense of RFC 4588 is a packet of
/// another source.
pub struct Sender {
    profile: Profile,
    rtp: Cipher,
    rtcp: Cipher,
    streams: Sources<Stream>,
    /// The next SRTCP index of each source.
    indices: Sources<u64>,
    rtp_left: u64,
    rtcp_left: u64,
    cryptex: bool,
}

impl Sender {
    /// For what is sent under `key`.
    pub fn new(key: &MasterKey) -> Result<Self, KeyError> {
        let cipher = |kind| {
            SessionKeys::derive(key, kind)
                .and_then(|keys| Cipher::new(key.profile(), &keys))
                .map_err(|_| KeyError)
        };
        Ok(Self {
            profile: key.profile(),
            rtp: cipher(Kind::Rtp)?,
            rtcp: cipher(Kind::Rtcp)?,
            streams: Sources::new(MAX_SENDER_SOURCES),
            indices: Sources::new(MAX_SENDER_SOURCES),
            rtp_left: MAX_INDEX + 1,
            rtcp_left: MAX_RTCP_PACKETS,
            cryptex: false,
        })
    }

    /// How packets are protected.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Whether to encrypt contributing sources and header extensions, too: where the peer said `a=cryptex`
    /// (RFC 9335 §4). Off at first.
    pub fn set_cryptex(&mut self, cryptex: bool) {
        self.cryptex = cryptex;
    }

    /// How often the sequence number of a source has wrapped around: what someone who joins late has to be told
    /// (RFC 3711 §3.3.1).
    pub fn rollover(&self, ssrc: rtp::Ssrc) -> Option<u32> {
        self.streams.get(ssrc.0).map(Stream::rollover)
    }

    /// Protects the RTP packet that begins at `start` and ends with the buffer: encrypts in place and appends
    /// [`Profile::rtp_overhead`] bytes. On an error the buffer is as it was.
    #[inline]
    pub fn protect_rtp(&mut self, buffer: &mut Vec<u8>, start: usize) -> Result<(), ProtectError> {
        self.protect_rtp_from(buffer, start, &mut SourcePlace::default())
    }

    /// The same for who keeps a [`SourcePlace`] for each of many sources, whose packets alternate.
    #[inline]
    pub fn protect_rtp_from(
        &mut self,
        buffer: &mut Vec<u8>,
        start: usize,
        SourcePlace(place): &mut SourcePlace,
    ) -> Result<(), ProtectError> {
        let packet = buffer.get(start..).unwrap_or_default();
        let header = Header::parse(packet).map_err(|_| ProtectError::Malformed)?;
        let (ssrc, sequence) = (header.ssrc().0, header.sequence_number());
        let plain = Portion::behind(header.len());
        // The peer would take it for encrypted.
        if cryptex::portion(header).is_some() {
            return Err(ProtectError::Malformed);
        }
        if packet.len() > MAX_LEN {
            return Err(ProtectError::TooLong);
        }
        let stream = match self.streams.find_near(ssrc, place) {
            Some(stream) => stream,
            None => {
                self.streams.insert(ssrc, Stream::default()).map_err(|_| ProtectError::TooManySources)?;
                self.streams.find(ssrc).ok_or(ProtectError::TooManySources)?
            }
        };
        // A number that lies before the source's first wrap: the peer could not guess it.
        let index = stream.index(sequence).ok_or(ProtectError::Reused)?;
        if stream.window.is_seen(index) {
            return Err(ProtectError::Reused);
        }
        if index > MAX_INDEX || self.rtp_left == 0 {
            return Err(ProtectError::Exhausted);
        }
        let portion = if self.cryptex { cryptex::prepare(buffer, start, plain) } else { plain };
        append_room(buffer, self.profile.rtp_overhead());
        self.rtp
            .seal_rtp(Place { ssrc, index }, &mut buffer[start..], portion)
            .map_err(|_| ProtectError::TooLong)?;
        stream.window.note(index);
        self.rtp_left -= 1;
        Ok(())
    }

    /// Protects the RTCP packet, compound or not, that begins at `start` and ends with the buffer: encrypts in place
    /// all but its first eight bytes and appends [`Profile::rtcp_overhead`] bytes. On an error the buffer is as it
    /// was.
    pub fn protect_rtcp(&mut self, buffer: &mut Vec<u8>, start: usize) -> Result<(), ProtectError> {
        let packet = buffer.get(start..).unwrap_or_default();
        let header = packet.first_chunk::<RTCP_HEADER_LEN>().ok_or(ProtectError::Malformed)?;
        let ssrc = rtcp_source(header).ok_or(ProtectError::Malformed)?;
        if packet.len() > MAX_LEN {
            return Err(ProtectError::TooLong);
        }
        if self.rtcp_left == 0 {
            return Err(ProtectError::Exhausted);
        }
        let next = match self.indices.find(ssrc) {
            Some(next) => next,
            None => {
                self.indices.insert(ssrc, 0).map_err(|_| ProtectError::TooManySources)?;
                self.indices.find(ssrc).ok_or(ProtectError::TooManySources)?
            }
        };
        append_room(buffer, self.profile.rtcp_overhead());
        self.rtcp
            .seal_rtcp(Place { ssrc, index: *next }, &mut buffer[start..])
            .map_err(|_| ProtectError::TooLong)?;
        *next += 1;
        self.rtcp_left -= 1;
        Ok(())
    }
}

/// Whose packet of RTCP it is, if it is one.
#[inline]
pub(crate) fn rtcp_source(header: &[u8; RTCP_HEADER_LEN]) -> Option<u32> {
    let [first, _, _, _, ssrc @ ..] = *header;
    (first >> 6 == 2).then_some(u32::from_be_bytes(ssrc))
}

#[inline]
fn append_room(buffer: &mut Vec<u8>, len: usize) {
    const ROOM: [u8; 20] = [0; 20];
    buffer.extend_from_slice(&ROOM[..len]);
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// Why a packet was not protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtectError {
    /// There is no whole header, or one whose extension claims to be encrypted already: give a packet in the clear.
    Malformed,
    /// More than 65,535 bytes: no datagram would hold it.
    TooLong,
    /// This source used the number before, or it lies too far behind: give each packet another, none from before the
    /// source's first.
    Reused,
    /// More than [`MAX_SENDER_SOURCES`]: use the SSRCs that there are again, or connect anew.
    TooManySources,
    /// The key has protected as much as it may (RFC 3711 §9.2): connect anew.
    Exhausted,
}

impl fmt::Display for ProtectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => {
                "the packet has no whole header in the clear; give one that was written in full"
            }
            Self::TooLong => "a packet has at most 65,535 bytes; send several",
            Self::Reused => "the sequence number was used, or is too old to tell; give each packet its own",
            Self::TooManySources => "there are too many sources; use an SSRC again, or connect anew",
            Self::Exhausted => "the key is used up; connect anew",
        })
    }
}

impl std::error::Error for ProtectError {}
