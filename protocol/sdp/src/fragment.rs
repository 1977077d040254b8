//! Fragments that carry candidates after the description (RFC 8840 §9, RFC 9725 §4.3 for WHIP).

use std::fmt;
use std::str::FromStr;

use crate::attribute::Attributes;
use crate::error::ParseError;
use crate::media::{Media, MediaKind, Protocol};
use crate::parse;
use crate::text::Word;

/// The body of `application/trickle-ice-sdpfrag`: attributes, and sections that say little but whose candidates
/// they bring.
///
/// ```
/// # use twocan_sdp::Fragment;
/// let text = "a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\nm=audio 9 RTP/AVP 0\r\na=mid:1\r\n\
///     a=candidate:1 1 UDP 2130706432 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\n";
/// let fragment: Fragment = text.parse().unwrap();
/// assert_eq!(*fragment.media[0].mid().unwrap(), "1");
/// assert_eq!(fragment.media[0].candidates().count(), 1);
/// assert_eq!(fragment.to_string(), text);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fragment {
    /// For all sections: mostly username fragment and password.
    pub attributes: Attributes,
    /// Each with a name, candidates, and perhaps a username fragment and password.
    pub media: Vec<Media>,
}

impl Fragment {
    /// A section of a fragment as it is written when nothing of the real one is known (RFC 8840 §4.4).
    pub fn pseudo_media() -> Media {
        let mut media = Media::new(MediaKind::Audio, Protocol::RtpAvp);
        media.connections.clear();
        media.formats.push(Word::from_number(0));
        media
    }
}

impl FromStr for Fragment {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse::fragment(text)
    }
}

impl fmt::Display for Fragment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.attributes.iter().try_for_each(|attribute| write!(f, "a={attribute}\r\n"))?;
        self.media.iter().try_for_each(|media| write!(f, "{media}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::{Attribute, Mid};

    #[test]
    fn a_fragment_has_no_lines_of_a_session() {
        let error = "v=0\r\n".parse::<Fragment>().unwrap_err();
        assert_eq!(error.to_string(), "line 1, \"v=0\": no such line here: expected one of a= m=");
        assert!("a=ice-ufrag:a\r\n".parse::<Fragment>().is_err());
        assert_eq!("".parse(), Ok(Fragment::default()));
    }

    #[test]
    fn one_that_is_made_is_read_back() {
        let mut fragment = Fragment::default();
        fragment.attributes.push(Attribute::EndOfCandidates);
        fragment.media.push(Fragment::pseudo_media().with("0".parse::<Mid>().unwrap()));
        let text = "a=end-of-candidates\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n";
        assert_eq!((fragment.to_string().as_str(), text.parse()), (text, Ok(fragment)));
    }
}
