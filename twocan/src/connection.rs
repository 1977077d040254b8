//! The peer connection's handle (W3C webrtc-pc §4.4).

use std::sync::{Arc, Mutex, PoisonError};

use peer::{
    IceCandidateInit, MediaKind, PeerConnectionState, SessionDescription, SignalingState, StatsReport,
    TransceiverId, TransceiverInit,
};
use tokio::sync::oneshot;

use crate::asking::Asking;
use crate::budget::Budget;
use crate::configuration::{Configuration, DataChannelOptions};
use crate::driver::{Command, Driver, Snapshot};
use crate::port::Port;
use crate::queue::{Receiver, Sender, queue};
use crate::sockets::Sockets;
use crate::{CandidatePair, DataChannel, Error, IceConnectionState, PeerEvent, Transceiver};

/// One WebRTC session with one peer. Dropping it closes the connection.
#[derive(Debug)]
pub struct PeerConnection {
    commands: Sender<Command>,
    events: Receiver<PeerEvent>,
    budget: Arc<Budget>,
    snapshot: Arc<Mutex<Snapshot>>,
}

impl PeerConnection {
    /// Opens sockets and starts the task that drives the connection. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// If a server's URL is none, or there are no sockets, no randomness or no certificate to be had.
    pub async fn new(configuration: Configuration) -> Result<Self, Error> {
        let sockets = Sockets::open(&configuration).map_err(Error::Socket)?;
        Self::over(&configuration, Port::Own(Box::new(sockets)))
    }

    pub(crate) fn over(configuration: &Configuration, port: Port) -> Result<Self, Error> {
        let (commands, inbox) = queue(0);
        let (sender, events) = queue(0);
        let snapshot = Arc::new(Mutex::new(Snapshot::default()));
        let budget = Arc::new(Budget::default());
        let (asking, publish) = (Asking::new(&commands), Arc::clone(&snapshot));
        let driver = Driver::new(configuration, port, inbox, (sender, Arc::clone(&budget)), publish, asking)?;
        tokio::spawn(Box::new(driver).run());
        Ok(Self { commands, events, budget, snapshot })
    }

    /// The next event; `None` once the connection is closed.
    pub async fn next_event(&mut self) -> Option<PeerEvent> {
        let event = self.events.recv().await?;
        self.budget.take(0);
        Some(event)
    }

    /// Makes an offer. Nothing changes until it is set.
    ///
    /// # Errors
    /// If the exchange of descriptions does not stand so that one belongs there.
    pub async fn create_offer(&self) -> Result<SessionDescription, Error> {
        Ok(self.ask(Command::CreateOffer).await??)
    }

    /// Makes an answer to the peer's offer. Nothing changes until it is set.
    ///
    /// # Errors
    /// If there is no offer.
    pub async fn create_answer(&self) -> Result<SessionDescription, Error> {
        Ok(self.ask(Command::CreateAnswer).await??)
    }

    /// Sets a description of ours, or without one makes and sets the one that is due; returns it, for the peer.
    ///
    /// # Errors
    /// If it does not belong there, or is not the one that was made.
    pub async fn set_local_description(
        &self,
        description: Option<SessionDescription>,
    ) -> Result<SessionDescription, Error> {
        Ok(self.ask(|reply| Command::SetLocal(description, reply)).await??)
    }

    /// Sets a description of the peer's.
    ///
    /// # Errors
    /// If it cannot be read, does not belong there, or asks for what cannot be done.
    pub async fn set_remote_description(&self, description: SessionDescription) -> Result<(), Error> {
        Ok(self.ask(|reply| Command::SetRemote(description, reply)).await??)
    }

    /// Takes a candidate of the peer's; none: no more come.
    ///
    /// # Errors
    /// If it cannot be read, or belongs to no description.
    pub async fn add_ice_candidate(&self, candidate: Option<IceCandidateInit>) -> Result<(), Error> {
        Ok(self.ask(|reply| Command::AddCandidate(candidate, reply)).await??)
    }

