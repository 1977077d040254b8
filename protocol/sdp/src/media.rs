//! Media sections (RFC 8866 §5.14, RFC 3264 §5, RFC 8841 §4).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::address::Address;
use crate::attribute::{
    Attribute, Attributes, Candidate, Direction, Extmap, Fingerprint, IceCredentials, MaxMessageSize, Mid,
    Msid, PayloadType, Rid, SctpInit, SctpPort, Setup, Simulcast, Ssrc, SsrcAttribute, SsrcGroup,
};
use crate::bandwidth::Bandwidth;
use crate::error::Malformed;
use crate::text::{Text, Word, is_token, number, open_enum, parse_all};

mod build;
#[cfg(test)]
mod tests;

open_enum! {
    /// What a section is of.
    MediaKind, "a token, such as audio", is_token, {
        /// Sound.
        Audio = "audio",
        /// Pictures.
        Video = "video",
        /// Data channels, among others.
        Application = "application",
        /// Text in real time.
        Text = "text",
        /// A message.
        Message = "message",
        /// A picture, or a fax.
        Image = "image",
    }
}

open_enum! {
    /// How a section is transported.
    Protocol, "tokens with slashes between them, such as UDP/TLS/RTP/SAVPF",
    |text| text.split('/').all(is_token), {
        /// RTP over DTLS-SRTP with feedback: WebRTC's (RFC 5764 §9).
        UdpTlsRtpSavpf = "UDP/TLS/RTP/SAVPF",
        /// The same over TCP (RFC 7850 §3.4).
        TcpDtlsRtpSavpf = "TCP/DTLS/RTP/SAVPF",
        /// RTP over DTLS-SRTP.
        UdpTlsRtpSavp = "UDP/TLS/RTP/SAVP",
        /// RTP over SRTP with feedback (RFC 5124 §4.2).
        RtpSavpf = "RTP/SAVPF",
        /// RTP over SRTP.
        RtpSavp = "RTP/SAVP",
        /// RTP with feedback (RFC 4585 §4.1).
        RtpAvpf = "RTP/AVPF",
        /// RTP.
        RtpAvp = "RTP/AVP",
        /// Data channels: SCTP over DTLS (RFC 8841 §4.1).
        UdpDtlsSctp = "UDP/DTLS/SCTP",
        /// The same over TCP.
        TcpDtlsSctp = "TCP/DTLS/SCTP",
        /// The same, as drafts before RFC 8841 said it: the format is the port.
        DtlsSctp = "DTLS/SCTP",
    }
}

impl Protocol {
    /// Whether RTP is carried, so that formats are payload types (RFC 9429 §5.1.2).
    pub fn is_rtp(&self) -> bool {
        self.as_str().split('/').any(|part| part == "RTP")
    }

    /// Whether data channels are carried.
    pub fn is_sctp(&self) -> bool {
        matches!(self, Self::UdpDtlsSctp | Self::TcpDtlsSctp | Self::DtlsSctp)
    }
}

/// A media section: an `m=` line and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Media {
    /// What it is of.
    pub kind: MediaKind,
    /// The default candidate's port: 9 while there is none, 0 if the section is rejected or bundle-only.
    pub port: u16,
    /// How many ports in a row, where that is said.
    pub port_count: Option<u16>,
    /// How it is transported.
    pub protocol: Protocol,
    /// Payload types in order of preference, or what the protocol carries (`webrtc-datachannel`).
    pub formats: Vec<Word>,
    /// A title: `i=`.
    pub information: Option<Text>,
    /// The default candidate's address: `c=`. More than one only for layered multicast.
    pub connections: Vec<Address>,
    /// How much may be sent: `b=`.
    pub bandwidths: Vec<Bandwidth>,
    /// A key: `k=`, obsolete.
    pub key: Option<Text>,
    /// Everything else: `a=`.
    pub attributes: Attributes,
}

/// What this section itself says. What it takes over from the session is seen through a
/// [`Section`](crate::Section).
impl Media {
    /// Its name.
    pub fn mid(&self) -> Option<&Mid> {
        self.attributes.get()
    }

    /// Whether it is rejected, or ended (RFC 3264 §6; RFC 9143 §6 for the exception).
    pub fn is_rejected(&self) -> bool {
        self.port == 0 && !self.is_bundle_only()
    }

    /// Whether it may only be had together with others.
    pub fn is_bundle_only(&self) -> bool {
        self.attributes.has(&Attribute::BundleOnly)
    }

    /// Which way its media flows, if it says so.
    pub fn direction(&self) -> Option<Direction> {
        self.attributes.get().copied()
    }

