//! One direction's packets on their way in: RFC 3711 §3.3, §3.4.

use std::fmt;

use rtp::{Header, SequenceNumber, Ssrc};

use crate::cipher::{Cipher, ENCRYPTED, Late, Place, Portion, RTCP_HEADER_LEN};
use crate::cryptex;
use crate::derive::{Kind, SessionKeys};
use crate::fault::Fault;
use crate::keys::{KeyError, MasterKey};
use crate::profile::Profile;
use crate::sender::rtcp_source;
use crate::sources::Sources;
use crate::stream::{MAX_INDEX, Stream};

/// Sources that are kept of one peer: about 150 KiB.
pub const MAX_RECEIVER_SOURCES: usize = 1024;

/// RTCP comes seldom, and hardly out of order.
type RtcpWindow = wire::ReplayWindow<2>;

/// After how many packets of a source in a row that do not open it is looked whether it wrapped around unseen.
const SEARCH_EVERY: u8 = 16;
/// How many unseen wraps are tried then: four minutes of a thousand packets a second.
const SEARCH_ROLLOVERS: u64 = 3;
/// The longest packet that is tried more than once.
const SEARCH_MAX_LEN: usize = 2048;

/// Opens what the other end sends.
///
/// A source is kept from its first packet that is authentic. How often its number wrapped around before, nobody says;
/// so a source that begins with a low number is tried as one that wrapped around a moment ago, too, and one that keeps
/// sending what does not open as one that wrapped around while nothing came. Whoever knows better says so with
/// [`Receiver::expect_rollover`].
pub struct Receiver {
    profile: Profile,
    rtp: Late,
    rtcp: Cipher,
    streams: Sources<Incoming>,
    reports: Sources<RtcpWindow>,
}

#[derive(Debug, Default)]
struct Incoming {
    stream: Stream,
    /// Packets in a row that did not open.
    failures: u8,
}

impl Receiver {
    /// For what is sent under `key`.
    pub fn new(key: &MasterKey) -> Result<Self, KeyError> {
        let profile = key.profile();
        let keys = |kind| SessionKeys::derive(key, kind).map_err(|_| KeyError);
        Ok(Self {
            profile,
            rtp: Late::Keys(profile, keys(Kind::Rtp)?),
            rtcp: Cipher::new(profile, &keys(Kind::Rtcp)?).map_err(|_| KeyError)?,
            streams: Sources::new(MAX_RECEIVER_SOURCES),
            reports: Sources::new(MAX_RECEIVER_SOURCES),
        })
    }

    /// How packets are protected.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Says how often the sequence number of a source had wrapped around before its next packet (RFC 3711 §3.3.1).
    /// Forgets what came from it before. Whether there was room for one more source.
    pub fn expect_rollover(&mut self, ssrc: Ssrc, rollover: u32) -> bool {
        let incoming = Incoming { stream: Stream::with_rollover(rollover), failures: 0 };
        self.streams.insert(ssrc.0, incoming).is_ok()
    }

    /// How often the sequence number of a source has wrapped around.
    pub fn rollover(&self, ssrc: Ssrc) -> Option<u32> {
        self.streams.get(ssrc.0).map(|incoming| incoming.stream.rollover())
    }

    /// Opens an RTP packet in place and returns its length; what is behind is of no use. A header that was encrypted
    /// (cryptex, RFC 9335) says then what it would have said in the clear. After a fault the bytes are of no use.
    #[inline]
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, Fault> {
        let header = Header::parse(packet).map_err(|_| Fault::NotRtp)?;
        let (ssrc, sequence, header_len) = (header.ssrc().0, header.sequence_number(), header.len());
        let cryptex = cryptex::portion(header);
        let portion = cryptex.unwrap_or_else(|| Portion::behind(header_len));
        let len = packet.len().checked_sub(self.profile.rtp_overhead()).ok_or(Fault::Truncated)?;
        if len < header_len {
            return Err(Fault::Truncated);
        }
        match self.streams.find(ssrc) {
            Some(incoming) => {
                let cipher = self.rtp.get().map_err(|_| Fault::Forged)?;
                incoming.open(cipher, ssrc, sequence, packet, portion)?;
            }
            None => self.open_first(ssrc, sequence, packet, portion)?,
        }
        if let Some(portion) = cryptex {
            cryptex::conclude(packet, portion);
        }
        Ok(len)
    }

