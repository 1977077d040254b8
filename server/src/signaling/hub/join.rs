//! Coming: newly, back after a lost connection, or back after the server lost its memory.

use std::time::Duration;

use rand_core::Rng;
use serde_json::value::RawValue;

use crate::signaling::{
    error::{ErrorCode, Refusal},
    inbound::{Join, Kind, Role},
    invitation,
    lock::Lock,
    names::{DisplayName, PeerId, RoomName},
    outbound::Message,
    outbox::Outbox,
    room::{self, Member, Room, RoomKey},
    session::{Link, Media, Place, Session},
    time::Now,
    token::{self, Claims},
};

use super::{CloseCode, ConnectionId, Hub, WRONG_PASSWORD_COST, timers::Timer};

/// The lobby that a `join` without a room means.
const USUAL_LOBBY: &str = "lobby";

/// Characters of a password.
const LONGEST_PASSWORD: usize = 256;

/// A `join` whose every field is of the right form.
struct Wish<'a> {
    home: RoomName,
    kind: Kind,
    role: Option<Role>,
    name: DisplayName,
    presence: Option<&'a RawValue>,
    lock: Option<Lock>,
    invitation: Option<&'a str>,
    claims: Option<Claims>,
    received: u64,
}

impl Hub {
    /// `join`.
    pub(super) fn join(&mut self, now: Now, id: ConnectionId, request: &Join<'_>) -> Result<(), Refusal> {
        if self.connections.get(&id).is_none_or(|connection| connection.session.is_some()) {
            return Err(Refusal::new(ErrorCode::AlreadyJoined, "This connection has joined already."));
        }
        if let Some(draining) = &self.draining {
            let retry = draining.until.saturating_duration_since(now.instant) + Duration::from_secs(1);
            let why = "The server is about to restart. Connect again in a moment.";
            return Err(Refusal::retry_after(ErrorCode::Draining, why, retry));
        }
        let wish = self.understand(now, request)?;
        let known = wish.claims.as_ref().and_then(|claims| {
            let session = self.sessions.get(&claims.peer)?;
            let goes_on =
                session.generation == claims.generation && session.outbox.can_resume_from(wish.received);
            Some((claims.peer, goes_on))
        });
        match known {
            Some((peer, true)) => self.resume(now, id, peer, wish.received),
            Some((peer, false)) if wish.kind != Kind::Lobby => self.renew(now, id, peer, wish),
            Some((peer, false)) => {
                self.take_over(peer);
                self.end_session(now, peer, crate::signaling::outbound::LeaveReason::Lost);
                return self.admit(now, id, wish);
            }
            None => return self.admit(now, id, wish),
        }
        Ok(())
    }

    /// Parses the fields and verifies the token.
    fn understand<'a>(&self, now: Now, request: &'a Join<'_>) -> Result<Wish<'a>, Refusal> {
        let limits = &self.settings.limits;
        let kind = request.kind.unwrap_or(Kind::Call);
        let room = match (&request.room, kind) {
            (Some(room), _) => room,
            (None, Kind::Lobby) => USUAL_LOBBY,
            (None, _) => return Err(Refusal::bad("`join` needs `room`.")),
        };
        let home = RoomName::parse(room, limits.room_characters).ok_or(Refusal::new(
            ErrorCode::BadRoom,
            "A room's name is 1 to 64 of the characters a-z A-Z 0-9 - _ . only.",
        ))?;
        let name = DisplayName::parse(&request.name, limits.name_characters).ok_or(Refusal::new(
            ErrorCode::BadName,
            "A display name is 1 to 64 characters, none of them a control character.",
        ))?;
        let role = match (kind, request.role) {
            (Kind::Live, role) => Some(role.unwrap_or(Role::Viewer)),
            (_, None) => None,
            (_, Some(_)) => return Err(Refusal::bad("`role` is for the kind `live` only.")),
        };
        let password = request.password.as_deref().filter(|password| !password.is_empty());
        if password.is_some_and(|password| password.chars().count() > LONGEST_PASSWORD) {
            return Err(Refusal::new(ErrorCode::TooLarge, "A password is at most 256 characters."));
        }
        if let Some(presence) = request.presence {
            self.check_presence(presence)?;
        }
        let place = token::Place { room: &home, kind, role };
        let claims = request.token.as_deref().and_then(|token| token::verify(&self.keys, now, place, token));
        Ok(Wish {
            lock: password.map(|password| Lock::new(&self.keys, &home, password)),
            home,
            kind,
            role,
            name,
            presence: request.presence,
            invitation: request.invitation.as_deref(),
            claims,
            received: request.received.unwrap_or(0),
        })
    }

    pub(super) fn check_presence(&self, state: &RawValue) -> Result<(), Refusal> {
        if !state.get().starts_with('{') {
            return Err(Refusal::bad("A presence is a JSON object."));
        }
        if state.get().len() > self.settings.limits.presence_bytes {
            return Err(Refusal::new(ErrorCode::TooLarge, "A presence is at most 1,024 bytes of JSON."));
        }
        Ok(())
    }

