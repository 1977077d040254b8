//! The codecs of a section: what `m=`, `a=rtpmap`, `a=fmtp` and `a=rtcp-fb` say of each payload type, joined
//! (RFC 8866 §6.6, RFC 3551 §6 for the payload types that need no name).

use std::num::NonZeroU8;

use crate::attribute::{Attribute, Feedback, Fmtp, PayloadType, RtcpFeedback};
use crate::media::Media;

/// Everything that a section says about one payload type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codec<'a> {
    /// The payload type.
    pub payload_type: PayloadType,
    /// The codec's name; case does not matter.
    pub name: &'a str,
    /// Ticks of the RTP clock per second.
    pub clock_rate: u32,
    /// Audio channels; 1 where nothing is said.
    pub channels: u8,
    /// Its parameters, mostly one line of them.
    pub fmtps: Vec<&'a Fmtp>,
    /// The feedback that may be sent about it, that for all payload types included; at most 64 kinds.
    pub feedback: Vec<&'a Feedback>,
}

impl<'a> Codec<'a> {
    /// Whether it has this name.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        self.fmtps.iter().find_map(|fmtp| fmtp.get(name))
    }

    /// The payload type whose packets this one repeats (`apt`), if it is a retransmission (RFC 4588 §8.1).
    pub fn retransmits(&self) -> Option<PayloadType> {
        self.parameter("apt").filter(|_| self.is("rtx"))?.parse().ok()
    }

    /// Whether a kind of feedback may be sent about it.
    pub fn has_feedback(&self, feedback: &Feedback) -> bool {
        self.feedback.contains(&feedback)
    }
}

impl Media {
    /// Whether a kind of feedback is about all of the section (`*`).
    pub fn has_feedback_on_all(&self, feedback: &Feedback) -> bool {
        let mut all = self.attributes.all::<RtcpFeedback>();
        all.any(|one| one.payload_type.is_none() && one.feedback == *feedback)
    }

    /// The codecs, in order of preference, each once. A payload type without a name, and without one that
    /// everybody knows, is left out.
    ///
    /// ```
    /// # use twocan_sdp::Description;
    /// # let text = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    /// # m=audio 9 RTP/AVP 111 0\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n";
    /// # let description: Description = text.parse().unwrap();
    /// let codecs = description.media[0].codecs();
    /// assert!(codecs[0].is("OPUS") && codecs[0].parameter("useinbandfec") == Some("1"));
    /// assert_eq!((codecs[1].name, codecs[1].clock_rate), ("PCMU", 8000));
    /// ```
    pub fn codecs(&self) -> Vec<Codec<'_>> {
        // One walk over the attributes, whatever the number of codecs.
        let mut codecs: Vec<Codec<'_>> = Vec::new();
        let mut places = [None; 128];
        for payload_type in self.payload_types() {
            let place = &mut places[usize::from(payload_type.get())];
            if place.is_none() {
                *place = Some(codecs.len());
                codecs.push(Codec::unnamed(payload_type));
            }
        }
        let place = |payload_type: PayloadType| places[usize::from(payload_type.get())];
        for attribute in self.attributes.iter() {
            match attribute {
                Attribute::Rtpmap(rtpmap) => {
                    if let Some(place) = place(rtpmap.payload_type) {
                        let codec = &mut codecs[place];
                        codec.name = &rtpmap.encoding;
                        codec.clock_rate = rtpmap.clock_rate.get();
                        codec.channels = rtpmap.channels.map_or(1, NonZeroU8::get);
                    }
                }
                Attribute::Fmtp(fmtp) => {
                    if let Some(place) = place(fmtp.payload_type) {
                        codecs[place].fmtps.push(fmtp);
                    }
                }
                Attribute::RtcpFeedback(RtcpFeedback { payload_type: Some(payload_type), feedback }) => {
                    if let Some(place) = place(*payload_type) {
                        codecs[place].add_feedback(feedback);
                    }
                }
                Attribute::RtcpFeedback(RtcpFeedback { payload_type: None, feedback }) => {
                    codecs.iter_mut().for_each(|codec| codec.add_feedback(feedback));
                }
                _ => {}
            }
        }
        codecs.retain(|codec| !codec.name.is_empty());
        codecs
    }
}

