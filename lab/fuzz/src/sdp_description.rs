//! Reading a session description and writing it again (RFC 8866 §5, RFC 8840 §9): it says the same.

use sdp::attribute::Attribute;
use sdp::limits::{MAX_BYTES, MAX_FAULTS};
use sdp::{Description, Fragment, Section};

pub(super) fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = text.parse::<Description>();
    if let Ok(description) = &read {
        assert!(text.len() <= MAX_BYTES);
        survives(description);
        description.sections().for_each(|section| views(&section));
    }
    match Description::salvage(&text) {
        Ok((description, faults)) => {
            assert!(faults.len() <= MAX_FAULTS);
            survives(&description);
            assert_eq!(faults.into_iter().next().map_or(Ok(description), Err), read);
        }
        Err(error) => assert!(read.is_err(), "{error}"),
    }
    if let Ok(fragment) = text.parse::<Fragment>() {
        assert_eq!(fragment.to_string().parse(), Ok(fragment));
    }
    if let Ok(attribute) = text.parse::<Attribute>() {
        assert_eq!(attribute.to_string().parse(), Ok(attribute));
    }
}

fn survives(description: &Description) {
    assert_eq!(description.to_string().parse().as_ref(), Ok(description));
}

/// What peers look at: none of it is longer than what it was made from.
fn views(section: &Section<'_>) {
    let (media, lines) = (section.media, section.media.attributes.len());
    assert!(media.codecs().len() <= media.formats.len().min(128));
    assert!(media.rids().len() <= lines && media.ssrcs().len() <= lines);
    assert!(media.candidates().all(|candidate| !candidate.contains('\n')));
    let _ = (section.ice_credentials(), section.setup(), section.direction(), section.connection());
    let _ = (section.fingerprints().count(), section.extmaps().count(), section.is_end_of_candidates());
    let _ = (media.sctp_port(), media.max_message_size().limit(), media.is_rejected(), media.rejected());
}
