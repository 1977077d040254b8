//! `a=rid` (RFC 8851 §10): one encoding of a source, and what bounds it.

use std::fmt;
use std::str::FromStr;

use crate::attribute::rtpmap::PayloadType;
use crate::error::Malformed;
use crate::text::{checked_string, write_list};

checked_string! {
    /// The name of an encoding within its section (RFC 8852 §3.1 bounds it to what an SDES item carries).
    RidId, "1 to 255 letters, digits, - or _", |text| {
        (1..=255).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    }
}

/// Which way an encoding goes, as seen by the one who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RidDirection {
    /// From here.
    Send,
    /// To here.
    Recv,
}

/// An encoding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rid {
    /// Its name.
    pub id: RidId,
    /// Which way it goes.
    pub direction: RidDirection,
    /// Its payload types; any of the section if there are none.
    pub payload_types: Vec<PayloadType>,
    /// What bounds it, in order: `max-width=1280`, `max-fps=30`, `depend=1,2`, …
    pub restrictions: Vec<Restriction>,
}

checked_string! {
    /// A bound: a name, and mostly a value.
    ///
    /// The payload types are not one of them: [`Rid::payload_types`].
    Restriction, "a restriction, such as max-width=1280", |text| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        !name.is_empty()
            && name != "pt"
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && value.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b';')
            && !value.ends_with(' ')
    }
}

impl Restriction {
    /// What is bounded.
    pub fn name(&self) -> &str {
        self.split_once('=').map_or(self, |(name, _)| name)
    }

    /// By what.
    pub fn value(&self) -> Option<&str> {
        self.split_once('=').map(|(_, value)| value)
    }
}

impl Rid {
    /// An encoding without bounds.
    pub fn new(id: RidId, direction: RidDirection) -> Self {
        Self { id, direction, payload_types: Vec::new(), restrictions: Vec::new() }
    }

    /// The value of a restriction.
    pub fn restriction(&self, name: &str) -> Option<&str> {
        self.restrictions.iter().find(|restriction| restriction.name() == name)?.value()
    }
}

impl RidDirection {
    /// The same, seen from the other end.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Send => Self::Recv,
            Self::Recv => Self::Send,
        }
    }
}

impl FromStr for RidDirection {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        match text {
            "send" => Ok(Self::Send),
            "recv" => Ok(Self::Recv),
            _ => Err(Malformed("send or recv")),
        }
    }
}

impl fmt::Display for RidDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Send => "send",
            Self::Recv => "recv",
        })
    }
}

impl FromStr for Rid {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut parts = text.splitn(3, ' ');
        let (Some(id), Some(direction)) = (parts.next(), parts.next()) else {
            return Err(Malformed("a name, send or recv, and restrictions or none"));
        };
        let mut rid = Self::new(id.parse()?, direction.parse()?);
        let Some(list) = parts.next().map(str::trim_ascii).filter(|list| !list.is_empty()) else {
            return Ok(rid);
        };
        let mut items = list.split(';').map(str::trim_ascii).peekable();
        if let Some(formats) = items.peek().and_then(|first| first.strip_prefix("pt=")) {
            rid.payload_types = formats.split(',').map(str::parse).collect::<Result<_, _>>()?;
            items.next();
        }
        rid.restrictions = items.map(str::parse).collect::<Result<_, _>>()?;
        Ok(rid)
    }
}

impl fmt::Display for Rid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.direction)?;
        if !self.payload_types.is_empty() {
            f.write_str(" pt=")?;
            write_list(f, &self.payload_types, ",")?;
        }
        if !self.restrictions.is_empty() {
            f.write_str(if self.payload_types.is_empty() { " " } else { ";" })?;
            write_list(f, &self.restrictions, ";")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_read_and_written() {
        for text in [
            "q send",
            "1 send pt=97,98;max-width=1280;max-fps=30",
            "2 recv max-br=1;depend=1,2",
            "c recv pt=97",
        ] {
            assert_eq!(text.parse::<Rid>().unwrap().to_string(), text);
        }
        let rid: Rid = "1 send pt=97; max-width=1280;max-bpp".parse().unwrap();
        assert_eq!((rid.payload_types.len(), rid.restriction("max-width")), (1, Some("1280")));
        assert_eq!(rid.restriction("max-bpp"), None);
    }

    #[test]
    fn what_is_no_encoding_is_refused() {
        for text in
            ["", "q", "q both", "ë send", "q send pt=300", "q send =5", "q send max-fps=30;pt=97", "q send ;"]
        {
            assert!(text.parse::<Rid>().is_err(), "{text}");
        }
    }
}
