//! One who is in the room: a socket, and what it sends.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::super::camera::{self, Dice, LAYERS, PICTURE, SOUND_BYTES};
use super::{REPORT, SOUND};
use crate::bare::{Arena, Cipher, Socket};

/// From one report to the next, and its bytes: of a hundred packets (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
const REPORTS: Duration = Duration::from_millis(50);
const REPORT_BYTES: usize = 140;

pub(super) struct Person {
    pub(super) socket: Socket,
    cipher: Cipher,
    dice: Dice,
    /// Pictures so far.
    pictures: usize,
    /// When the next picture, sound and report leave.
    due: [Duration; 3],
    scratch: Vec<u8>,
    /// Packets so far, without reports.
    pub(super) sent: u64,
    pub(super) received: u64,
}

impl Person {
    /// Each sends at moments of its own.
    pub(super) fn new(place: usize, people: usize) -> io::Result<Self> {
        let (place, people) = (place as u32, people as u32);
        Ok(Self {
            socket: Socket::bind()?,
            cipher: Cipher::new()?,
            dice: Dice(place),
            pictures: 0,
            due: [
                PICTURE * place / people,
                camera::SOUND * ((7 * place) % people) / people,
                REPORTS * ((3 * place) % people) / people,
            ],
            scratch: Vec::new(),
            sent: 0,
            received: 0,
        })
    }

    /// When it sends next.
    pub(super) fn next(&self) -> Duration {
        let [picture, sound, report] = self.due;
        picture.min(sound).min(report)
    }

    pub(super) fn send_due(&mut self, now: Duration, server: SocketAddr) -> io::Result<()> {
        let [picture, sound, report] = self.due.map(|due| due <= now);
        if sound {
            self.due[1] += camera::SOUND;
            self.sent += self.send(server, SOUND, SOUND_BYTES)?;
        }
        if picture {
            self.due[0] += PICTURE;
            for (place, layer) in LAYERS.iter().enumerate() {
                let bytes = layer.bytes(camera::tenths(self.pictures), self.dice.percent());
                self.sent += self.send(server, place as u8, bytes)?;
            }
            self.pictures += 1;
        }
        if report {
            self.due[2] += REPORTS;
            self.send(server, REPORT, REPORT_BYTES)?;
        }
        Ok(())
    }

    /// As few packets as can be, of one size; how many.
    fn send(&mut self, server: SocketAddr, of: u8, bytes: usize) -> io::Result<u64> {
        let count = bytes.div_ceil(camera::PAYLOAD);
        let mut payload = vec![7; bytes.div_ceil(count)];
        payload[0] = of;
        self.scratch.clear();
        (0..count).try_for_each(|_| self.cipher.seal(&payload, &mut self.scratch))?;
        self.socket.send(server, &self.scratch, self.scratch.len() / count)?;
        Ok(count as u64)
    }

    pub(super) fn hear(&mut self, arena: &mut Arena) -> io::Result<()> {
        let received = &mut self.received;
        self.socket.read(arena, |_, _| {
            *received += 1;
            Ok(())
        })
    }
}