    /// A packet of a source that is not known.
    #[cold]
    fn open_first(
        &mut self,
        ssrc: u32,
        sequence: SequenceNumber,
        packet: &mut [u8],
        portion: Portion,
    ) -> Result<(), Fault> {
        if self.streams.is_full() {
            return Err(Fault::TooManySources);
        }
        let index = u64::from(sequence.0);
        // One whose first packets were lost may have wrapped around with them.
        let last = if sequence.0 < 1 << 15 { 1 } else { 0 };
        let cipher = self.rtp.get().map_err(|_| Fault::Forged)?;
        let index = search(cipher, ssrc, index, 0..=last, packet, portion).ok_or(Fault::Forged)?;
        let mut incoming = Incoming::default();
        incoming.stream.window.note(index);
        self.streams.insert(ssrc, incoming).map_err(|_| Fault::TooManySources)
    }

    /// Opens an RTCP packet, compound or not, in place and returns its length; what is behind is of no use. One that is
    /// authentic but not encrypted is opened, too (RFC 3711 §3.4). After a fault the bytes are of no use.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Fault> {
        let header = packet.first_chunk::<RTCP_HEADER_LEN>().ok_or(Fault::NotRtcp)?;
        let ssrc = rtcp_source(header).ok_or(Fault::NotRtcp)?;
        let word = self.rtcp.rtcp_word(packet).ok_or(Fault::Truncated)?;
        let index = u64::from(word & !ENCRYPTED);
        let place = Place { ssrc, index };
        if let Some(window) = self.reports.find(ssrc) {
            if window.is_seen(index) {
                return Err(Fault::Replayed);
            }
            self.rtcp.open_rtcp(place, word, packet).map_err(|_| Fault::Forged)?;
            window.note(index);
        } else {
            if self.reports.is_full() {
                return Err(Fault::TooManySources);
            }
            self.rtcp.open_rtcp(place, word, packet).map_err(|_| Fault::Forged)?;
            let mut window = RtcpWindow::new();
            window.note(index);
            self.reports.insert(ssrc, window).map_err(|_| Fault::TooManySources)?;
        }
        Ok(packet.len() - self.profile.rtcp_overhead())
    }
}

impl Incoming {
    #[inline]
    fn open(
        &mut self,
        cipher: &Cipher,
        ssrc: u32,
        sequence: SequenceNumber,
        packet: &mut [u8],
        portion: Portion,
    ) -> Result<(), Fault> {
        // Before zero there is nothing: a sender that jumped so far ahead has not wrapped around yet.
        let index = self.stream.index(sequence).unwrap_or(u64::from(sequence.0));
        let is_seen = self.stream.window.is_seen(index);
        let opened = if self.failures >= SEARCH_EVERY {
            self.failures = 0;
            let first = u64::from(is_seen);
            search(cipher, ssrc, index, first..=SEARCH_ROLLOVERS, packet, portion)
        } else if is_seen || index > MAX_INDEX {
            None
        } else {
            cipher.open_rtp(Place { ssrc, index }, packet, portion).ok().map(|()| index)
        };
        match opened {
            Some(index) => {
                self.stream.window.note(index);
                self.failures = 0;
                Ok(())
            }
            None => {
                self.failures += 1;
                Err(if is_seen { Fault::Replayed } else { Fault::Forged })
            }
        }
    }
}

/// Opens a packet whose source may have wrapped around more often than `index` says; returns the index it has.
#[cold]
fn search(
    cipher: &Cipher,
    ssrc: u32,
    index: u64,
    rollovers: std::ops::RangeInclusive<u64>,
    packet: &mut [u8],
    portion: Portion,
) -> Option<u64> {
    let mut copy = [0; SEARCH_MAX_LEN];
    let kept = copy.get_mut(..packet.len()).map(|copy| {
        copy.copy_from_slice(packet);
        &*copy
    });
    for rollover in rollovers {
        let index = index + (rollover << 16);
        if index > MAX_INDEX {
            return None;
        }
        if cipher.open_rtp(Place { ssrc, index }, packet, portion).is_ok() {
            return Some(index);
        }
        if cipher.spoils() {
            packet.copy_from_slice(kept?);
        }
    }
    None
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("profile", &self.profile).finish_non_exhaustive()
    }
}
