//! How long packets are in the server: from when the kernel has one for it, until the kernel has it from it.
//!
//! The forwarder leaves timestamps of a single encoding as they are, so that a packet is known by its timestamp on both
//! sides. Headers of SRTP are in the clear (RFC 3711 §3.1).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use rtp::{Header, PayloadType};

use super::capture::Passing;
use super::delays::Spread;

/// So many sounds and pictures of each who streams are kept: eight seconds at 30 a second.
const KEPT: usize = 256;

/// Sound, or the last packet of a picture.
const KINDS: usize = 2;

#[derive(Default)]
pub(super) struct Transit {
    rooms: Vec<Room>,
    /// Whose each port of those who stream and watch is.
    ports: HashMap<u16, (usize, Side)>,
    /// Of sound, and of pictures, in milliseconds.
    pub(super) took: [Spread; KINDS],
    /// The same of whoever was first to get it.
    pub(super) first: [Spread; KINDS],
    /// What went to those who watch, of which it was not seen when it came.
    pub(super) unknown: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Studio,
    Viewer,
}

struct Room {
    payload_types: [PayloadType; KINDS],
    came: [VecDeque<Came>; KINDS],
}

struct Came {
    timestamp: u32,
    at: Duration,
    has_left: bool,
}

impl Transit {
    /// Looks at a room, too: where one streams from, where those who watch are, and how sound and pictures are known.
    pub(super) fn add(
        &mut self,
        studio: u16,
        viewers: impl Iterator<Item = u16>,
        payload_types: [PayloadType; KINDS],
    ) {
        let place = self.rooms.len();
        self.rooms.push(Room { payload_types, came: Default::default() });
        self.ports.extend(viewers.map(|port| (port, (place, Side::Viewer))));
        self.ports.insert(studio, (place, Side::Studio));
    }

    pub(super) fn take(&mut self, passing: &Passing<'_>) {
        let whose = |port, side| self.ports.get(&port).filter(|whose| whose.1 == side).copied();
        let from = whose(passing.source_port, Side::Studio);
        let Some((room, side)) = from.or_else(|| whose(passing.destination_port, Side::Viewer)) else {
            return;
        };
        let Some(room) = self.rooms.get_mut(room) else { return };
        for datagram in passing.datagrams() {
            let Ok(header) = Header::parse(datagram) else { continue };
            let Some(kind) = room.kind(header) else { continue };
            let (came, timestamp) = (&mut room.came[kind], header.timestamp().0);
            let known = came.iter_mut().rev().find(|came| came.timestamp == timestamp);
            match (side, known) {
                (Side::Studio, None) => {
                    if came.len() == KEPT {
                        came.pop_front();
                    }
                    came.push_back(Came { timestamp, at: passing.at, has_left: false });
                }
                // What was sent again: the first one counts.
                (Side::Studio, Some(_)) => {}
                (Side::Viewer, None) => self.unknown += 1,
                (Side::Viewer, Some(came)) => {
                    let took = passing.at.saturating_sub(came.at).as_secs_f64() * 1e3;
                    self.took[kind].add(took);
                    if !std::mem::replace(&mut came.has_left, true) {
                        self.first[kind].add(took);
                    }
                }
            }
        }
    }
}

impl Room {
    fn kind(&self, header: Header<'_>) -> Option<usize> {
        let [sound, pictures] = self.payload_types;
        match header.payload_type() {
            own if own == sound => Some(0),
            own if own == pictures && header.marker() => Some(1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
