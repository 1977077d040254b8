//! The driver's ends of transceivers.

use std::collections::BTreeMap;
use std::task::{Context, Poll};
use std::time::Instant;

use peer::TransceiverId;
use tokio::sync::mpsc;

use crate::Transceiver;
use crate::asking::Asking;
use crate::media::{Line, Outgoing};

/// Packets that wait to be taken from the application.
const WAITING: usize = 256;

/// How many packets are taken before everything else has its turn.
const PACKETS: usize = 256;

/// All transceivers of a connection.
#[derive(Debug)]
pub(super) struct Media {
    lines: BTreeMap<TransceiverId, Line>,
    /// Made with the first transceiver.
    packets: Option<(mpsc::Sender<Outgoing>, mpsc::Receiver<Outgoing>)>,
    commands: Asking,
}

impl Media {
    pub(super) fn new(commands: Asking) -> Self {
        Self { lines: BTreeMap::new(), packets: None, commands }
    }

    /// Makes the two ends of a transceiver's line.
    pub(super) fn adopt(&mut self, peer: &peer::PeerConnection, id: TransceiverId) -> Option<Transceiver> {
        if self.lines.contains_key(&id) {
            return None;
        }
        let (outgoing, _) = self.packets.get_or_insert_with(|| mpsc::channel(WAITING));
        let (line, handle) = Line::new(peer.transceiver(id)?, outgoing.clone(), self.commands.clone());
        self.lines.insert(id, line);
        Some(handle)
    }

    /// Descriptions may have changed everything.
    pub(super) fn publish(&mut self, peer: &peer::PeerConnection) {
        self.lines.retain(|id, line| {
            let one = peer.transceiver(*id);
            line.publish(one);
            one.is_some()
        });
    }

    /// Hands out what came.
    pub(super) fn deliver(&self, peer: &mut peer::PeerConnection) {
        while let Some(packet) = peer.poll_packet() {
            if let Some(line) = self.lines.get(&packet.transceiver) {
                line.deliver(packet);
            }
        }
    }

    /// Sends what was queued; says whether there was anything.
    pub(super) fn poll_send(
        &mut self,
        now: Instant,
        peer: &mut peer::PeerConnection,
        context: &mut Context<'_>,
    ) -> bool {
        let Some((_, packets)) = &mut self.packets else { return false };
        let mut any = false;
        for _ in 0..PACKETS {
            let Poll::Ready(Some(packet)) = packets.poll_recv(context) else { break };
            any = true;
            packet.send(now, peer);
        }
        any
    }
}
