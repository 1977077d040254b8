//! How many watch a live room.

use crate::signaling::{
    inbound::Kind,
    names::PeerId,
    outbound::Message,
    room::{AUDIENCE_INTERVAL, RoomKey},
    time::Now,
};

use super::{Hub, timers::Timer};

impl Hub {
    /// Somebody came or went: everyone in the room is told, at most once in an interval, but for the one
    /// that has just been told by its `joined`.
    pub(super) fn audience_changed(&mut self, now: Now, key: &RoomKey, newest: Option<PeerId>) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        if room.kind != Kind::Live || room.audience.scheduled {
            return;
        }
        match room.audience.last.map(|last| last + AUDIENCE_INTERVAL) {
            Some(at) if at > now.instant => {
                room.audience.scheduled = true;
                self.timers.add(at, Timer::Audience(key.clone()));
            }
            _ => self.announce_audience(now, key, newest),
        }
    }

    pub(super) fn announce_audience(&mut self, now: Now, key: &RoomKey, newest: Option<PeerId>) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        room.audience.scheduled = false;
        let viewers = room.viewers();
        if viewers == room.audience.announced {
            return;
        }
        room.audience.announced = viewers;
        room.audience.last = Some(now.instant);
        let members = room.members.iter().map(|member| member.peer);
        let members: Vec<_> = members.filter(|peer| Some(*peer) != newest).collect();
        let text = Message::Audience { viewers }.to_bytes();
        for peer in members {
            self.send_counted(peer, &text);
        }
    }
}