    /// Its username fragment and password, if it has both.
    pub fn ice_credentials(&self) -> Option<IceCredentials<'_>> {
        self.attributes.ice_credentials()
    }

    /// The certificates that may be shown.
    pub fn fingerprints(&self) -> impl Iterator<Item = &Fingerprint> {
        self.attributes.all()
    }

    /// Who starts the DTLS handshake.
    pub fn setup(&self) -> Option<Setup> {
        self.attributes.get().copied()
    }

    /// Where it may be reached.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.attributes.all()
    }

    /// Whether no more candidates come.
    pub fn is_end_of_candidates(&self) -> bool {
        self.attributes.has(&Attribute::EndOfCandidates)
    }

    /// The payload types, in order of preference; none where the protocol is not RTP.
    pub fn payload_types(&self) -> impl Iterator<Item = PayloadType> {
        let is_rtp = self.protocol.is_rtp();
        self.formats.iter().filter(move |_| is_rtp).filter_map(|format| format.parse().ok())
    }

    /// Header extensions, as this section numbers them.
    pub fn extmaps(&self) -> impl Iterator<Item = &Extmap> {
        self.attributes.all()
    }

    /// Whether RTP and RTCP may share a port.
    pub fn has_rtcp_mux(&self) -> bool {
        self.attributes.has(&Attribute::RtcpMux) || self.attributes.has(&Attribute::RtcpMuxOnly)
    }

    /// The streams of tracks to which its track belongs, and the track.
    pub fn msids(&self) -> impl Iterator<Item = &Msid> {
        self.attributes.all()
    }

    /// Its sources, each once, in order.
    pub fn ssrcs(&self) -> Vec<Ssrc> {
        let mut ssrcs: Vec<Ssrc> = Vec::new();
        let mut seen = BTreeSet::new();
        for SsrcAttribute { ssrc, .. } in self.attributes.all() {
            if seen.insert(*ssrc) {
                ssrcs.push(*ssrc);
            }
        }
        ssrcs
    }

    /// What is said about a source under a name, such as `cname`.
    pub fn ssrc_attribute(&self, ssrc: Ssrc, name: &str) -> Option<&str> {
        let mut all = self.attributes.all::<SsrcAttribute>();
        all.find(|attribute| attribute.ssrc == ssrc && attribute.name == name)?.value.as_deref()
    }

    /// Sources that belong together.
    pub fn ssrc_groups(&self) -> impl Iterator<Item = &SsrcGroup> {
        self.attributes.all()
    }

    /// Its encodings. Names that are given twice count for nothing (RFC 8851 §6.2.2).
    pub fn rids(&self) -> Vec<&Rid> {
        let mut counts = BTreeMap::new();
        self.attributes.all().for_each(|rid: &Rid| *counts.entry(&rid.id).or_insert(0_usize) += 1);
        self.attributes.all().filter(|rid: &&Rid| counts.get(&rid.id) == Some(&1)).collect()
    }

    /// Which encodings are sent or received at once.
    pub fn simulcast(&self) -> Option<&Simulcast> {
        self.attributes.get()
    }

    /// The port of the SCTP association, which old descriptions give as a format.
    pub fn sctp_port(&self) -> Option<SctpPort> {
        self.attributes.get().copied().or_else(|| {
            let port = self.formats.first().filter(|_| self.protocol == Protocol::DtlsSctp)?;
            number(port).map(SctpPort)
        })
    }

    /// The longest message that is taken; 65,536 bytes where nothing is said.
    pub fn max_message_size(&self) -> MaxMessageSize {
        self.attributes.get().copied().unwrap_or_default()
    }

    /// The SCTP INIT chunk, which makes a handshake of its own unnecessary.
    pub fn sctp_init(&self) -> Option<&SctpInit> {
        self.attributes.get()
    }
}

impl Attributes {
    /// Username fragment and password, if both are there.
    pub(crate) fn ice_credentials(&self) -> Option<IceCredentials<'_>> {
        Some(IceCredentials { ufrag: self.get()?, password: self.get()? })
    }
}

/// What stands behind `m=`.
pub(crate) fn parse_line(text: &str) -> Result<Media, Malformed> {
    let expected = Malformed("a kind, a port, a protocol and formats");
    let mut words = text.split_ascii_whitespace();
    let mut next = || words.next().ok_or(expected);
    let (kind, ports, protocol) = (next()?, next()?, next()?.parse::<Protocol>()?);
    let mut ports = ports.splitn(2, '/').map(number);
    let port = ports.next().flatten().ok_or(Malformed("a port from 0 to 65535"))?;
    let port_count = match ports.next() {
        Some(count) => Some(count.ok_or(Malformed("a number of ports"))?),
        None => None,
    };
    let formats: Vec<Word> = parse_all(words)?;
    if protocol.is_rtp() {
        formats.iter().try_for_each(|format| PayloadType::from_str(format).map(drop))?;
    }
    Ok(Media {
        kind: kind.parse()?,
        port,
        port_count,
        protocol,
        formats,
        information: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Attributes::default(),
    })
}

/// All its lines.
impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {}", self.kind, self.port)?;
        self.port_count.iter().try_for_each(|count| write!(f, "/{count}"))?;
        write!(f, " {}", self.protocol)?;
        self.formats.iter().try_for_each(|format| write!(f, " {format}"))?;
        f.write_str("\r\n")?;
        self.information.iter().try_for_each(|text| write!(f, "i={text}\r\n"))?;
        self.connections.iter().try_for_each(|address| write!(f, "c={address}\r\n"))?;
        self.bandwidths.iter().try_for_each(|bandwidth| write!(f, "b={bandwidth}\r\n"))?;
        self.key.iter().try_for_each(|key| write!(f, "k={key}\r\n"))?;
        self.attributes.iter().try_for_each(|attribute| write!(f, "a={attribute}\r\n"))
    }
}
