//! A transceiver's handle (W3C webrtc-pc §5.4, "RTCRtpTransceiver").

use std::sync::Arc;

use peer::{
    Agreement, BadTransceiver, Codec, Direction, Encoding, EncodingInit, MediaKind, MediaPacket,
    TransceiverId,
};
use tokio::sync::{mpsc, watch};

use super::receiver::RtpReceiver;
use super::sender::{Outgoing, RtpSender};
use crate::Error;
use crate::asking::Asking;
use crate::driver::Command;

/// Packets that wait for the application; beyond, new ones are dropped, as the peer would send what is of use again.
const WAITING: usize = 1024;

/// Sends and receives one medium: a section of descriptions. Dropping it stops nothing, as its sections stay until
/// [`stop`](Self::stop).
#[derive(Debug)]
pub struct Transceiver {
    id: TransceiverId,
    kind: MediaKind,
    /// Sends, from any task.
    pub sender: RtpSender,
    /// Receives.
    pub receiver: RtpReceiver,
    state: watch::Receiver<TransceiverState>,
    commands: Asking,
}

/// What both ends have said of a transceiver.
#[derive(Clone, Debug, Default)]
pub struct TransceiverState {
    /// The section's name, once a description has it.
    pub mid: Option<Box<str>>,
    /// Which way media shall flow.
    pub direction: Direction,
    /// Which way it does.
    pub current_direction: Option<Direction>,
    /// Codecs and the like that both ends have; none before they have agreed.
    pub agreement: Option<Arc<Agreement>>,
    /// What is sent.
    pub encodings: Vec<Encoding>,
    /// What the peer calls the track that it sends, and the streams of that.
    pub remote_track: Option<(Box<str>, Vec<Box<str>>)>,
    /// Whether it has ended.
    pub stopped: bool,
}

/// The driver's end.
#[derive(Debug)]
pub(crate) struct Line {
    packets: mpsc::Sender<MediaPacket>,
    state: watch::Sender<TransceiverState>,
}

impl Line {
    /// Both ends of a transceiver's line.
    pub(crate) fn new(
        one: &peer::Transceiver,
        outgoing: mpsc::Sender<Outgoing>,
        commands: Asking,
    ) -> (Self, Transceiver) {
        let (packets, incoming) = mpsc::channel(WAITING);
        let (publish, state) = watch::channel(TransceiverState::of(one));
        let (id, kind) = (one.id(), one.kind());
        let handle = Transceiver {
            id,
            kind,
            sender: RtpSender { id, outgoing, state: state.clone() },
            receiver: RtpReceiver { id, packets: incoming, commands: commands.clone() },
            state,
            commands,
        };
        (Self { packets, state: publish }, handle)
    }

    /// Hands a packet out, unless nobody takes them.
    pub(crate) fn deliver(&self, packet: MediaPacket) {
        let _ = self.packets.try_send(packet);
    }

    /// Publishes what was agreed on; nothing more is received of one that has ended.
    pub(crate) fn publish(&self, one: Option<&peer::Transceiver>) {
        match one {
            Some(one) => drop(self.state.send_replace(TransceiverState::of(one))),
            None => self.state.send_modify(|state| {
                (state.stopped, state.current_direction, state.remote_track) = (true, None, None);
            }),
        }
    }
}

impl TransceiverState {
    fn of(one: &peer::Transceiver) -> Self {
        Self {
            mid: one.mid().map(Into::into),
            direction: one.direction(),
            current_direction: one.current_direction(),
            agreement: one.agreement().cloned(),
            encodings: one.encodings().to_vec(),
            remote_track: one.remote_track().map(|(track, streams)| (track.into(), streams.to_vec())),
            stopped: one.is_stopped(),
        }
    }
}

impl Transceiver {
    /// Its name in events.
    pub fn id(&self) -> TransceiverId {
        self.id
    }

    /// Of what it is.
    pub fn kind(&self) -> MediaKind {
        self.kind
    }

    /// What both ends have said of it.
    pub fn state(&self) -> TransceiverState {
        self.state.borrow().clone()
    }

    /// The section's name, once a description has it.
    pub fn mid(&self) -> Option<Box<str>> {
        self.state.borrow().mid.clone()
    }

    /// Which way media flows, once both have agreed.
    pub fn current_direction(&self) -> Option<Direction> {
        self.state.borrow().current_direction
    }

    /// Waits until both ends have agreed on something, and says on what.
    ///
    /// # Errors
    /// If it ends, or the connection does.
    pub async fn agreed(&mut self) -> Result<Arc<Agreement>, Error> {
        let known = self.state.wait_for(|state| state.agreement.is_some() || state.stopped).await;
        known.ok().and_then(|state| state.agreement.clone()).ok_or(Error::Closed)
    }

    /// Says which way media shall flow; it counts from the next exchange of descriptions on.
    ///
    /// # Errors
    /// If it was stopped.
    pub async fn set_direction(&self, direction: Direction) -> Result<(), Error> {
        let id = self.id;
        self.change(move |peer| peer.set_direction(id, direction)).await
    }

    /// Says which codecs shall be used, most wanted first; none: whatever can be used.
    ///
    /// # Errors
    /// If none of them can be used.
    pub async fn set_codec_preferences(&self, codecs: Vec<Codec>) -> Result<(), Error> {
        let id = self.id;
        self.change(move |peer| peer.set_codec_preferences(id, codecs)).await
    }

    /// Changes the bounds of what is sent; names and number of the encodings stay.
    ///
    /// # Errors
    /// If they do not.
    pub async fn set_encodings(&self, encodings: Vec<EncodingInit>) -> Result<(), Error> {
        let id = self.id;
        self.change(move |peer| peer.set_encodings(id, encodings)).await
    }

    /// Ends it, for both ends once descriptions are exchanged.
    ///
    /// # Errors
    /// If the connection is closed.
    pub async fn stop(&self) -> Result<(), Error> {
        let id = self.id;
        self.change(move |peer| {
            peer.stop_transceiver(id);
            Ok(())
        })
        .await
    }

    async fn change(
        &self,
        change: impl FnOnce(&mut peer::PeerConnection) -> Result<(), BadTransceiver> + Send + 'static,
    ) -> Result<(), Error> {
        Ok(self.commands.ask(|reply| Command::Change(Change(Box::new(change)), reply)).await??)
    }
}

/// What is to be done with a transceiver.
pub(crate) struct Change(pub(crate) Box<Changing>);

type Changing = dyn FnOnce(&mut peer::PeerConnection) -> Result<(), BadTransceiver> + Send;

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Change")
    }
}
