//! Transceivers: what is sent and what is received in one section (W3C webrtc-pc §5.1, §5.2, §5.4; RFC 9429 §3.4.1).

use std::fmt;
use std::sync::Arc;

use rtp::Ssrc;
use sdp::attribute::{Direction, Mid, RidId};

use super::agreement::Agreement;
use super::codec::{Codec, MediaKind};
use crate::limits;

/// A transceiver of a peer connection; by default the first that one makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransceiverId(pub(crate) u32);

impl TransceiverId {
    /// Its number, for who keeps it in few bytes.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The one that has this number; nobody's, where [`number`](Self::number) has not given it.
    pub fn of_number(number: u32) -> Self {
        Self(number)
    }
}

/// How a transceiver begins (`RTCRtpTransceiverInit`).
#[derive(Clone, Debug, PartialEq)]
pub struct TransceiverInit {
    /// Which way media shall flow, seen from here.
    pub direction: Direction,
    /// The streams of tracks that what is sent belongs to, by their names.
    pub streams: Vec<Box<str>>,
    /// The name of the track that is sent; one is made up where there is none.
    pub track: Option<Box<str>>,
    /// The encodings that are sent, at most [`limits::ENCODINGS`]; one without a name where there is none.
    pub encodings: Vec<EncodingInit>,
}

/// An encoding that shall be sent (`RTCRtpEncodingParameters`).
#[derive(Clone, Debug, PartialEq)]
pub struct EncodingInit {
    /// Its name; each has one where there are several.
    pub rid: Option<Box<str>>,
    /// Whether it is sent.
    pub active: bool,
    /// Bits per second at most.
    pub max_bitrate: Option<u64>,
    /// Frames per second at most.
    pub max_framerate: Option<f64>,
    /// By how much width and height are divided: 1 or more.
    pub scale_resolution_down_by: f64,
    /// Spatial and temporal layers, such as `L1T3` (W3C webrtc-svc).
    pub scalability_mode: Option<Box<str>>,
}

/// An encoding that is sent, with the sources that carry it.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    /// Its bounds, and whether it is sent.
    pub init: EncodingInit,
    /// Its packets.
    pub ssrc: Ssrc,
    /// Their retransmissions.
    pub retransmission: Ssrc,
}

/// Whether a transceiver ends (`stop()`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stopping {
    /// It goes on.
    #[default]
    No,
    /// It was stopped here, and the peer does not know yet.
    Asked,
    /// Both know.
    Done,
}

/// Why a transceiver was not made, or not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadTransceiver {
    /// `close` was called.
    Closed,
    /// The configuration has no [`media`](crate::Configuration::media).
    NoMedia,
    /// There is no such transceiver, or it was stopped.
    Stopped,
    /// As many as there may be.
    TooMany,
    /// More encodings than [`limits::ENCODINGS`], one of several without a name or with another's, or one that is no
    /// name: 1 to 255 letters, digits, - or _.
    Encodings,
    /// None of these codecs, besides retransmission and the like, can be used here.
    Codecs,
}

impl fmt::Display for BadTransceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the peer connection is closed",
            Self::NoMedia => "the configuration has no media: set `media` when the connection is made",
            Self::Stopped => "the transceiver was stopped: add another one",
            Self::TooMany => {
                return write!(f, "there are {} transceivers: stop one first", limits::TRANSCEIVERS);
            }
            Self::Encodings => "each of several encodings needs a rid of its own: letters, digits, - or _",
            Self::Codecs => "none of these codecs can be used: take them from MediaCapabilities",
        })
    }
}

impl std::error::Error for BadTransceiver {}

/// Sends and receives one medium.
#[derive(Clone, Debug)]
pub struct Transceiver {
    id: TransceiverId,
    kind: MediaKind,
    direction: Direction,
    pub(crate) stopping: Stopping,
    preferences: Vec<Codec>,
    pub(crate) streams: Vec<Box<str>>,
    pub(crate) track: Box<str>,
    encodings: Vec<Encoding>,
    /// Made to send a track, so that a section of the peer's may take it (RFC 9429 §5.10).
    pub(crate) sends_track: bool,
    /// Made for a section of the peer's.
    pub(crate) is_of_peer: bool,
    pub(crate) place: Option<Place>,
    pub(crate) agreement: Option<Arc<Agreement>>,
    pub(crate) remote: Option<Remote>,
}

/// Where a transceiver stands in descriptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The section's place, from 0.
    pub(crate) index: usize,
    /// The section's name.
    pub(crate) mid: Mid,
}

