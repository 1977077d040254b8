//! Our own example descriptions: read, understood, and written back byte for byte.

use sdp::attribute::{Direction, Feedback, HashFunction, IceOptions, RidDirection, Setup};
use sdp::{Description, MediaKind, Protocol};
use twocan_sdp as sdp;

const CHROMIUM: &str = include_str!("fixtures/chromium-like-offer.sdp");
const FIREFOX: &str = include_str!("fixtures/firefox-like-offer.sdp");
const TUTORIAL: &str = include_str!("fixtures/tutorial.sdp");
const EVERYTHING: &str = include_str!("fixtures/everything.sdp");

fn read(text: &str) -> Description {
    let description: Description = text.parse().unwrap();
    assert_eq!(description.to_string(), text);
    description
}

#[test]
fn a_tutorial_s_description_gives_its_codec_and_candidates() {
    let description = read(TUTORIAL);
    let media = &description.media[0];
    let codecs = media.codecs();
    assert_eq!((codecs.len(), codecs[0].name, codecs[0].clock_rate), (1, "PCMU", 8000));
    let candidates: Vec<&str> = media.candidates().map(sdp::attribute::Candidate::as_str).collect();
    assert_eq!(candidates[0], "1 1 UDP 2122260223 192.168.1.101 49170 typ host");
    assert!(candidates[1].contains("typ srflx") && candidates[2].contains("typ relay"));
    assert_eq!(candidates.len(), 3);
    assert!(description.section(0).unwrap().has_ice_option(IceOptions::TRICKLE));
}

#[test]
fn an_offer_in_chromium_s_manner_is_understood() {
    let description = read(CHROMIUM);
    let bundle = description.bundle_groups().next().unwrap();
    assert_eq!(bundle.mids.len(), 3);
    for (section, mid) in description.sections().zip(&bundle.mids) {
        assert_eq!(section.media.mid(), Some(mid));
        assert_eq!(section.ice_credentials().unwrap().ufrag.as_str(), "tE5q");
        assert_eq!(section.fingerprints().next().unwrap().hash(), &HashFunction::Sha256);
        assert_eq!((section.setup(), section.direction()), (Some(Setup::ActPass), Direction::SendRecv));
        assert_eq!(section.media.candidates().count(), 4);
    }
    let video = &description.media[1];
    let codecs = video.codecs();
    assert_eq!(codecs.len(), video.formats.len());
    assert!(codecs[0].is("vp8") && codecs[0].has_feedback(&Feedback::NackPli));
    assert_eq!(codecs[1].retransmits(), Some(codecs[0].payload_type));
    assert_eq!(video.extmaps().count(), 8);
    assert_eq!(video.simulcast().unwrap().streams(RidDirection::Send).len(), 3);
    assert_eq!(video.rids().len(), 3);
    let audio = &description.media[0];
    assert_eq!(audio.ssrc_attribute(audio.ssrcs()[0], "cname"), Some("Qm3vT0sYx9KdLrPe"));
    let data = &description.media[2];
    assert_eq!((&data.kind, &data.protocol), (&MediaKind::Application, &Protocol::UdpDtlsSctp));
    assert_eq!(data.max_message_size().limit(), Some(262_144));
    assert_eq!(data.sctp_port().unwrap().0, 5000);
}

#[test]
fn an_offer_in_firefox_s_manner_is_understood() {
    let description = read(FIREFOX);
    let sections: Vec<_> = description.sections().collect();
    assert!(sections.iter().all(|section| section.has_ice_option("trickle")));
    assert!(sections.iter().all(|section| section.fingerprints().count() == 1));
    let video = sections[1].media;
    assert!(video.is_bundle_only() && !video.is_rejected());
    let simulcast = video.simulcast().unwrap();
    assert!(!simulcast.send[0].first().paused && simulcast.send[1].first().paused);
    assert_eq!(video.rids()[1].restriction("max-width"), Some("320"));
    assert_eq!(video.ssrc_groups().next().unwrap().ssrcs, video.ssrcs());
    assert_eq!(sections[2].media.sctp_init().unwrap().chunk()[0], 1);
}

#[test]
fn every_line_of_the_grammar_is_kept() {
    let description = read(EVERYTHING);
    assert_eq!(description.times.len(), 2);
    assert_eq!(description.media[0].connections.len(), 2);
    assert_eq!(description.bandwidths[1].bits_per_second(), Some(120_000));
    assert_eq!(description.media[0].attributes.other("quality").unwrap().value(), Some("10"));
}

#[test]
fn line_ends_and_indentation_do_not_matter() {
    for text in [CHROMIUM, FIREFOX, TUTORIAL, EVERYTHING] {
        let expected: Description = text.parse().unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for other in [
            lines.join("\n"),
            format!("\n\n{}\n\n", lines.join("\n\n")),
            lines.iter().map(|line| format!("    {line}\n")).collect(),
        ] {
            assert_eq!(other.parse(), Ok(expected.clone()), "{other}");
        }
    }
}
