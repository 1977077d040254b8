//! Reading a description line by line (RFC 8866 §5, RFC 9429 §5.8).

use std::collections::BTreeSet;
use std::mem::discriminant;

use crate::attribute::{Attribute, Attributes, Mid};
use crate::description::Description;
use crate::error::{Malformed, ParseError, Reason};
use crate::fragment::Fragment;
use crate::limits::{MAX_BYTES, MAX_FAULTS, MAX_LINES, MAX_SECTIONS};
use crate::media::{self, Media};
use crate::origin::Origin;

mod unique;

#[cfg(test)]
mod tests;

use unique::Unique;

/// Lines that may stand before the first section, and in one.
const SESSION_LINES: &str = "v= o= s= i= u= e= p= c= b= t= r= z= k= a= m=";
const MEDIA_LINES: &str = "i= c= b= k= a= m=";

/// Refuses the whole if a line is malformed.
pub(crate) fn strict(text: &str) -> Result<Description, ParseError> {
    let mut parser = Parser::default();
    read(text, |line, text| {
        parser.line(text).map_err(|reason| ParseError::new(line, text, reason))?;
        Ok(())
    })?;
    parser.finish(text)
}

/// Leaves malformed lines out and tells which.
pub(crate) fn salvage(text: &str) -> Result<(Description, Vec<ParseError>), ParseError> {
    let (mut parser, mut faults) = (Parser::default(), Vec::new());
    read(text, |line, text| {
        let Err(reason) = parser.line(text) else { return Ok(()) };
        // Without its first line a section's others would go to the one before.
        if text.starts_with("m=") {
            return Err(ParseError::new(line, text, reason));
        }
        if faults.len() == MAX_FAULTS {
            let reason = Reason::TooMuch { what: "malformed lines", limit: MAX_FAULTS };
            return Err(ParseError::new(line, text, reason));
        }
        faults.push(ParseError::new(line, text, reason));
        Ok(())
    })?;
    Ok((parser.finish(text)?, faults))
}

/// Reads the lines of a fragment, which has nothing but attributes and sections.
pub(crate) fn fragment(text: &str) -> Result<Fragment, ParseError> {
    let mut parser = Parser::default();
    read(text, |line, text| {
        let is_allowed = text.starts_with("a=") || text.starts_with("m=") || !parser.media.is_empty();
        let read = if is_allowed { parser.line(text) } else { Err(Reason::UnknownType("a= m=")) };
        read.map_err(|reason| ParseError::new(line, text, reason))
    })?;
    Ok(Fragment { attributes: parser.session.attributes, media: parser.media })
}

/// Hands each line that is not empty on, with its number. Line breaks may be LF only, the last one may be missing,
/// and lines may be indented.
fn read<'a>(
    text: &'a str,
    mut each: impl FnMut(usize, &'a str) -> Result<(), ParseError>,
) -> Result<(), ParseError> {
    if text.len() > MAX_BYTES {
        return Err(ParseError::new(1, "", Reason::TooMuch { what: "bytes", limit: MAX_BYTES }));
    }
    for (index, line) in text.split('\n').enumerate() {
        if index >= MAX_LINES {
            let reason = Reason::TooMuch { what: "lines", limit: MAX_LINES };
            return Err(ParseError::new(index + 1, line, reason));
        }
        let line = line.strip_suffix('\r').unwrap_or(line).trim_start_matches([' ', '\t']);
        if !line.is_empty() {
            each(index + 1, line)?;
        }
    }
    Ok(())
}

struct Parser {
    /// The session's lines, with what stands for those that are still missing.
    session: Description,
    media: Vec<Media>,
    /// Which letters this level has had, as bits from `a`.
    letters: u32,
    /// The same of the session, once there is a section.
    session_letters: Option<u32>,
    /// What this level must not say twice.
    unique: Unique,
    mids: BTreeSet<Mid>,
}

impl Default for Parser {
    fn default() -> Self {
        let mut session = Description::new(Origin::new(0));
        session.times.clear();
        Self {
            session,
            media: Vec::new(),
            letters: 0,
            session_letters: None,
            unique: Unique::default(),
            mids: BTreeSet::new(),
        }
    }
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<(), Reason> {
        let (letter, value) = match line.as_bytes() {
            [letter @ b'a'..=b'z', b'=', ..] => (*letter, &line[2..]),
            _ => return Err(Reason::NotALine),
        };
        match (letter, self.media.last_mut()) {
            (b'm', _) => self.start_section(value),
            (b'a', None) => Self::attribute(value, &mut self.session.attributes, &mut self.unique),
            (b'a', Some(media)) => {
                let attributes = &mut media.attributes;
                Self::attribute(value, attributes, &mut self.unique)?;
                let Some(Attribute::Mid(mid)) = attributes.last() else { return Ok(()) };
                if self.mids.insert(mid.clone()) {
                    return Ok(());
                }
                attributes.pop();
                Err(Reason::Repeated("the a=mid of another section"))
            }
            (_, None) => self.session_line(letter, value),
            (_, Some(_)) => self.media_line(letter, value),
        }
    }

