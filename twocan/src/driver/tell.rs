//! Calls to the state machine, and events from it to the application.

use std::net::SocketAddr;

use peer::{BadTransceiver, ChannelError, ChannelOptions, Event, TransceiverId};

use super::{Command, Driver, clock};
use crate::configuration::DataChannelOptions;
use crate::event::IceCandidateError;
use crate::{CandidatePair, PeerEvent, Transceiver};

impl Driver {
    pub(super) fn obey(&mut self, command: Command) {
        let now = clock();
        // Whoever does not wait for an answer gets none.
        match command {
            Command::CreateOffer(reply) => drop(reply.send(self.peer.create_offer())),
            Command::CreateAnswer(reply) => drop(reply.send(self.peer.create_answer())),
            Command::SetLocal(None, reply) => {
                let set = self.peer.set_local_description_implicitly(now);
                self.show_states();
                drop(reply.send(set));
            }
            Command::SetLocal(Some(description), reply) => {
                let set = self.peer.set_local_description(now, &description);
                self.show_states();
                drop(reply.send(set.map(|()| description)));
            }
            Command::SetRemote(description, reply) => {
                let set = self.peer.set_remote_description(now, &description);
                self.show_states();
                drop(reply.send(set));
            }
            Command::AddCandidate(candidate, reply) => {
                drop(reply.send(self.peer.add_ice_candidate(now, candidate.as_ref())));
            }
            Command::LocalDescription(reply) => drop(reply.send(self.peer.local_description())),
            Command::Stats(reply) => drop(reply.send(self.peer.stats(now))),
            Command::RestartIce => self.peer.restart_ice(),
            Command::CreateChannel { label, options, reply } => {
                let DataChannelOptions { ordered, reliability, protocol, priority, negotiated } = options;
                let options = ChannelOptions { ordered, reliability, priority, negotiated };
                let made = self.peer.create_data_channel(now, &label, &protocol, options);
                let made = made.and_then(|id| self.channels.adopt(&self.peer, id).ok_or(ChannelError::Gone));
                drop(reply.send(made));
            }
            Command::AddTransceiver { kind, init, reply } => {
                let made = self.peer.add_transceiver(kind, init);
                let made = made.and_then(|id| self.adopt(id).ok_or(BadTransceiver::Stopped));
                drop(reply.send(made));
            }
            Command::AddTrack { kind, track, streams, reply } => {
                let streams: Vec<&str> = streams.iter().map(String::as_str).collect();
                let made = self.peer.add_track(kind, &track, &streams);
                drop(reply.send(made.map(|id| self.adopt(id))));
            }
            Command::TakeTransceivers(reply) => {
                let all: Vec<TransceiverId> = self.peer.transceivers().map(peer::Transceiver::id).collect();
                let taken = all.into_iter().filter_map(|id| self.adopt(id)).collect();
                // Whoever does not wait for them has dropped their handles, which stops nothing.
                drop(reply.send(taken));
            }
            Command::Change(change, reply) => {
                let _ = reply.send((change.0)(&mut self.peer));
                self.media.publish(&self.peer);
            }
            Command::RequestKeyFrame(id, encoding, reply) => {
                let _ = reply.send(self.peer.request_key_frame(now, id, encoding));
            }
            Command::SenderClock(id, encoding, reply) => {
                let _ = reply.send(self.peer.sender_clock(id, encoding));
            }
            Command::WantBitrate(wanted) => self.peer.set_wanted_bitrate(now, wanted),
        }
    }

    /// A transceiver's handle, unless it has one.
    fn adopt(&mut self, id: TransceiverId) -> Option<Transceiver> {
        self.media.adopt(&self.peer, id)
    }

    pub(super) fn tell(&mut self, event: Event) {
        let told = match event {
            Event::NegotiationNeeded => PeerEvent::NegotiationNeeded,
            Event::SignalingState(state) => {
                self.media.publish(&self.peer);
                PeerEvent::SignalingState(state)
            }
            Event::Track(id) => {
                self.media.publish(&self.peer);
                PeerEvent::Track(id)
            }
            Event::TrackRemoved(id) => PeerEvent::TrackRemoved(id),
            Event::KeyFrameRequested { transceiver, encoding } => {
                PeerEvent::KeyFrameRequested { transceiver, encoding }
            }
            Event::TargetBitrate(bitrate) => PeerEvent::TargetBitrate(bitrate),
            Event::IceCandidate(candidate) => PeerEvent::IceCandidate(candidate),
            Event::IceGatheringState(state) => PeerEvent::IceGatheringState(state),
            Event::IceConnectionState(state) => PeerEvent::IceConnectionState(state),
            Event::ConnectionState(state) => PeerEvent::ConnectionState(state),
            Event::Gather => return self.gather(),
            Event::Resolve { id, name } => return self.resolve_name(id, name),
            Event::DataChannel(id) => match self.channels.adopt(&self.peer, id) {
                Some(channel) => {
                    self.channels.opened(&self.peer, id);
                    PeerEvent::DataChannel(channel)
                }
                None => return,
            },
            Event::ChannelOpen(id) => return self.channels.opened(&self.peer, id),
            Event::ChannelClosing(id) => return self.channels.closing(id),
            Event::ChannelClosed(id) => return self.channels.closed(id),
            Event::Message(message) => return self.channels.deliver(&mut self.peer, message),
            Event::MessageAborted { channel, id } => return self.channels.abort(channel, id),
            Event::Writable => {
                self.channels.resume(&mut self.peer);
                return;
            }
            Event::SelectedPath(selected) => {
                let pair = CandidatePair::of(&selected, self.peer.ice());
                if self.selected.replace(pair) == Some(pair) {
                    return;
                }
                PeerEvent::SelectedCandidatePair(pair)
            }
            Event::Failed(failure) => PeerEvent::Failed(failure),
            Event::Connect { id, local, remote, security } => {
                return self.connect(id, local, remote, security);
            }
            Event::Disconnect { id } => return self.streams.close(id),
            Event::IceCandidateError { address, port, url, error_code, error_text } => {
                let address = address.zip(port).map(SocketAddr::from);
                PeerEvent::IceCandidateError(IceCandidateError { address, url, error_code, error_text })
            }
            Event::Secured(_) | Event::BufferedAmountLow(_) => return,
        };
        self.say(told);
    }

    /// Tells the application.
    pub(super) fn say(&mut self, told: PeerEvent) {
        self.show_states();
        self.budget.put(0);
        if self.events.send(told).is_err() {
            // Nobody is listening.
            self.budget.take(0);
        }
    }
}
