//! Transceivers as their owner sees them (W3C webrtc-pc §5.1 to §5.4).

use super::PeerConnection;
use crate::media::{
    BadTransceiver, Codec, Direction, EncodingInit, MediaCapabilities, MediaKind, Transceiver, TransceiverId,
    TransceiverInit,
};

impl PeerConnection {
    /// Makes a transceiver. The peer hears of it with the next offer.
    pub fn add_transceiver(
        &mut self,
        kind: MediaKind,
        init: TransceiverInit,
    ) -> Result<TransceiverId, BadTransceiver> {
        self.can_have_media()?;
        let id = self.negotiation.add_transceiver(kind, init)?;
        self.update_negotiation_needed();
        Ok(id)
    }

    /// Has a track sent: by a transceiver that could and does not, or by a new one (W3C's `addTrack`).
    pub fn add_track(
        &mut self,
        kind: MediaKind,
        track: &str,
        streams: &[&str],
    ) -> Result<TransceiverId, BadTransceiver> {
        self.can_have_media()?;
        let streams: Vec<Box<str>> = streams.iter().map(|stream| (*stream).into()).collect();
        // One that has never sent: what it would begin with is as good as new.
        let is_free = |one: &&Transceiver| {
            one.kind() == kind
                && !one.is_ending()
                && !one.sends_track
                && !one.direction().sends()
                && !one.current_direction().is_some_and(Direction::sends)
        };
        let transceivers = &mut self.negotiation.transceivers;
        let free = transceivers.iter().find(is_free).map(|one| (one.id(), one.direction()));
        let id = match free {
            Some((id, direction)) => {
                transceivers.set_track(id, track.into(), streams)?;
                transceivers.set_direction(id, Direction::new(true, direction.receives()))?;
                id
            }
            None => {
                let init =
                    TransceiverInit { streams, track: Some(track.into()), ..TransceiverInit::default() };
                let id = self.negotiation.add_transceiver(kind, init)?;
                self.negotiation.transceivers.mark_sending(id);
                id
            }
        };
        self.update_negotiation_needed();
        Ok(id)
    }

    /// All transceivers that have not stopped, oldest first.
    pub fn transceivers(&self) -> impl Iterator<Item = &Transceiver> {
        self.negotiation.transceivers.iter().filter(|one| !one.is_stopped())
    }

    /// A transceiver; none once it has stopped and no description has it.
    pub fn transceiver(&self, id: TransceiverId) -> Option<&Transceiver> {
        self.negotiation.transceivers.get(id)
    }

    /// Says which way media shall flow; it counts from the next exchange on.
    pub fn set_direction(&mut self, id: TransceiverId, direction: Direction) -> Result<(), BadTransceiver> {
        self.negotiation.transceivers.set_direction(id, direction)?;
        self.update_negotiation_needed();
        Ok(())
    }

    /// Says which streams what is sent belongs to, by their names: what belongs to one is played in step (W3C's
    /// `setStreams`). It counts from the next exchange on.
    pub fn set_streams(&mut self, id: TransceiverId, streams: &[&str]) -> Result<(), BadTransceiver> {
        let streams = streams.iter().map(|stream| (*stream).into()).collect();
        self.negotiation.transceivers.set_streams(id, streams)?;
        self.update_negotiation_needed();
        Ok(())
    }

    /// Says which codecs shall be used, most wanted first; none: whatever can be used. Those of them that
    /// [`MediaCapabilities`] does not have count for nothing. Retransmissions go with each codec that has some.
    pub fn set_codec_preferences(
        &mut self,
        id: TransceiverId,
        codecs: Vec<Codec>,
    ) -> Result<(), BadTransceiver> {
        let kind = self.negotiation.transceivers.get(id).ok_or(BadTransceiver::Stopped)?.kind();
        let known = self.configuration.media.as_deref().map_or(&[][..], |media| media.codecs(kind));
        let is_known = |codec: &Codec| known.iter().any(|capability| capability.codec.matches(codec));
        if !codecs.is_empty() && !codecs.iter().any(|codec| !codec.is_auxiliary() && is_known(codec)) {
            return Err(BadTransceiver::Codecs);
        }
        self.negotiation.transceivers.set_preferences(id, codecs)
    }

    /// Changes the bounds of what is sent; names and number of the encodings stay (W3C's `setParameters`).
    pub fn set_encodings(
        &mut self,
        id: TransceiverId,
        encodings: Vec<EncodingInit>,
    ) -> Result<(), BadTransceiver> {
        self.negotiation.transceivers.set_encodings(id, encodings)
    }

    /// Ends a transceiver, for both ends once descriptions are exchanged. Ending twice is ending once.
    pub fn stop_transceiver(&mut self, id: TransceiverId) {
        if self.negotiation.transceivers.stop(id) {
            self.negotiation.transceivers.remove(Transceiver::is_stopped);
            self.update_negotiation_needed();
        }
    }

    /// What sound and pictures can be.
    pub fn media_capabilities(&self) -> Option<&MediaCapabilities> {
        self.configuration.media.as_deref()
    }

    fn can_have_media(&self) -> Result<(), BadTransceiver> {
        match &self.configuration.media {
            _ if self.is_closed => Err(BadTransceiver::Closed),
            None => Err(BadTransceiver::NoMedia),
            Some(_) => Ok(()),
        }
    }
}
