//! Making sections of offers and answers (RFC 9429 §5.2.1, §5.3.1).

use crate::address::Address;
use crate::attribute::{Attribute, Attributes, Fmtp, Mid, PayloadType, RtcpFeedback, Rtpmap, SctpPort};
use crate::media::{Media, MediaKind, Protocol};
use crate::text::Word;

impl Media {
    /// A section that has neither formats nor attributes, and no candidate as yet.
    pub fn new(kind: MediaKind, protocol: Protocol) -> Self {
        Self {
            kind,
            // "Discard": RFC 8840 §4.1.1.
            port: 9,
            port_count: None,
            protocol,
            formats: Vec::new(),
            information: None,
            connections: vec![Address::unspecified()],
            bandwidths: Vec::new(),
            key: None,
            attributes: Attributes::default(),
        }
    }

    /// A section of data channels.
    ///
    /// ```
    /// # use twocan_sdp::Media;
    /// let media = Media::data_channels("0".parse().unwrap());
    /// assert_eq!(media.sctp_port().unwrap().0, 5000);
    /// assert!(media.to_string().starts_with("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    /// ```
    pub fn data_channels(mid: Mid) -> Self {
        let mut media = Self::new(MediaKind::Application, Protocol::UdpDtlsSctp);
        media.formats.push(Word::webrtc_datachannel());
        media.with(mid).with(SctpPort(5000))
    }

    /// A section of RTP, to be filled with codecs.
    pub fn rtp(kind: MediaKind, mid: Mid) -> Self {
        Self::new(kind, Protocol::UdpTlsRtpSavpf).with(mid).with(Attribute::RtcpMux)
    }

    /// The section that rejects this one in an answer (RFC 9429 §5.3.1): the same kind, protocol, formats and name,
    /// and port 0.
    #[must_use]
    pub fn rejected(&self) -> Self {
        let mut media = Self::new(self.kind.clone(), self.protocol.clone());
        media.port = 0;
        media.formats.clone_from(&self.formats);
        media.attributes = self.mid().cloned().into_iter().collect();
        media
    }

    /// The same with one more attribute.
    #[must_use]
    pub fn with(mut self, attribute: impl Into<Attribute>) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// Puts a codec behind those that are there: its format, its name, its feedback (about its payload type) and
    /// its parameters.
    pub fn add_codec(&mut self, rtpmap: Rtpmap, feedback: &[crate::attribute::Feedback], fmtp: Option<Fmtp>) {
        let payload_type = rtpmap.payload_type;
        self.formats.push(Word::from(payload_type));
        self.attributes.push(rtpmap);
        for feedback in feedback {
            let payload_type = Some(payload_type);
            self.attributes.push(RtcpFeedback { payload_type, feedback: feedback.clone() });
        }
        self.attributes.extend(fmtp.map(|fmtp| Fmtp { payload_type, ..fmtp }.into()));
    }
}

impl From<PayloadType> for Word {
    fn from(payload_type: PayloadType) -> Self {
        Self::from_number(payload_type.get().into())
    }
}
