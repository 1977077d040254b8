//! A session description as a whole (RFC 8866 §5, RFC 9429 §5.2).

use std::fmt;
use std::str::FromStr;

use crate::address::Address;
use crate::attribute::{Attribute, Attributes, Group, GroupSemantics, Mid};
use crate::bandwidth::Bandwidth;
use crate::error::ParseError;
use crate::media::Media;
use crate::origin::Origin;
use crate::parse;
use crate::section::Section;
use crate::text::Text;
use crate::timing::Timing;

#[cfg(test)]
mod tests;

/// An offer or an answer: what holds for the session, and its media sections.
///
/// Each field is valid by itself and is written as a well-formed line. How lines go together (no two sections of
/// one name, no attribute twice that may be there once) is checked when a description is read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Description {
    /// Who made it, and its version: `o=`.
    pub origin: Origin,
    /// Its name, `-` in WebRTC: `s=`.
    pub name: Text,
    /// A title: `i=`.
    pub information: Option<Text>,
    /// Where there is more to know: `u=`.
    pub uri: Option<Text>,
    /// Whom to write to: `e=`.
    pub emails: Vec<Text>,
    /// Whom to call: `p=`.
    pub phones: Vec<Text>,
    /// The address of sections that have none of their own: `c=`.
    pub connection: Option<Address>,
    /// How much may be sent: `b=`.
    pub bandwidths: Vec<Bandwidth>,
    /// When it takes place: `t=`, `r=`, `z=`.
    pub times: Vec<Timing>,
    /// A key: `k=`, obsolete.
    pub key: Option<Text>,
    /// What holds for all sections that do not say otherwise: `a=`.
    pub attributes: Attributes,
    /// The sections, in an order that never changes during a session.
    pub media: Vec<Media>,
}

impl Description {
    /// A description without sections, for all times.
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            name: Text::dash(),
            information: None,
            uri: None,
            emails: Vec::new(),
            phones: Vec::new(),
            connection: None,
            bandwidths: Vec::new(),
            times: vec![Timing::default()],
            key: None,
            attributes: Attributes::default(),
            media: Vec::new(),
        }
    }

    /// The same with one more attribute of the session.
    #[must_use]
    pub fn with(mut self, attribute: impl Into<Attribute>) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// The same with one more section.
    #[must_use]
    pub fn with_media(mut self, media: Media) -> Self {
        self.media.push(media);
        self
    }

    /// Reads what can be read, and tells what could not: for tools that show people what is wrong with a
    /// description. A peer refuses what is malformed, which [`from_str`](Self::from_str) does.
    ///
    /// Lines that are left out are listed, up to [`MAX_FAULTS`](crate::limits::MAX_FAULTS). It fails where nothing
    /// sensible is left: without `v=`, `o=` or `s=`, with a malformed `m=`, over a limit.
    pub fn salvage(text: &str) -> Result<(Self, Vec<ParseError>), ParseError> {
        parse::salvage(text)
    }

    /// The groups of sections.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.attributes.all()
    }

    /// The groups of sections that share a transport.
    pub fn bundle_groups(&self) -> impl Iterator<Item = &Group> {
        self.groups().filter(|group| group.semantics == GroupSemantics::Bundle)
    }

    /// Whether this end only answers connectivity checks (RFC 8445 §2.5).
    pub fn is_ice_lite(&self) -> bool {
        self.attributes.has(&Attribute::IceLite)
    }

    /// A section with what it takes over from the session.
    pub fn section(&self, index: usize) -> Option<Section<'_>> {
        self.media.get(index).map(|media| Section { session: self, media, index })
    }

    /// All sections, each with what it takes over from the session.
    pub fn sections(&self) -> impl Iterator<Item = Section<'_>> {
        self.media.iter().enumerate().map(|(index, media)| Section { session: self, media, index })
    }

    /// The section of a name.
    pub fn section_of(&self, mid: &Mid) -> Option<Section<'_>> {
        self.sections().find(|section| section.media.mid() == Some(mid))
    }
}

impl FromStr for Description {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse::strict(text)
    }
}

/// All lines, in the standard's order, each ended by CRLF.
impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v=0\r\no={}\r\ns={}\r\n", self.origin, self.name)?;
        self.information.iter().try_for_each(|text| write!(f, "i={text}\r\n"))?;
        self.uri.iter().try_for_each(|text| write!(f, "u={text}\r\n"))?;
        self.emails.iter().try_for_each(|text| write!(f, "e={text}\r\n"))?;
        self.phones.iter().try_for_each(|text| write!(f, "p={text}\r\n"))?;
        self.connection.iter().try_for_each(|address| write!(f, "c={address}\r\n"))?;
        self.bandwidths.iter().try_for_each(|bandwidth| write!(f, "b={bandwidth}\r\n"))?;
        self.times.iter().try_for_each(|timing| write!(f, "{timing}"))?;
        self.key.iter().try_for_each(|text| write!(f, "k={text}\r\n"))?;
        self.attributes.iter().try_for_each(|attribute| write!(f, "a={attribute}\r\n"))?;
        self.media.iter().try_for_each(|media| write!(f, "{media}"))
    }
}
