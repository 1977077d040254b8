//! Streams of programs: in by WHIP (RFC 9725), out by WHEP (draft-ietf-wish-whep).

use std::sync::Arc;
use std::time::Instant;

use peer::{MediaKind, PeerConnectionState};

use super::connection::{self, Refusal};
use super::legs::Owner;
use super::parts::RoomDescription;
use super::placement::Place;
use super::rooms::Room;
use super::worker::Worker;
use super::{Answer, ConnectionId, Role};
use crate::conference::{RoomKey, Source};

impl Worker {
    pub(super) fn offer(
        &mut self,
        now: Instant,
        key: &RoomKey,
        (role, is_trusted): (Role, bool),
        sdp: String,
        (place, described): (Option<Place>, Option<Arc<RoomDescription>>),
    ) -> Result<Answer, Refusal> {
        if let Some(described) = described {
            // The home has said it so that it can be answered now.
            self.room(now, key);
            self.learn_room(now, &described);
        }
        let answer = self.connect_program(now, key, (role, is_trusted), sdp, place);
        if answer.is_err() {
            self.drop_empty(now, key);
        }
        answer
    }

    fn connect_program(
        &mut self,
        now: Instant,
        key: &RoomKey,
        (role, is_trusted): (Role, bool),
        sdp: String,
        place: Option<Place>,
    ) -> Result<Answer, Refusal> {
        if self.legs.len() >= self.most {
            return Err(Refusal::Full);
        }
        if role == Role::Publisher {
            self.make_way(now, key);
        }
        let known = self.rooms.get(key);
        let codecs = known.map(Room::codecs).unwrap_or_default();
        match role {
            _ if !is_trusted && known.is_some_and(|room| room.is_locked) => return Err(Refusal::Locked),
            Role::Publisher if known.is_some_and(|room| room.publisher(&self.legs).is_some()) => {
                return Err(Refusal::Taken);
            }
            Role::Viewer if codecs.is_empty() => return Err(Refusal::Nobody),
            _ => {}
        }
        let mut peer = self.common.hear(now, sdp)?;
        match role {
            Role::Publisher => connection::receive_all(&mut peer)?,
            Role::Viewer => connection::send_what_is(&mut peer, &codecs)?,
        }
        let sdp = self.common.answer(now, &mut peer)?;
        let id = ConnectionId::on(self.index, u128::from_be_bytes(random()?));
        let tag = peer.ice().credentials().ufrag.as_str().to_owned();
        let room = self.room(now, key);
        let participant = room.join(now, None, place).map_err(|_| Refusal::Full)?;
        let number = self.insert(now, peer, Owner::Program { id, role }, (key.clone(), participant));
        match role {
            Role::Publisher => {
                self.publish(now, number, |_, kind| {
                    Some(if kind == MediaKind::Audio { Source::Microphone } else { Source::Camera })
                });
            }
            Role::Viewer => self.arrange(now, number),
        }
        Ok(Answer { id, sdp, tag })
    }

    /// Has programs' legs watch what has been published. Those that have agreed on another codec are ended, which tells them to
    /// ask anew: there is no offer that a server could make (draft-ietf-wish-whep §4.2).
    pub(super) fn serve_viewers(&mut self, now: Instant, key: &RoomKey) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        let mut stranded = Vec::new();
        for viewer in room.viewers(&self.legs) {
            let Some(leg) = self.legs.get_mut(viewer) else { continue };
            if leg.peer.connection_state() == PeerConnectionState::Connected {
                room.watch_all(now, viewer, leg);
            }
            if room.is_stranded(leg) {
                stranded.push(viewer);
            }
        }
        for viewer in stranded {
            self.remove(now, viewer, None);
        }
    }

    /// A publisher of whom nothing is heard any more does not keep the next one waiting.
    fn make_way(&mut self, now: Instant, key: &RoomKey) {
        let Some(number) = self.rooms.get(key).and_then(|room| room.publisher(&self.legs)) else { return };
        let is_silent = self
            .legs
            .get(number)
            .is_some_and(|leg| leg.peer.connection_state() == PeerConnectionState::Disconnected);
        if is_silent {
            self.remove(now, number, None);
        }
    }

    pub(super) fn patch(
        &mut self,
        now: Instant,
        id: ConnectionId,
        tag: Option<&str>,
        fragment: &str,
    ) -> Result<Option<Answer>, Refusal> {
        let number = self.legs.named(id).ok_or(Refusal::Unknown)?;
        let leg = self.legs.get_mut(number).ok_or(Refusal::Unknown)?;
        let changed = connection::patch(now, &mut leg.peer, tag, fragment, &self.common)?;
        self.legs.learn_fragment(number);
        self.feed.touch(number);
        Ok(changed.map(|(sdp, tag)| Answer { id, sdp, tag }))
    }
}

/// Random bytes.
pub(super) fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], Refusal> {
    let mut random = [0; LENGTH];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| Refusal::Full)?;
    Ok(random)
}
