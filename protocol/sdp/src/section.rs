//! A media section as a peer sees it: with what it takes over from the session (RFC 8839 §5.4, RFC 8842 §5.2,
//! RFC 8866 §5.13).

use crate::address::Address;
use crate::attribute::{
    Attribute, Attributes, Direction, Extmap, Fingerprint, IceCredentials, IceOptions, IcePacing, Password,
    Setup, TlsId, Typed, Ufrag,
};
use crate::description::Description;
use crate::media::Media;

/// A media section and its session.
///
/// What a section says itself goes before what its session says. What it would take over from other sections of a
/// BUNDLE group is the peer's to know, since that depends on offer and answer (RFC 9143 §7.1.3).
///
/// ```
/// # use twocan_sdp::{Description, attribute::Setup};
/// let text = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=setup:actpass\r\n\
///     m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=setup:active\r\n";
/// let description: Description = text.parse().unwrap();
/// let setups: Vec<_> = description.sections().map(|section| section.setup()).collect();
/// assert_eq!(setups, [Some(Setup::ActPass), Some(Setup::Active)]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Section<'a> {
    /// What it is a section of.
    pub session: &'a Description,
    /// What it says itself.
    pub media: &'a Media,
    /// Its place, from 0.
    pub index: usize,
}

impl<'a> Section<'a> {
    /// Its username fragment and password. Both come from one level: a section that gives only one of them has
    /// none.
    pub fn ice_credentials(&self) -> Option<IceCredentials<'a>> {
        let own = &self.media.attributes;
        let is_own = own.get::<Ufrag>().is_some() || own.get::<Password>().is_some();
        if is_own { own.ice_credentials() } else { self.session.attributes.ice_credentials() }
    }

    /// Whether an extension of ICE is understood, such as [`IceOptions::TRICKLE`].
    pub fn has_ice_option(&self, tag: &str) -> bool {
        self.all::<IceOptions>().any(|options| options.has(tag))
    }

    /// The shortest time between two of the other end's connectivity checks.
    pub fn ice_pacing(&self) -> Option<IcePacing> {
        self.get().copied()
    }

    /// Whether no more candidates come, for this section or for all.
    pub fn is_end_of_candidates(&self) -> bool {
        self.media.is_end_of_candidates() || self.session.attributes.has(&Attribute::EndOfCandidates)
    }

    /// The certificates that may be shown.
    pub fn fingerprints(&self) -> impl Iterator<Item = &'a Fingerprint> + use<'a> {
        self.all()
    }

    /// Who starts the DTLS handshake.
    pub fn setup(&self) -> Option<Setup> {
        self.get().copied()
    }

    /// Which DTLS association is meant.
    pub fn tls_id(&self) -> Option<&'a TlsId> {
        self.get()
    }

    /// Which way media flows: both ways where nothing is said (RFC 3264 §5.1).
    pub fn direction(&self) -> Direction {
        self.get().copied().unwrap_or_default()
    }

    /// Header extensions: its own, or else the session's; the two are not mixed (RFC 8285 §5).
    pub fn extmaps(&self) -> impl Iterator<Item = &'a Extmap> + use<'a> {
        self.all()
    }

    /// Whether header extensions of both forms may be mixed (RFC 8285 §6).
    pub fn has_extmap_allow_mixed(&self) -> bool {
        let mixed = Attribute::ExtmapAllowMixed;
        self.media.attributes.has(&mixed) || self.session.attributes.has(&mixed)
    }

    /// Whether encrypted headers can be read (RFC 9335 §4).
    pub fn has_cryptex(&self) -> bool {
        let cryptex = Attribute::Cryptex;
        self.media.attributes.has(&cryptex) || self.session.attributes.has(&cryptex)
    }

    /// The default candidate's address.
    pub fn connection(&self) -> Option<&'a Address> {
        self.media.connections.first().or(self.session.connection.as_ref())
    }

    /// The first of a type, from the section or else from the session.
    fn get<T: Typed + 'a>(&self) -> Option<&'a T> {
        self.media.attributes.get().or_else(|| self.session.attributes.get())
    }

    /// All of a type, from the section or else from the session.
    fn all<T: Typed + 'a>(&self) -> impl Iterator<Item = &'a T> + use<'a, T> {
        let level: &'a Attributes = match self.media.attributes.get::<T>() {
            Some(_) => &self.media.attributes,
            None => &self.session.attributes,
        };
        level.all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        a=ice-ufrag:sess\r\na=ice-pwd:sessionsessionsession00\r\na=ice-options:trickle\r\na=recvonly\r\n\
        a=fingerprint:x 00\r\na=fingerprint:y 11\r\na=extmap:1 session\r\na=end-of-candidates\r\n\
        a=tls-id:01234567890123456789\r\na=extmap-allow-mixed\r\n";

    #[test]
    fn a_section_takes_over_what_it_does_not_say() {
        let text = format!("{SESSION}m=video 9 RTP/AVP 96\r\n");
        let description: Description = text.parse().unwrap();
        let section = description.section(0).unwrap();
        assert_eq!(*section.ice_credentials().unwrap().ufrag, "sess");
        assert!(section.has_ice_option("trickle") && section.is_end_of_candidates());
        assert!(section.has_extmap_allow_mixed());
        assert_eq!(section.direction(), Direction::RecvOnly);
        assert_eq!(section.fingerprints().count(), 2);
        assert_eq!(section.extmaps().map(|extmap| &*extmap.uri).collect::<Vec<_>>(), ["session"]);
        assert_eq!(*section.tls_id().unwrap(), "01234567890123456789");
        assert_eq!(section.connection().unwrap().host, "192.0.2.1");
        assert_eq!((section.setup(), section.ice_pacing()), (None, None));
    }

    #[test]
    fn what_it_says_goes_before() {
        let text = format!(
            "{SESSION}m=video 9 RTP/AVP 96\r\nc=IN IP4 192.0.2.2\r\na=ice-ufrag:mine\r\n\
             a=ice-pwd:mineminemineminemine00\r\na=ice-options:ice2\r\na=sendonly\r\na=fingerprint:z 22\r\na=extmap:2 own\r\n"
        );
        let description: Description = text.parse().unwrap();
        let section = description.section(0).unwrap();
        assert_eq!(*section.ice_credentials().unwrap().ufrag, "mine");
        assert!(!section.has_ice_option("trickle") && section.has_ice_option("ice2"));
        assert_eq!(section.direction(), Direction::SendOnly);
        assert_eq!(section.fingerprints().next().unwrap().bytes(), [0x22]);
        assert_eq!(section.fingerprints().count(), 1);
        assert_eq!(section.extmaps().map(|extmap| &*extmap.uri).collect::<Vec<_>>(), ["own"]);
        assert_eq!(section.connection().unwrap().host, "192.0.2.2");
    }

    #[test]
    fn a_fragment_and_a_password_of_two_levels_do_not_go_together() {
        let text = format!("{SESSION}m=video 9 RTP/AVP 96\r\na=ice-ufrag:mine\r\n");
        let description: Description = text.parse().unwrap();
        assert_eq!(description.section(0).unwrap().ice_credentials(), None);
    }
}
