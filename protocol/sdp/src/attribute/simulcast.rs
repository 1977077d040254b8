//! `a=simulcast` (RFC 8853 §5.1): a source in several encodings at once.

use std::fmt;
use std::str::FromStr;

use crate::attribute::rid::{RidDirection, RidId};
use crate::error::Malformed;
use crate::text::write_list;

/// The encodings of a section, in order of preference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Simulcast {
    /// Those sent from here.
    pub send: Vec<SimulcastStream>,
    /// Those wished for here.
    pub recv: Vec<SimulcastStream>,
}

/// One of the streams that are sent at once: one of the alternatives, the first that the other end can do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SimulcastStream {
    first: SimulcastAlternative,
    others: Vec<SimulcastAlternative>,
}

/// An encoding, described by the `a=rid` line of this name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SimulcastAlternative {
    /// Its name.
    pub rid: RidId,
    /// Whether it is not sent to begin with (`~`).
    pub paused: bool,
}

impl Simulcast {
    /// Streams that are sent, each of one encoding.
    pub fn sending(rids: impl IntoIterator<Item = RidId>) -> Self {
        Self { send: rids.into_iter().map(SimulcastStream::from).collect(), recv: Vec::new() }
    }

    /// Streams that are received, each of one encoding.
    pub fn receiving(rids: impl IntoIterator<Item = RidId>) -> Self {
        Self { send: Vec::new(), recv: rids.into_iter().map(SimulcastStream::from).collect() }
    }

    /// The streams of one direction.
    pub fn streams(&self, direction: RidDirection) -> &[SimulcastStream] {
        match direction {
            RidDirection::Send => &self.send,
            RidDirection::Recv => &self.recv,
        }
    }
}

impl SimulcastStream {
    /// A stream with alternatives.
    pub fn new(first: SimulcastAlternative, others: Vec<SimulcastAlternative>) -> Self {
        Self { first, others }
    }

    /// What is preferred.
    pub fn first(&self) -> &SimulcastAlternative {
        &self.first
    }

    /// All alternatives, the preferred one first.
    pub fn alternatives(&self) -> impl Iterator<Item = &SimulcastAlternative> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl From<RidId> for SimulcastStream {
    fn from(rid: RidId) -> Self {
        Self::new(SimulcastAlternative { rid, paused: false }, Vec::new())
    }
}

impl FromStr for Simulcast {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let expected = Malformed("send or recv and a list such as 1,~4;2, once or for both");
        let mut words = text.split_ascii_whitespace();
        let mut simulcast = Self::default();
        while let Some(direction) = words.next() {
            let streams = match direction.parse()? {
                RidDirection::Send => &mut simulcast.send,
                RidDirection::Recv => &mut simulcast.recv,
            };
            if !streams.is_empty() {
                return Err(expected);
            }
            let list = words.next().ok_or(expected)?;
            *streams = list.split(';').map(str::parse).collect::<Result<_, _>>()?;
        }
        Ok(simulcast)
    }
}

impl FromStr for SimulcastStream {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (first, others) = text.split_once(',').map_or((text, None), |(first, rest)| (first, Some(rest)));
        let others = others.iter().flat_map(|others| others.split(',')).map(str::parse);
        Ok(Self { first: first.parse()?, others: others.collect::<Result<_, _>>()? })
    }
}

impl FromStr for SimulcastAlternative {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let paused = text.strip_prefix('~');
        Ok(Self { rid: paused.unwrap_or(text).parse()?, paused: paused.is_some() })
    }
}

impl fmt::Display for Simulcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut space = "";
        for direction in [RidDirection::Send, RidDirection::Recv] {
            let streams = self.streams(direction);
            if !streams.is_empty() {
                write!(f, "{space}{direction} ")?;
                write_list(f, streams, ";")?;
                space = " ";
            }
        }
        Ok(())
    }
}

impl fmt::Display for SimulcastStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, self.alternatives(), ",")
    }
}

impl fmt::Display for SimulcastAlternative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.paused { "~" } else { "" }, self.rid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_and_pauses_are_read_and_written() {
        for text in ["send q;h;f", "recv c", "send 1,~4;2;3 recv c", "send ~a"] {
            assert_eq!(text.parse::<Simulcast>().unwrap().to_string(), text);
        }
        let simulcast: Simulcast = "recv c send 1,~4;2".parse().unwrap();
        assert_eq!(simulcast.to_string(), "send 1,~4;2 recv c");
        let alternatives: Vec<_> =
            simulcast.send[0].alternatives().map(|one| (&*one.rid, one.paused)).collect();
        assert_eq!(alternatives, [("1", false), ("4", true)]);
        assert_eq!(simulcast.streams(RidDirection::Recv)[0].first().rid, "c");
    }

    #[test]
    fn what_is_no_simulcast_is_refused() {
        let texts = [
            "send",
            "send a;",
            "send a,",
            "send a send b",
            "both a",
            " send rid=1,4;2;3 paused=4 recv rid=c",
            "send a b",
        ];
        for text in texts {
            assert!(text.parse::<Simulcast>().is_err(), "{text}");
        }
    }
}
