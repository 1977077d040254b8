use crate::attribute::{Attribute, Group, GroupSemantics};
use crate::{Description, Media, MediaKind, Origin, Protocol};

#[test]
fn a_new_description_is_what_jsep_wants() {
    let description = Description::new(Origin::new(7));
    assert_eq!(description.to_string(), "v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
    assert_eq!(description.to_string().parse(), Ok(description));
}

#[test]
fn groups_are_told_apart() {
    let text = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:LS a b\r\na=group:BUNDLE a\r\na=group:BUNDLE b\r\n";
    let description: Description = text.parse().unwrap();
    assert_eq!(description.groups().count(), 3);
    let bundles: Vec<&Group> = description.bundle_groups().collect();
    assert_eq!(bundles.iter().map(|group| &*group.mids[0]).collect::<Vec<_>>(), ["a", "b"]);
    assert!(bundles.iter().all(|group| group.semantics == GroupSemantics::Bundle));
}

#[test]
fn sections_keep_their_places() {
    let description = Description::new(Origin::new(7))
        .with(Attribute::IceLite)
        .with_media(Media::rtp(MediaKind::Audio, "x".parse().unwrap()))
        .with_media(Media::new(MediaKind::Image, Protocol::RtpAvp));
    assert!(description.is_ice_lite());
    assert_eq!(description.sections().map(|section| section.index).collect::<Vec<_>>(), [0, 1]);
    assert!(description.section(2).is_none());
    assert!(description.section_of(&"y".parse().unwrap()).is_none());
}