    /// The session goes on as if nothing had happened.
    fn resume(&mut self, now: Now, id: ConnectionId, peer: PeerId, received: u64) {
        self.counters.resumed += 1;
        self.take_over(peer);
        self.attach(id, peer);
        let Some(session) = self.sessions.get_mut(&peer) else { return };
        session.outbox.acknowledge(received);
        let missed: Vec<_> = session.outbox.iter().cloned().collect();
        let waits = session.place == Place::Waiting;
        self.send_joined(now, peer, true);
        for text in missed {
            self.send_now(id, text);
        }
        if waits {
            self.wait(now, peer);
        }
    }

    /// The peer is still in the room, but too much was missed: a new session in the same place. The
    /// others see it come again without having seen it go.
    fn renew(&mut self, now: Now, id: ConnectionId, peer: PeerId, wish: Wish<'_>) {
        self.counters.returned += 1;
        self.take_over(peer);
        let generation = self.random.next_u64();
        let Some(session) = self.sessions.get_mut(&peer) else { return };
        session.generation = generation;
        session.name = wish.name;
        session.presence = wish.presence.map(RawValue::to_owned);
        session.handled = 0;
        session.outbox = Outbox::default();
        if let Some(media) = &mut session.media {
            // It knows nothing of them any more; they stay until it offers anew.
            *media = Media::default();
        }
        self.attach(id, peer);
        self.send_joined(now, peer, false);
        self.announce_peer(peer);
    }

    /// A new session, if the room lets it in.
    fn admit(&mut self, now: Now, id: ConnectionId, wish: Wish<'_>) -> Result<(), Refusal> {
        if self.sessions.len() >= self.settings.limits.connections {
            return Err(server_full("The server has its limit of people. Try again in a while."));
        }
        let lock = self.check_admission(now, id, &wish)?;
        let peer = match &wish.claims {
            Some(claims) => {
                self.counters.returned += 1;
                claims.peer
            }
            None => self.new_peer_id(),
        };
        self.counters.joined += 1;
        let restored_match = wish.claims.as_ref().and_then(|claims| claims.in_match);
        let session = Session {
            generation: self.random.next_u64(),
            home: wish.home.clone(),
            kind: wish.kind,
            role: wish.role,
            name: wish.name,
            presence: wish.presence.map(RawValue::to_owned),
            place: Place::Waiting,
            link: Link::Connected(id),
            started: false,
            handled: 0,
            outbox: Outbox::default(),
            last_partner: None,
            media: None,
        };
        self.sessions.insert(peer, session);
        self.attach(id, peer);
        let key = match wish.kind {
            Kind::Lobby => restored_match.and_then(|number| self.restore_match(number)),
            _ => Some(RoomKey::Named(wish.home)),
        };
        match key {
            Some(key) => self.enter(now, peer, &key, lock),
            None => self.wait(now, peer),
        }
        Ok(())
    }

    /// Puts a new session into a room.
    fn enter(&mut self, now: Now, peer: PeerId, key: &RoomKey, lock: Option<Lock>) {
        let Some(session) = self.sessions.get_mut(&peer) else { return };
        session.place = Place::Room(key.clone());
        let member = Member { peer, role: session.role };
        let room = self.rooms.entry(key.clone()).or_insert_with(|| Room::new(session.kind, lock));
        // Only a match that is restored has somebody in it already: those two have met, and not by chance.
        let partner = match key {
            RoomKey::Match(_) => room.members.first().map(|partner| partner.peer),
            RoomKey::Named(_) => None,
        };
        room.members.push(member);
        if let Some(partner) = partner {
            for (one, other) in [(peer, partner), (partner, peer)] {
                if let Some(session) = self.sessions.get_mut(&one) {
                    session.last_partner = Some(other);
                }
            }
        }
        self.count_people(now, key, Some(peer));
        self.send_joined(now, peer, false);
        self.announce_peer(peer);
        self.audience_changed(now, key, Some(peer));
    }