/// Feedback of one codec that is looked at. There are ten kinds; a line for all payload types counts for each.
const MAX_FEEDBACK: usize = 64;

impl<'a> Codec<'a> {
    fn add_feedback(&mut self, feedback: &'a Feedback) {
        if self.feedback.len() < MAX_FEEDBACK {
            self.feedback.push(feedback);
        }
    }

    /// What everybody knows of a payload type, or an empty name.
    fn unnamed(payload_type: PayloadType) -> Self {
        let number = payload_type.get();
        let known = STATIC.iter().find(|(own, ..)| *own == number);
        let (_, name, clock_rate, channels) = *known.unwrap_or(&(number, "", 0, 1));
        Self { payload_type, name, clock_rate, channels, fmtps: Vec::new(), feedback: Vec::new() }
    }
}

/// RFC 3551 §6: payload type, name, clock rate, channels.
const STATIC: &[(u8, &str, u32, u8)] = &[
    (0, "PCMU", 8_000, 1),
    (3, "GSM", 8_000, 1),
    (4, "G723", 8_000, 1),
    (5, "DVI4", 8_000, 1),
    (6, "DVI4", 16_000, 1),
    (7, "LPC", 8_000, 1),
    (8, "PCMA", 8_000, 1),
    (9, "G722", 8_000, 1),
    (10, "L16", 44_100, 2),
    (11, "L16", 44_100, 1),
    (12, "QCELP", 8_000, 1),
    (13, "CN", 8_000, 1),
    (14, "MPA", 90_000, 1),
    (15, "G728", 8_000, 1),
    (16, "DVI4", 11_025, 1),
    (17, "DVI4", 22_050, 1),
    (18, "G729", 8_000, 1),
    (25, "CelB", 90_000, 1),
    (26, "JPEG", 90_000, 1),
    (28, "nv", 90_000, 1),
    (31, "H261", 90_000, 1),
    (32, "MPV", 90_000, 1),
    (33, "MP2T", 90_000, 1),
    (34, "H263", 90_000, 1),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn media(lines: &str) -> Media {
        let text = format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{lines}");
        text.parse::<crate::Description>().unwrap().media.remove(0)
    }

    #[test]
    fn all_that_is_said_of_a_payload_type_is_joined() {
        let media = media(
            "m=video 9 UDP/TLS/RTP/SAVPF 97 96 96 35\r\na=rtcp-fb:* nack\r\na=rtcp-fb:96 nack pli\r\n\
             a=fmtp:97 apt=96\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 RTX/90000\r\na=rtcp-fb:99 nack sli\r\n\
             a=fmtp:96 max-fs=12288;max-fr=60\r\na=fmtp:96 x=y\r\n",
        );
        let codecs = media.codecs();
        assert_eq!(codecs.iter().map(|codec| codec.payload_type.get()).collect::<Vec<_>>(), [97, 96]);
        assert_eq!(codecs[0].retransmits(), Some(codecs[1].payload_type));
        assert_eq!(codecs[1].retransmits(), None);
        assert_eq!(codecs[1].feedback, [&Feedback::Nack, &Feedback::NackPli]);
        assert!(codecs[0].has_feedback(&Feedback::Nack) && !codecs[0].has_feedback(&Feedback::NackPli));
        assert_eq!((codecs[1].parameter("max-fr"), codecs[1].parameter("x")), (Some("60"), Some("y")));
    }

    #[test]
    fn payload_types_that_everybody_knows_need_no_name() {
        let media = media("m=audio 9 RTP/AVP 0 10 9 96\r\na=rtpmap:9 other/1000/3\r\n");
        let codecs: Vec<_> =
            media.codecs().iter().map(|codec| (codec.name, codec.clock_rate, codec.channels)).collect();
        assert_eq!(codecs, [("PCMU", 8000, 1), ("L16", 44_100, 2), ("other", 1000, 3)]);
    }

    #[test]
    fn other_protocols_have_no_codecs() {
        assert!(media("m=application 9 DTLS/SCTP 0\r\n").codecs().is_empty());
    }
}
