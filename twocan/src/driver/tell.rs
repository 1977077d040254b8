//! Calls to the state machine, and events from it to the application.

use std::net::SocketAddr;

use peer::{ChannelError, ChannelOptions, Event};

use super::{Command, Driver, clock};
use crate::configuration::DataChannelOptions;
use crate::event::IceCandidateError;
use crate::{CandidatePair, PeerEvent};

impl Driver {
    pub(super) fn obey(&mut self, command: Command) {
        let now = clock();
        // Whoever does not wait for an answer gets none.
        match command {
            Command::CreateOffer(reply) => drop(reply.send(self.peer.create_offer())),
            Command::CreateAnswer(reply) => drop(reply.send(self.peer.create_answer())),
            Command::SetLocal(None, reply) => {
                drop(reply.send(self.peer.set_local_description_implicitly(now)));
            }
            Command::SetLocal(Some(description), reply) => {
                let set = self.peer.set_local_description(now, &description);
                drop(reply.send(set.map(|()| description)));
            }
            Command::SetRemote(description, reply) => {
                drop(reply.send(self.peer.set_remote_description(now, &description)));
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
        }
    }

    pub(super) fn tell(&mut self, event: Event) {
        let told = match event {
            Event::NegotiationNeeded => PeerEvent::NegotiationNeeded,
            Event::SignalingState(state) => PeerEvent::SignalingState(state),
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
            Event::Track(_) | Event::TrackRemoved(_) | Event::Secured(_) | Event::BufferedAmountLow(_) => {
                return;
            }
        };
        self.say(told);
    }

    /// Tells the application.
    pub(super) fn say(&mut self, told: PeerEvent) {
        self.budget.put(0);
        if self.events.send(Box::new(told)).is_err() {
            // Nobody is listening.
            self.budget.take(0);
        }
    }
}