    fn session_line(&mut self, letter: u8, value: &str) -> Result<(), Reason> {
        let session = &mut self.session;
        match letter {
            b'v' if self.letters != 0 => {
                return Err(Reason::Misplaced { what: "v=", expected: "once, as the first line" });
            }
            b'v' if value.trim_ascii() != "0" => {
                return Err(Reason::Malformed { what: "v=", expected: "0, the only version there is" });
            }
            b'v' => {}
            b'o' => session.origin = given("o=", value.parse())?,
            b's' => session.name = given("s=", value.parse())?,
            b'i' => session.information = Some(given("i=", value.parse())?),
            b'u' => session.uri = Some(given("u=", value.parse())?),
            b'e' => session.emails.push(given("e=", value.parse())?),
            b'p' => session.phones.push(given("p=", value.parse())?),
            b'c' => session.connection = Some(given("c=", value.parse())?),
            b'b' => session.bandwidths.push(given("b=", value.parse())?),
            b't' => session.times.push(given("t=", value.parse())?),
            b'r' | b'z' => return self.repeat_line(letter, value.trim_ascii_end()),
            b'k' => session.key = Some(given("k=", value.parse())?),
            _ => return Err(Reason::UnknownType(SESSION_LINES)),
        }
        self.note(letter)
    }

    /// `r=` and `z=` belong to the `t=` before them.
    fn repeat_line(&mut self, letter: u8, value: &str) -> Result<(), Reason> {
        let Some(timing) = self.session.times.last_mut() else {
            return Err(Reason::Misplaced { what: "r= or z=", expected: "a line t= before it" });
        };
        match letter {
            b'r' => timing.repeats.push(given("r=", value.parse())?),
            _ if timing.zones.is_some() => return Err(Reason::Repeated("z=")),
            _ => timing.zones = Some(given("z=", value.parse())?),
        }
        Ok(())
    }

    fn media_line(&mut self, letter: u8, value: &str) -> Result<(), Reason> {
        let Some(media) = self.media.last_mut() else { return Ok(()) };
        match letter {
            b'i' => media.information = Some(given("i=", value.parse())?),
            b'c' => media.connections.push(given("c=", value.parse())?),
            b'b' => media.bandwidths.push(given("b=", value.parse())?),
            b'k' => media.key = Some(given("k=", value.parse())?),
            _ => return Err(Reason::UnknownType(MEDIA_LINES)),
        }
        // Layered multicast has several addresses in a section (RFC 8866 §5.7).
        if letter == b'c' { Ok(()) } else { self.note(letter) }
    }

    /// Refuses a second line of a letter that may be there once.
    fn note(&mut self, letter: u8) -> Result<(), Reason> {
        let what = match letter {
            b'o' => "o=",
            b's' => "s=",
            b'i' => "i=",
            b'u' => "u=",
            b'c' => "c=",
            b'k' => "k=",
            _ => "",
        };
        let bit = 1 << (letter - b'a');
        if self.letters & bit != 0 && !what.is_empty() {
            return Err(Reason::Repeated(what));
        }
        self.letters |= bit;
        Ok(())
    }

    fn start_section(&mut self, value: &str) -> Result<(), Reason> {
        if self.media.len() == MAX_SECTIONS {
            return Err(Reason::TooMuch { what: "media sections", limit: MAX_SECTIONS });
        }
        self.media.push(given("m=", media::parse_line(value))?);
        self.session_letters.get_or_insert(self.letters);
        self.letters = 0;
        self.unique = Unique::default();
        Ok(())
    }

    fn attribute(text: &str, attributes: &mut Attributes, unique: &mut Unique) -> Result<(), Reason> {
        let attribute = Attribute::read(text)
            .map_err(|(what, Malformed(expected))| Reason::Malformed { what, expected })?;
        if let Some(what) = attribute.once()
            && attributes.iter().any(|other| discriminant(other) == discriminant(&attribute))
        {
            return Err(Reason::Repeated(what));
        }
        unique.admit(&attribute, attributes)?;
        attributes.0.push(attribute);
        Ok(())
    }

    /// The description, if nothing is missing.
    fn finish(mut self, text: &str) -> Result<Description, ParseError> {
        let letters = self.session_letters.unwrap_or(self.letters);
        for (letter, what) in [(b'v', "v=0"), (b'o', "o="), (b's', "s=")] {
            if letters & 1 << (letter - b'a') == 0 {
                let last = text.lines().take_while(|line| !line.starts_with("m=")).enumerate().last();
                let (index, line) = last.unwrap_or_default();
                return Err(ParseError::new(index + 1, line, Reason::Missing(what)));
            }
        }
        // Descriptions are kept as long as their session lasts.
        self.media.shrink_to_fit();
        self.media.iter_mut().for_each(|media| media.attributes.0.shrink_to_fit());
        self.session.attributes.0.shrink_to_fit();
        Ok(Description { media: self.media, ..self.session })
    }
}

fn given<T>(what: &'static str, value: Result<T, Malformed>) -> Result<T, Reason> {
    value.map_err(|Malformed(expected)| Reason::Malformed { what, expected })
}
