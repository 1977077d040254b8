//! Which numbers payload types and header extensions have: those that they have had, and else the ones they would like
//! (RFC 9143 §9.1, §7.4; RFC 8285 §5).

use std::collections::BTreeMap;
use std::sync::Arc;

use sdp::attribute::{ExtensionId, PayloadType};
use sdp::{Description, Section};

use crate::media::{Codec, MediaKind};

/// What the numbers of all sections that share a transport mean.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    payload_types: BTreeMap<u8, Codec>,
    extensions: BTreeMap<u16, Box<str>>,
}

impl Numbers {
    /// The meanings that descriptions give them; what was said first counts.
    pub(super) fn of(descriptions: impl IntoIterator<Item = Arc<Description>>) -> Self {
        let mut numbers = Self::default();
        for description in descriptions {
            for section in description.sections() {
                if MediaKind::of(section.media).is_some() && !section.media.is_rejected() {
                    numbers.learn(section);
                }
            }
        }
        numbers
    }

    fn learn(&mut self, section: Section<'_>) {
        for codec in section.media.codecs() {
            self.payload_types.entry(codec.payload_type.get()).or_insert_with(|| (&codec).into());
        }
        for extmap in section.extmaps() {
            self.extensions.entry(extmap.id.get()).or_insert_with(|| extmap.uri.as_str().into());
        }
    }

    /// A codec's number: the one it has, the one it would like, or any that is free.
    pub(super) fn payload_type(&mut self, codec: &Codec, wanted: u8) -> Option<PayloadType> {
        let same = |known: &Codec| match ["rtx", "red"].iter().any(|name| codec.is(name)) {
            // What they go with makes them what they are.
            true => known.is(&codec.name) && known.parameters == codec.parameters,
            false => known.matches(codec),
        };
        let had = self.payload_types.iter().find(|(_, known)| same(known)).map(|(number, _)| *number);
        // RFC 3551 §3, RFC 5761 §4: the dynamic ones, then those that are not assigned and do not look like RTCP.
        let mut others = std::iter::once(wanted).chain(96..=127).chain(35..=63);
        let number = had.or_else(|| others.find(|number| !self.payload_types.contains_key(number)))?;
        self.payload_types.entry(number).or_insert_with(|| codec.clone());
        PayloadType::new(number)
    }

    /// A header extension's number, likewise.
    pub(super) fn extension(&mut self, uri: &str, wanted: u8) -> Option<ExtensionId> {
        let had = self.extensions.iter().find(|(_, known)| ***known == *uri).map(|(number, _)| *number);
        let mut others = std::iter::once(u16::from(wanted)).chain(1..=14).chain(16..=255);
        let number = had.or_else(|| others.find(|number| !self.extensions.contains_key(number)))?;
        self.extensions.entry(number).or_insert_with(|| uri.into());
        ExtensionId::new(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_number_keeps_it_and_what_has_none_gets_a_free_one() {
        let text = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97 120\r\n\
                    a=rtpmap:96 AV1/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:120 VP8/90000\r\n\
                    a=extmap:1 other\r\na=extmap:9 mid\r\n";
        let mut numbers = Numbers::of([Arc::new(text.parse().unwrap())]);
        let mut number = |codec: &Codec, wanted| numbers.payload_type(codec, wanted).unwrap().get();
        assert_eq!(number(&Codec::video("VP8", "max-fs=1"), 96), 120);
        assert_eq!(number(&Codec::video("rtx", "apt=96"), 46), 97);
        assert_eq!(number(&Codec::video("rtx", "apt=120"), 97), 98);
        assert_eq!(number(&Codec::video("H264", ""), 102), 102);
        let mut number = |uri, wanted| numbers.extension(uri, wanted).unwrap().get();
        assert_eq!((number("mid", 1), number("new", 1), number("newer", 3)), (9, 2, 3));
    }
}