    /// Whether the room is of this kind, has a place, and is open to this client; with the lock that the
    /// room gets if this is the first one in.
    fn check_admission(
        &mut self,
        now: Now,
        id: ConnectionId,
        wish: &Wish<'_>,
    ) -> Result<Option<Lock>, Refusal> {
        let invited = match wish.invitation {
            Some(text) if invitation::opens(&self.keys, now, &wish.home, text) => true,
            // Whoever had been let in is not sent away because the invitation has expired since.
            Some(_) if wish.claims.is_none() => {
                return Err(Refusal::new(
                    ErrorCode::BadInvitation,
                    "This invitation is not for this room, or has expired. Ask for a new one.",
                ));
            }
            _ => false,
        };
        if self.settings.invitation_required && !invited && wish.claims.is_none() {
            let why = "This server admits only people with an invitation. Ask for one.";
            return Err(Refusal::new(ErrorCode::InvitationRequired, why));
        }
        if wish.kind == Kind::Lobby {
            return Ok(None);
        }
        let limits = &self.settings.limits;
        let proven = wish.claims.as_ref().and_then(|claims| claims.lock);
        let Some(room) = self.rooms.get(&RoomKey::Named(wish.home.clone())) else {
            if self.rooms.len() >= limits.rooms {
                return Err(server_full("The server has its limit of rooms. Try again in a while."));
            }
            return Ok(wish.lock.or(proven));
        };
        if room.kind != wish.kind {
            return Err(Refusal::new(
                ErrorCode::WrongKind,
                match room.kind {
                    Kind::Live => "This room is a live stream. Open it at /live/ and its name.",
                    Kind::Send => "This room is for sending files. Open it at /send/ and its name.",
                    Kind::Call | Kind::Lobby => "This room is a call. Open it at /r/ and its name.",
                },
            ));
        }
        if let Some(lock) = room.lock {
            let knows = [wish.lock, proven].iter().flatten().any(|key| key.opens(&lock));
            if !knows && !invited {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.rate.charge(now.instant, WRONG_PASSWORD_COST);
                }
                let why = "This room has a password, and this is not it.";
                return Err(Refusal::new(ErrorCode::WrongPassword, why));
            }
        }
        if wish.role == Some(Role::Streamer) && room.streamer().is_some() {
            return Err(Refusal::new(ErrorCode::RoleTaken, "Someone streams here already. Watch instead."));
        }
        if !room.has_place_for(wish.role, limits) {
            return Err(Refusal::new(ErrorCode::RoomFull, "The room is full. Try again later."));
        }
        Ok(None)
    }

    /// The match that a token names, if it is not known (the server was restarted) or waits for its
    /// second peer since.
    fn restore_match(&mut self, number: u64) -> Option<RoomKey> {
        let key = RoomKey::Match(number);
        match self.rooms.get(&key) {
            Some(room) if room.restored && room.members.len() < 2 => Some(key),
            Some(_) => None,
            None if self.rooms.len() >= self.settings.limits.rooms => None,
            None => {
                let room = Room { restored: true, ..Room::new(Kind::Lobby, None) };
                self.rooms.insert(key.clone(), room);
                Some(key)
            }
        }
    }

    /// Takes the session from whatever connection it has.
    fn take_over(&mut self, peer: PeerId) {
        let Some(session) = self.sessions.get(&peer) else { return };
        match session.link {
            Link::Connected(old) => {
                self.close(old, CloseCode::TakenOver);
                self.stop_waiting(peer);
            }
            Link::Away { until } => self.timers.remove(until, Timer::Grace(peer)),
        }
    }

    fn attach(&mut self, id: ConnectionId, peer: PeerId) {
        if let (Some(connection), Some(session)) =
            (self.connections.get_mut(&id), self.sessions.get_mut(&peer))
        {
            connection.session = Some(peer);
            session.link = Link::Connected(id);
        }
    }

    /// Tells those who see this peer that it is here.
    fn announce_peer(&mut self, peer: PeerId) {
        let Some(session) = self.sessions.get(&peer) else { return };
        let text = Message::PeerJoined { peer: session.as_peer(peer) }.to_bytes();
        for other in self.seen_by(peer) {
            self.send_counted(other, &text);
        }
    }

    /// The state of the room as this peer sees it, and what it needs to come back.
    pub(super) fn send_joined(&mut self, now: Now, peer: PeerId, resumed: bool) {
        let limits = &self.settings.limits;
        let Some(session) = self.sessions.get(&peer) else { return };
        let Some(id) = session.connection() else { return };
        let room = session.room().and_then(|key| self.rooms.get(key));
        let host = self.connections.get(&id).map_or("", |connection| &connection.host);
        let in_match = match session.room() {
            Some(RoomKey::Match(number)) => Some(*number),
            _ => None,
        };
        let lock = room.and_then(|room| room.lock);
        let claims = Claims { peer, generation: session.generation, lock, in_match };
        let place = token::Place { room: &session.home, kind: session.kind, role: session.role };
        let peers = self.seen_by(peer);
        let text = Message::Joined {
            peer,
            room: &session.home,
            kind: session.kind,
            role: session.role,
            peers: peers.iter().filter_map(|id| Some(self.sessions.get(id)?.as_peer(*id))).collect(),
            capacity: room::capacity(session.kind, limits),
            token: &token::issue(&self.keys, now, place, &claims),
            grace: limits.grace_seconds,
            resumed,
            received: session.handled,
            ice_servers: &self.ice.ice_servers(host, now),
            audience: room.filter(|room| room.kind == Kind::Live).map(Room::viewers),
            locked: lock.is_some(),
            topology: room.and_then(|room| self.topology_of(room)),
        }
        .to_bytes();
        if let Some(session) = self.sessions.get_mut(&peer) {
            session.started = true;
        }
        self.send_now(id, text);
    }

    fn new_peer_id(&mut self) -> PeerId {
        loop {
            let peer = PeerId(self.random.next_u64());
            if !self.sessions.contains_key(&peer) {
                return peer;
            }
        }
    }
}

fn server_full(why: &'static str) -> Refusal {
    Refusal::retry_after(ErrorCode::ServerFull, why, Duration::from_secs(10))
}