    /// Our latest description, with the candidates that were gathered since.
    pub async fn local_description(&self) -> Option<SessionDescription> {
        self.ask(Command::LocalDescription).await.ok().flatten()
    }

    /// Everything that is known of the connection, under the names of W3C webrtc-stats.
    ///
    /// # Errors
    /// If the connection is closed.
    pub async fn get_stats(&self) -> Result<StatsReport, Error> {
        self.ask(Command::Stats).await
    }

    /// Makes a data channel. The first one needs an exchange of descriptions.
    ///
    /// # Errors
    /// If the connection is closed, or has no stream left.
    pub async fn create_data_channel(
        &self,
        label: &str,
        options: DataChannelOptions,
    ) -> Result<DataChannel, Error> {
        let label = label.to_owned();
        Ok(self.ask(|reply| Command::CreateChannel { label, options, reply }).await??)
    }

    /// Makes a transceiver. The peer hears of it with the next offer.
    ///
    /// # Errors
    /// If the connection is closed, its configuration has no media, or there is something wrong with the encodings.
    pub async fn add_transceiver(
        &self,
        kind: MediaKind,
        init: TransceiverInit,
    ) -> Result<Transceiver, Error> {
        Ok(self.ask(|reply| Command::AddTransceiver { kind, init, reply }).await??)
    }

    /// Has a track sent: by a transceiver that could and does not, whose handle is there already, or by a new one.
    ///
    /// # Errors
    /// As for [`add_transceiver`](Self::add_transceiver).
    pub async fn add_track(
        &self,
        kind: MediaKind,
        track: &str,
        streams: &[&str],
    ) -> Result<Option<Transceiver>, Error> {
        let (track, streams) =
            (track.to_owned(), streams.iter().map(|stream| (*stream).to_owned()).collect());
        Ok(self.ask(|reply| Command::AddTrack { kind, track, streams, reply }).await??)
    }

    /// The handles of transceivers that the peer's descriptions have made, and that nobody has taken: after an offer was set
    /// and before it is answered, to say what shall be sent.
    ///
    /// # Errors
    /// If the connection is closed.
    pub async fn take_transceivers(&self) -> Result<Vec<Transceiver>, Error> {
        self.ask(Command::TakeTransceivers).await
    }

    /// Asks the peer for a key frame of an encoding that we receive; false where nothing of it has come yet.
    ///
    /// # Errors
    /// If the connection is closed.
    pub async fn request_key_frame(&self, id: TransceiverId, encoding: usize) -> Result<bool, Error> {
        self.ask(|reply| Command::RequestKeyFrame(id, encoding, reply)).await
    }

    /// Says how much could be sent if there were room, in bits per second: room for more is not looked for.
    pub fn set_wanted_bitrate(&self, wanted: u64) {
        // A driver that is gone sends nothing.
        let _ = self.commands.send(Command::WantBitrate(wanted));
    }

    /// Asks for new credentials and paths: the next offer restarts ICE, and [`PeerEvent::NegotiationNeeded`] asks for
    /// it.
    pub fn restart_ice(&self) {
        // A driver that is gone restarts nothing.
        let _ = self.commands.send(Command::RestartIce);
    }

    /// Where the exchange of descriptions stands.
    pub fn signaling_state(&self) -> SignalingState {
        self.snapshot().signaling
    }

    /// How far ICE is.
    pub fn ice_connection_state(&self) -> IceConnectionState {
        self.snapshot().ice
    }

    /// How the connection is, all together.
    pub fn connection_state(&self) -> PeerConnectionState {
        self.snapshot().connection
    }

    /// The way that data goes, once there is one.
    pub fn selected_candidate_pair(&self) -> Option<CandidatePair> {
        self.snapshot().selected
    }

    /// Ends the connection, and tells the peer. Closing twice is closing once.
    pub fn close(&mut self) {
        // The driver ends when nobody is left who could ask it anything.
        let (gone, _) = queue(0);
        self.commands = gone;
    }

    fn snapshot(&self) -> Snapshot {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)
    }
}
