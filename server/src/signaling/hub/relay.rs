//! What peers say to each other, and to the server, once they have joined.

use std::time::Duration;

use crate::signaling::{
    error::{ErrorCode, Refusal},
    inbound::{Chat, Invite, Kind, Ping, Presence, Signal},
    invitation,
    names::PeerId,
    outbound::Message,
    time::Now,
};

use super::{ConnectionId, Hub};

impl Hub {
    /// `signal`: to one peer, its payload unread.
    pub(super) fn signal(&mut self, id: ConnectionId, request: &Signal<'_>) -> Result<(), Refusal> {
        let from = self.joined_peer(id)?;
        let to = self.peer_in_reach(from, &request.to)?;
        self.send_counted(to, &Message::Signal { from, data: request.data }.to_bytes());
        Ok(())
    }

    /// `chat`: to one peer, or to everyone else in the room.
    pub(super) fn chat(&mut self, now: Now, id: ConnectionId, request: &Chat<'_>) -> Result<(), Refusal> {
        let from = self.joined_peer(id)?;
        if request.text.is_empty() {
            return Err(Refusal::bad("`text` is empty."));
        }
        if request.text.chars().count() > self.settings.limits.chat_characters {
            return Err(Refusal::new(ErrorCode::TooLarge, "The text is too long. Send it in parts."));
        }
        let to = request.to.as_deref().map(|to| self.peer_in_reach(from, to)).transpose()?;
        let Some(session) = self.sessions.get(&from) else { return Ok(()) };
        let (name, text, time) = (&session.name, &*request.text, now.unix_millis());
        let bytes = Message::Chat { from, name, text, to, time }.to_bytes();
        let receivers = match to {
            Some(to) => vec![to],
            // Everyone: viewers too, who do not see each other otherwise.
            None => self.others_in_room(from),
        };
        for peer in receivers {
            self.send_counted(peer, &bytes);
        }
        Ok(())
    }

    /// `presence`: kept, and shown to those who see this peer.
    pub(super) fn presence(&mut self, id: ConnectionId, request: &Presence<'_>) -> Result<(), Refusal> {
        let from = self.joined_peer(id)?;
        self.check_presence(request.state)?;
        let text = Message::Presence { from, state: request.state }.to_bytes();
        let Some(session) = self.sessions.get_mut(&from) else { return Ok(()) };
        session.presence = Some(request.state.to_owned());
        for peer in self.seen_by(from) {
            self.send_counted(peer, &text);
        }
        Ok(())
    }

    /// `invite`: an invitation into the room that one is in.
    pub(super) fn invite(&mut self, now: Now, id: ConnectionId, request: &Invite) -> Result<(), Refusal> {
        let peer = self.joined_peer(id)?;
        let life = request.expires_in.map_or(invitation::USUAL, Duration::from_secs);
        if !(invitation::SHORTEST..=invitation::LONGEST).contains(&life) {
            return Err(Refusal::bad("`expires_in` is from 60 to 2,592,000 seconds (30 days)."));
        }
        let Some(session) = self.sessions.get(&peer) else { return Ok(()) };
        if session.kind == Kind::Lobby {
            return Err(Refusal::new(ErrorCode::NotPermitted, "Nobody can be invited into a match."));
        }
        let (text, expires) = invitation::issue(&self.keys, now, &session.home, life);
        let expires = expires.saturating_mul(1_000);
        self.send_counted(peer, &Message::Invitation { invitation: &text, expires }.to_bytes());
        Ok(())
    }

    /// `ping`: the client is there, and has processed so many messages.
    pub(super) fn ping(&mut self, id: ConnectionId, request: &Ping) -> Result<(), Refusal> {
        let peer = self.connections.get(&id).and_then(|connection| connection.session);
        let session = peer.and_then(|peer| self.sessions.get_mut(&peer));
        let received = session.as_ref().map_or(0, |session| session.handled);
        if let (Some(session), Some(received)) = (session, request.received)
            && session.started
            && !session.outbox.acknowledge(received)
        {
            return Err(Refusal::bad("`received` is more than was sent in this session."));
        }
        self.send_now(id, Message::Pong { received }.to_bytes());
        Ok(())
    }

    /// The peer that speaks on this connection, once it has had its first `joined`.
    pub(super) fn joined_peer(&self, id: ConnectionId) -> Result<PeerId, Refusal> {
        self.connections
            .get(&id)
            .and_then(|connection| connection.session)
            .filter(|peer| self.sessions.get(peer).is_some_and(|session| session.started))
            .ok_or(Refusal::new(ErrorCode::NotJoined, "Join a room first."))
    }

    /// Those who see this peer, oldest first.
    pub(super) fn seen_by(&self, peer: PeerId) -> Vec<PeerId> {
        let room = self.sessions.get(&peer).and_then(|session| self.rooms.get(session.room()?));
        room.map(|room| room.seen_by(peer).collect()).unwrap_or_default()
    }

    fn others_in_room(&self, peer: PeerId) -> Vec<PeerId> {
        let room = self.sessions.get(&peer).and_then(|session| self.rooms.get(session.room()?));
        let members = room.map(|room| room.members.as_slice()).unwrap_or_default();
        members.iter().map(|member| member.peer).filter(|other| *other != peer).collect()
    }

    /// The peer that `to` names, if `from` may speak to it alone.
    fn peer_in_reach(&self, from: PeerId, to: &str) -> Result<PeerId, Refusal> {
        let nobody = Refusal::new(ErrorCode::NoSuchPeer, "`to` names nobody in this room.");
        let room = self.sessions.get(&from).and_then(|session| self.rooms.get(session.room()?));
        let own = room.and_then(|room| room.member(from));
        let other = PeerId::parse(to).and_then(|to| room?.member(to)).filter(|other| other.peer != from);
        let (Some(own), Some(other)) = (own, other) else { return Err(nobody) };
        if !own.sees(&other) {
            let why = "Viewers reach the streamer only, not each other.";
            return Err(Refusal::new(ErrorCode::NotPermitted, why));
        }
        Ok(other.peer)
    }
}
