//! How many watch a live room.

use crate::signaling::{
    inbound::Kind,
    outbound::Message,
    room::{AUDIENCE_INTERVAL, RoomKey},
    time::Now,
};

use super::{Hub, timers::Timer};

impl Hub {
    /// Somebody came or went: everyone in the room is told, at most once in an interval.
    pub(super) fn audience_changed(&mut self, now: Now, key: &RoomKey) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        if room.kind != Kind::Live || room.audience.scheduled {
            return;
        }
        match room.audience.last.map(|last| last + AUDIENCE_INTERVAL) {
            Some(at) if at > now.instant => {
                room.audience.scheduled = true;
                self.timers.add(at, Timer::Audience(key.clone()));
            }
            _ => self.announce_audience(now, key),
        }
    }

    pub(super) fn announce_audience(&mut self, now: Now, key: &RoomKey) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        room.audience.scheduled = false;
        let viewers = room.viewers();
        if viewers == room.audience.announced {
            return;
        }
        room.audience.announced = viewers;
        room.audience.last = Some(now.instant);
        let members: Vec<_> = room.members.iter().map(|member| member.peer).collect();
        let text = Message::Audience { viewers }.to_bytes();
        for peer in members {
            self.send_counted(peer, &text);
        }
    }
}
