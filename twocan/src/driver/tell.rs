//! Calls to the state machine, and events from it to the application.

use std::net::SocketAddr;
use std::time::Instant;

use peer::{ChannelError, ChannelOptions, Event};

use super::{Command, Driver};
use crate::configuration::{DataChannelOptions, ExternalAddress};
use crate::{CandidatePair, PeerEvent};

impl Driver {
    pub(super) fn obey(&mut self, command: Command) {
        let now = Instant::now();
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
        let now = Instant::now();
        let told = match event {
            Event::NegotiationNeeded => PeerEvent::NegotiationNeeded,
            Event::SignalingState(state) => PeerEvent::SignalingState(state),
            Event::IceCandidate(candidate) => PeerEvent::IceCandidate(candidate),
            Event::IceGatheringState(state) => PeerEvent::IceGatheringState(state),
            Event::IceConnectionState(state) => PeerEvent::IceConnectionState(state),
            Event::ConnectionState(state) => PeerEvent::ConnectionState(state),
            Event::Gather => return self.gather(),
            // Names of the local network are not resolved here.
            Event::Resolve { id, .. } => return self.peer.handle_resolved(now, id, &[]),
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
            Event::Writable => return self.channels.resume(&mut self.peer),
            Event::SelectedPath(selected) => {
                let pair = CandidatePair::of(&selected, self.peer.ice());
                if self.selected.replace(pair) == Some(pair) {
                    return;
                }
                PeerEvent::SelectedCandidatePair(pair)
            }
            Event::Failed(failure) => PeerEvent::Failed(failure),
            Event::Connect { id, .. } => return self.peer.handle_disconnected(now, id),
            Event::Secured(_)
            | Event::BufferedAmountLow(_)
            | Event::Disconnect { .. }
            | Event::IceCandidateError { .. } => return,
        };
        self.budget.put(0);
        if self.events.send(told).is_err() {
            // Nobody is listening.
            self.budget.take(0);
        }
    }

    fn gather(&mut self) {
        let now = Instant::now();
        for address in self.sockets.addresses().collect::<Vec<_>>() {
            for candidate in candidates(address, &self.external) {
                // One that is not taken is not told.
                let _ = self.peer.add_local_candidate(now, candidate);
            }
        }
        self.peer.end_of_local_candidates(now);
    }
}

/// What is told of a UDP socket at this address.
fn candidates(local: SocketAddr, external: &[ExternalAddress]) -> Vec<ice::LocalCandidate> {
    let host = ice::LocalCandidate::host(local);
    let Some(mapped) = external.iter().find(|external| external.maps(local.ip())) else { return vec![host] };
    if mapped.replaces {
        return vec![host.advertised(mapped.public)];
    }
    let public = SocketAddr::new(mapped.public, local.port());
    vec![host, ice::LocalCandidate::server_reflexive(public, local, mapped.public)]
}
