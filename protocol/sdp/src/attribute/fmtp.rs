//! `a=fmtp` (RFC 8866 §6.15): a codec's parameters, in words of the codec's own.

use std::fmt;
use std::str::FromStr;

use crate::attribute::rtpmap::PayloadType;
use crate::error::Malformed;
use crate::text::Text;

/// Parameters of one payload type, kept as they are written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fmtp {
    /// Whose.
    pub payload_type: PayloadType,
    /// Mostly `name=value;name=value`; for some codecs something else, such as `0-15` or `111/111`.
    pub parameters: Text,
}

impl Fmtp {
    /// Each parameter in order: its name, and its value if it has one.
    ///
    /// ```
    /// # use twocan_sdp::attribute::Fmtp;
    /// let fmtp: Fmtp = "111 minptime=10; useinbandfec=1".parse().unwrap();
    /// assert_eq!(fmtp.iter().collect::<Vec<_>>(), [("minptime", Some("10")), ("useinbandfec", Some("1"))]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let parameters = self.parameters.split(';').map(str::trim_ascii);
        parameters.filter(|parameter| !parameter.is_empty()).map(|parameter| {
            parameter.split_once('=').map_or((parameter, None), |(name, value)| {
                (name.trim_ascii_end(), Some(value.trim_ascii_start()))
            })
        })
    }

    /// The value of a parameter; case does not matter for its name (RFC 4855 §3). `None` where it has none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?.1
    }
}

impl FromStr for Fmtp {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let parts = text.split_once(' ');
        let (payload_type, parameters) = parts.ok_or(Malformed("a payload type and parameters"))?;
        Ok(Self { payload_type: payload_type.parse()?, parameters: parameters.parse()? })
    }
}

impl fmt::Display for Fmtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.payload_type, self.parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_and_their_spelling_kept() {
        let text = "97 profile-level-id=4d0028;packetization-mode=1; sprop-parameter-sets=Z0IAH5WoFAFuQA==,aM48gA==; interlace;";
        let fmtp: Fmtp = text.parse().unwrap();
        assert_eq!(fmtp.get("Profile-Level-ID"), Some("4d0028"));
        assert_eq!(fmtp.get("sprop-parameter-sets"), Some("Z0IAH5WoFAFuQA==,aM48gA=="));
        assert_eq!(fmtp.get("interlace"), None);
        assert_eq!(fmtp.iter().last(), Some(("interlace", None)));
        assert_eq!(fmtp.to_string(), text);
    }

    #[test]
    fn parameters_of_another_form_survive() {
        for text in ["101 0-15", "63 111/111", "101 ,,,2,3", "96 352 0 16 40 10 14 2 255 0 0 44100"] {
            assert_eq!(text.parse::<Fmtp>().unwrap().to_string(), text);
        }
        assert!("101".parse::<Fmtp>().is_err());
        assert!("300 a=b".parse::<Fmtp>().is_err());
    }
}
