//! A restart of ICE over HTTP (RFC 9725 §4.3.3): what is sent, and the answer that comes of what is answered.

use sdp::attribute::{Attribute, Attributes, Candidate, Password, Ufrag};
use sdp::{Description, Fragment, Media};

/// The fragment with an offer's credentials and candidates.
pub(super) fn fragment(offer: &str) -> Option<String> {
    let offer: Description = offer.parse().ok()?;
    let section = offer.sections().find(|section| !section.media.is_rejected())?;
    let own = section.ice_credentials()?;
    let mut media = section.media.mid().cloned().into_iter().fold(Fragment::pseudo_media(), Media::with);
    media = section.media.candidates().cloned().fold(media, Media::with);
    let attributes = [Attribute::from(own.ufrag.clone()), Attribute::from(own.password.clone())];
    Some(Fragment { attributes: Attributes(attributes.to_vec()), media: vec![media] }.to_string())
}

/// The last answer with the credentials and candidates of a fragment.
pub(super) fn answer(last: &str, fragment: &str) -> Option<String> {
    let fragment: Fragment = fragment.parse().ok()?;
    let mut levels =
        std::iter::once(&fragment.attributes).chain(fragment.media.iter().map(|media| &media.attributes));
    let (ufrag, password) =
        levels.find_map(|level| Some((level.get::<Ufrag>()?.clone(), level.get::<Password>()?.clone())))?;
    let mut answer: Description = last.parse().ok()?;
    let candidates: Vec<Candidate> = fragment.media.iter().flat_map(Media::candidates).cloned().collect();
    for media in answer.media.iter_mut().filter(|media| !media.is_rejected()) {
        media.attributes.set(ufrag.clone());
        media.attributes.set(password.clone());
        if !candidates.is_empty() {
            media.attributes.remove::<Candidate>();
            for candidate in &candidates {
                media.attributes.0.push(candidate.clone().into());
            }
        }
    }
    Some(answer.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-lite\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:old1\r\n\
        a=ice-pwd:oldoldoldoldoldoldoldold\r\na=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\n\
        a=rtpmap:111 opus/48000/2\r\na=recvonly\r\n";

    #[test]
    fn what_is_answered_takes_the_place_of_what_was() {
        let said = fragment(ANSWER).unwrap();
        assert!(said.contains("a=ice-ufrag:old1") && said.contains("a=candidate:1 1 "), "{said}");
        let new = said.replace("old1", "new1").replace("oldold", "newnew").replace("192.0.2.1", "192.0.2.2");
        let next = answer(ANSWER, &new).unwrap();
        assert!(next.contains("a=ice-ufrag:new1") && !next.contains("old1"), "{next}");
        assert!(next.contains("192.0.2.2") && !next.contains("192.0.2.1"), "{next}");
        assert!(next.contains("a=rtpmap:111 opus/48000/2"));
        assert_eq!(answer(ANSWER, "a=ice-ufrag:lonely\r\n"), None);
    }
}
