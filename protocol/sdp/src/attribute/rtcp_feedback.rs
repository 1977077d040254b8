//! `a=rtcp-fb` (RFC 4585 §4.2, RFC 5104 §7.1): which feedback may be sent about a codec.

use std::fmt;
use std::str::FromStr;

use crate::attribute::rtpmap::PayloadType;
use crate::error::Malformed;
use crate::text::{is_token, open_enum};

open_enum! {
    /// A kind of feedback, with its parameters.
    Feedback, "a kind of feedback, such as nack pli", |text| {
        text.split(' ').next().is_some_and(is_token)
            && !text.ends_with(' ')
            && text.bytes().all(|byte| byte >= b' ' && byte != 0x7F)
    }, {
        /// Lost packets are asked for again (RFC 4585 §6.2.1).
        Nack = "nack",
        /// A lost picture is told (RFC 4585 §6.3.1).
        NackPli = "nack pli",
        /// Lost slices are told (RFC 4585 §6.3.2).
        NackSli = "nack sli",
        /// A reference picture is chosen (RFC 4585 §6.3.3).
        NackRpsi = "nack rpsi",
        /// A whole picture is asked for (RFC 5104 §4.3.1).
        CcmFir = "ccm fir",
        /// A bit rate is asked for (RFC 5104 §4.2.1).
        CcmTmmbr = "ccm tmmbr",
        /// Arrival times, transport-wide (draft-holmer-rmcat-transport-wide-cc-extensions-01).
        TransportCc = "transport-cc",
        /// The receiver's estimate of the bandwidth (draft-alvestrand-rmcat-remb-03).
        GoogRemb = "goog-remb",
        /// Arrival times, per stream (RFC 8888 §6).
        AckCcfb = "ack ccfb",
    }
}

/// One kind of feedback about one payload type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RtcpFeedback {
    /// About which; all of the section (`*`) if `None`.
    pub payload_type: Option<PayloadType>,
    /// Which kind.
    pub feedback: Feedback,
}

impl RtcpFeedback {
    /// Whether it holds for a payload type.
    pub fn applies_to(&self, payload_type: PayloadType) -> bool {
        self.payload_type.is_none_or(|own| own == payload_type)
    }
}

impl FromStr for RtcpFeedback {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let parts = text.split_once(' ');
        let (format, feedback) = parts.ok_or(Malformed("a payload type or *, and a kind of feedback"))?;
        let payload_type = if format == "*" { None } else { Some(format.parse()?) };
        Ok(Self { payload_type, feedback: feedback.trim_ascii_start().parse()? })
    }
}

impl fmt::Display for RtcpFeedback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.payload_type {
            Some(payload_type) => write!(f, "{payload_type} {}", self.feedback),
            None => write!(f, "* {}", self.feedback),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_unknown_feedback_survives() {
        for text in [
            "96 nack pli",
            "* ccm tmmbr",
            "* trr-int 100",
            "120 ccm tmmbr smaxpr=120",
            "1 nack app foo bar",
            "5 foo",
        ] {
            assert_eq!(text.parse::<RtcpFeedback>().unwrap().to_string(), text);
        }
        let nack: RtcpFeedback = "96 nack".parse().unwrap();
        assert_eq!(nack.feedback, Feedback::Nack);
        let [own, other] = [96, 97].map(|number| PayloadType::new(number).unwrap());
        assert!(nack.applies_to(own) && !nack.applies_to(other));
        assert!("* nack".parse::<RtcpFeedback>().unwrap().applies_to(other));
    }

    #[test]
    fn what_is_no_feedback_is_refused() {
        for text in ["", "96", "96 ", "128 nack", "x nack"] {
            assert!(text.parse::<RtcpFeedback>().is_err(), "{text}");
        }
    }
}
