//! What must hold for every description and for any text (RFC 8866 §5, §9).

#[path = "properties/generate.rs"]
mod generate;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use sdp::Description;
use sdp::attribute::Attribute;
use twocan_sdp as sdp;

const FIXTURES: &[&str] = &[
    include_str!("fixtures/chromium-like-offer.sdp"),
    include_str!("fixtures/firefox-like-offer.sdp"),
    include_str!("fixtures/everything.sdp"),
];

/// Pieces that a text is changed with: those that mean something, and those that should not.
const PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    "\0",
    " ",
    "  ",
    ":",
    "=",
    ";",
    ",",
    "/",
    "~",
    "*",
    "-1",
    "0",
    "65536",
    "18446744073709551616",
    "m=audio 9 RTP/AVP 0\r\n",
    "m=",
    "a=",
    "a=mid:0\r\n",
    "a=setup:active\r\n",
    "v=0\r\n",
    "t=0 0\r\n",
    "z=0 0\r\n",
    "a=rtpmap:0 ",
    "a=candidate:",
    "a=simulcast:send ",
    "ë",
    "\u{2028}",
    "é=",
];

/// A change: where (of the text's length), how much goes, and what comes.
fn change() -> impl Strategy<Value = (prop::sample::Index, usize, String)> {
    let piece = prop_oneof![prop::sample::select(PIECES).prop_map(str::to_owned), ".{0,8}"];
    (any::<prop::sample::Index>(), 0..40_usize, piece)
}

fn mutate(text: &str, changes: &[(prop::sample::Index, usize, String)]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (place, gone, piece) in changes {
        let start = place.index(characters.len() + 1);
        let end = (start + gone).min(characters.len());
        characters.splice(start..end, piece.chars());
    }
    characters.into_iter().collect()
}

/// Whatever is read means the same when it is written; what is salvaged can be read.
fn holds(text: &str) -> Result<(), TestCaseError> {
    let read = text.parse::<Description>();
    if let Ok(description) = &read {
        let written = description.to_string();
        prop_assert_eq!(&written.parse::<Description>(), &read);
        for section in description.sections() {
            prop_assert!(section.media.codecs().len() <= 128);
            prop_assert!(section.media.rids().len() <= section.media.attributes.len());
            let _ = (section.ice_credentials(), section.media.ssrcs(), section.direction());
        }
    }
    match Description::salvage(text) {
        Ok((description, faults)) => {
            prop_assert_eq!(description.to_string().parse::<Description>(), Ok(description.clone()));
            prop_assert_eq!(faults.into_iter().next().map_or(Ok(description), Err), read);
        }
        Err(_) => prop_assert!(read.is_err()),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_failure_persistence(FileFailurePersistence::WithSource("regressions")))]

    #[test]
    fn what_is_made_is_written_and_read_back(description in generate::description()) {
        let written = description.to_string();
        prop_assert_eq!(written.parse(), Ok(description), "{}", written);
    }

    #[test]
    fn every_attribute_is_read_back_as_the_same(attribute in generate::attribute()) {
        let written = attribute.to_string();
        prop_assert_eq!(written.parse(), Ok(attribute.clone()), "{}", written);
        prop_assert!(written.starts_with(attribute.name()));
    }

    #[test]
    fn changed_descriptions_are_borne(
        fixture in prop::sample::select(FIXTURES),
        changes in prop::collection::vec(change(), 1..6),
    ) {
        holds(&mutate(fixture, &changes))?;
    }

    #[test]
    fn changed_attributes_are_borne(
        attribute in generate::attribute(),
        changes in prop::collection::vec(change(), 0..3),
    ) {
        let text = mutate(&attribute.to_string(), &changes);
        if let Ok(read) = text.parse::<Attribute>() {
            prop_assert_eq!(read.to_string().parse(), Ok(read), "{}", text);
        }
    }

    #[test]
    fn any_text_is_borne(text in any::<String>(), lines in prop::collection::vec("[a-z]=[ -~]{0,40}", 0..20)) {
        holds(&text)?;
        holds(&lines.join("\n"))?;
        holds(&format!("v=0\no=- 1 1 IN IP4 a\ns=-\n{}", lines.join("\n")))?;
    }
}