/// What the peer calls that which it sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Remote {
    pub(crate) streams: Vec<Box<str>>,
    pub(crate) track: Box<str>,
}

impl Default for TransceiverInit {
    fn default() -> Self {
        Self { direction: Direction::SendRecv, streams: Vec::new(), track: None, encodings: Vec::new() }
    }
}

impl Default for EncodingInit {
    fn default() -> Self {
        Self {
            rid: None,
            active: true,
            max_bitrate: None,
            max_framerate: None,
            scale_resolution_down_by: 1.0,
            scalability_mode: None,
        }
    }
}

impl EncodingInit {
    /// One of several.
    pub fn named(rid: &str) -> Self {
        Self { rid: Some(rid.into()), ..Self::default() }
    }
}

impl Transceiver {
    /// Its name.
    pub fn id(&self) -> TransceiverId {
        self.id
    }

    /// Of what it is.
    pub fn kind(&self) -> MediaKind {
        self.kind
    }

    /// The name of its section, once a description has it.
    pub fn mid(&self) -> Option<&str> {
        self.place.as_ref().map(|place| place.mid.as_str())
    }

    /// Which way media shall flow, seen from here.
    pub fn direction(&self) -> Direction {
        if self.is_ending() { Direction::Inactive } else { self.direction }
    }

    /// Which way media flows, as both ends have agreed; none before they have, and once it has stopped.
    pub fn current_direction(&self) -> Option<Direction> {
        self.agreement.as_ref().filter(|_| self.stopping != Stopping::Done).map(|known| known.direction)
    }

    /// Whether it was stopped, by either end.
    pub fn is_stopped(&self) -> bool {
        self.stopping == Stopping::Done
    }

    /// Whether it was stopped, though the peer may not know it yet.
    pub fn is_ending(&self) -> bool {
        self.stopping != Stopping::No
    }

    /// What both ends have agreed on; none before they have.
    pub fn agreement(&self) -> Option<&Arc<Agreement>> {
        self.agreement.as_ref()
    }

    /// What it sends: one encoding, or several with names.
    pub fn encodings(&self) -> &[Encoding] {
        &self.encodings
    }

    /// The name of the track that it sends.
    pub fn track(&self) -> &str {
        &self.track
    }

    /// The name of the track that it receives, and of the streams that this belongs to; none while the peer sends none.
    pub fn remote_track(&self) -> Option<(&str, &[Box<str>])> {
        self.remote.as_ref().map(|remote| (&*remote.track, &*remote.streams))
    }

    /// The codecs that it shall use, most wanted first; none: whatever can be used.
    pub fn codec_preferences(&self) -> &[Codec] {
        &self.preferences
    }
}

/// All of a peer connection, those that have stopped included until their sections are used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transceivers {
    all: Vec<Transceiver>,
    next: u32,
}

impl Transceivers {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Transceiver> {
        self.all.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Transceiver> {
        self.all.iter_mut()
    }

    pub(crate) fn get(&self, id: TransceiverId) -> Option<&Transceiver> {
        self.all.iter().find(|transceiver| transceiver.id == id)
    }

    /// One that goes on.
    fn get_going(&mut self, id: TransceiverId) -> Result<&mut Transceiver, BadTransceiver> {
        let mut going = self.all.iter_mut().filter(|transceiver| !transceiver.is_ending());
        going.find(|transceiver| transceiver.id == id).ok_or(BadTransceiver::Stopped)
    }

    pub(crate) fn at(&self, index: usize) -> Option<&Transceiver> {
        let mut all = self.all.iter();
        all.find(|transceiver| transceiver.place.as_ref().is_some_and(|place| place.index == index))
    }

    pub(crate) fn at_mut(&mut self, index: usize) -> Option<&mut Transceiver> {
        let mut all = self.all.iter_mut();
        all.find(|transceiver| transceiver.place.as_ref().is_some_and(|place| place.index == index))
    }

    /// Makes one; `ssrcs` gives numbers that are random and in use nowhere else.
    pub(crate) fn add(
        &mut self,
        kind: MediaKind,
        init: TransceiverInit,
        mut ssrcs: impl FnMut() -> Ssrc,
    ) -> Result<TransceiverId, BadTransceiver> {
        if self.all.len() >= limits::TRANSCEIVERS {
            return Err(BadTransceiver::TooMany);
        }
        let mut encodings = init.encodings;
        if encodings.is_empty() {
            encodings.push(EncodingInit::default());
        }
        check_encodings(&encodings)?;
        let id = TransceiverId(self.next);
        self.next += 1;
        self.all.push(Transceiver {
            id,
            kind,
            direction: init.direction,
            stopping: Stopping::No,
            preferences: Vec::new(),
            streams: init.streams,
            track: init.track.unwrap_or_else(|| format!("{kind}-{}", id.0).into()),
            encodings: encodings
                .into_iter()
                .map(|init| Encoding { init, ssrc: ssrcs(), retransmission: ssrcs() })
                .collect(),
            sends_track: false,
            is_of_peer: false,
            place: None,
            agreement: None,
            remote: None,
        });
        Ok(id)
    }

    pub(crate) fn remove(&mut self, is_gone: impl Fn(&Transceiver) -> bool) {
        self.all.retain(|transceiver| !is_gone(transceiver));
    }

    pub(crate) fn set_direction(
        &mut self,
        id: TransceiverId,
        direction: Direction,
    ) -> Result<(), BadTransceiver> {
        self.get_going(id)?.direction = direction;
        Ok(())
    }

    /// A section of the peer's may take it.
    pub(crate) fn mark_sending(&mut self, id: TransceiverId) {
        if let Ok(transceiver) = self.get_going(id) {
            transceiver.sends_track = true;
        }
    }

    pub(crate) fn set_track(
        &mut self,
        id: TransceiverId,
        track: Box<str>,
        streams: Vec<Box<str>>,
    ) -> Result<(), BadTransceiver> {
        let transceiver = self.get_going(id)?;
        (transceiver.track, transceiver.streams, transceiver.sends_track) = (track, streams, true);
        Ok(())
    }

    pub(crate) fn set_streams(
        &mut self,
        id: TransceiverId,
        streams: Vec<Box<str>>,
    ) -> Result<(), BadTransceiver> {
        self.get_going(id)?.streams = streams;
        Ok(())
    }

    pub(crate) fn set_preferences(
        &mut self,
        id: TransceiverId,
        preferences: Vec<Codec>,
    ) -> Result<(), BadTransceiver> {
        self.get_going(id)?.preferences = preferences;
        Ok(())
    }

    /// Changes the bounds of encodings; names and their number stay (W3C webrtc-pc §5.2.5).
    pub(crate) fn set_encodings(
        &mut self,
        id: TransceiverId,
        inits: Vec<EncodingInit>,
    ) -> Result<(), BadTransceiver> {
        let transceiver = self.get_going(id)?;
        let same = |(known, init): (&Encoding, &EncodingInit)| known.init.rid == init.rid;
        let fits =
            inits.len() == transceiver.encodings.len() && transceiver.encodings.iter().zip(&inits).all(same);
        if !fits {
            return Err(BadTransceiver::Encodings);
        }
        for (known, init) in transceiver.encodings.iter_mut().zip(inits) {
            known.init = init;
        }
        Ok(())
    }

    /// Ends one; false if that had been done.
    pub(crate) fn stop(&mut self, id: TransceiverId) -> bool {
        let Ok(transceiver) = self.get_going(id) else { return false };
        // What the peer has never heard of is gone at once.
        transceiver.stopping = if transceiver.place.is_some() { Stopping::Asked } else { Stopping::Done };
        true
    }
}

impl Transceiver {
    /// The peer takes these encodings only: the others are not sent (RFC 9429 §5.10).
    pub(crate) fn keep_encodings(&mut self, rids: &[Box<str>]) {
        if self.encodings.len() < 2 {
            return;
        }
        match rids {
            // It knows no simulcast: the first goes without a name.
            [] => {
                self.encodings.truncate(1);
                self.encodings.iter_mut().for_each(|encoding| encoding.init.rid = None);
            }
            _ => self.encodings.retain(|encoding| {
                encoding.init.rid.as_ref().is_some_and(|rid| rids.iter().any(|taken| taken == rid))
            }),
        }
    }
}

fn check_encodings(encodings: &[EncodingInit]) -> Result<(), BadTransceiver> {
    if encodings.len() > limits::ENCODINGS {
        return Err(BadTransceiver::Encodings);
    }
    for (place, encoding) in encodings.iter().enumerate() {
        match &encoding.rid {
            Some(rid) if rid.parse::<RidId>().is_err() => return Err(BadTransceiver::Encodings),
            None if encodings.len() > 1 => return Err(BadTransceiver::Encodings),
            rid if encodings[..place].iter().any(|other| other.rid == *rid) => {
                return Err(BadTransceiver::Encodings);
            }
            _ => {}
        }
    }
    Ok(())
}
