//! From one leg to others: the packet path of a worker.

use std::time::Instant;

use peer::{MediaPacket, OutgoingPacket};
use rtp::extension::{ExtensionMap, Kind};
use rtp::{Header, HeaderWriter};
use sfu::{Forward, SubscriptionId};

use super::legs::{LegId, Legs};
use super::rooms::Room;

/// What is kept for its memory from packet to packet.
#[derive(Default)]
pub(super) struct Feed {
    forwards: Vec<(SubscriptionId, Forward)>,
    /// Legs that have something to send.
    pub(super) touched: Vec<LegId>,
    pub(super) forwarded: u64,
}

impl Feed {
    /// Takes everything that came over a publisher's leg to those who watch it.
    pub(super) fn take(&mut self, now: Instant, from: LegId, legs: &mut Legs, room: &mut Room) {
        while let Some((packet, publication)) = next(from, legs) {
            let Some(publication) = publication else { continue };
            room.sfu.handle_packet(now, publication, &packet, |subscription, forward| {
                self.forwards.push((subscription, forward));
            });
            let Some(published) = room.published(publication) else { continue };
            let header = Header::parse(&packet.bytes).ok();
            let Self { forwards, touched, forwarded } = self;
            for (subscription, forward) in forwards.drain(..) {
                let Some(target) = room.targets.get(&subscription) else { continue };
                let Some(leg) = legs.get_mut(target.leg) else { continue };
                let outgoing = OutgoingPacket {
                    payload_type: target.payload_type,
                    marker: forward.marker,
                    timestamp: forward.timestamp,
                    sequence_number: Some(forward.sequence_number),
                    prefix: forward.prefix,
                    payload: forward.payload,
                };
                let sent = leg.peer.send_packet(now, target.transceiver, 0, outgoing, |writer, map| {
                    if let Some(header) = header {
                        writer.copy_extensions(header, (&published.extensions, map), is_copied);
                        describe(header, (&published.extensions, map), forward.frame_number, writer);
                    }
                });
                // What is too late, or finds no room, is lost to this one viewer.
                if sent.is_ok() {
                    *forwarded += 1;
                    touch(touched, target.leg);
                }
            }
        }
    }

    /// A leg may have something to send.
    pub(super) fn touch(&mut self, leg: LegId) {
        touch(&mut self.touched, leg);
    }
}

fn touch(touched: &mut Vec<LegId>, leg: LegId) {
    if touched.last() != Some(&leg) {
        touched.push(leg);
    }
}

/// The next packet of a leg, and what it is of.
fn next(from: LegId, legs: &mut Legs) -> Option<(MediaPacket, Option<sfu::PublicationId>)> {
    let leg = legs.get_mut(from)?;
    let packet = leg.peer.poll_packet()?;
    let mut publications = leg.publications.iter();
    let publication = publications.find(|(transceiver, _)| *transceiver == packet.transceiver);
    Some((packet, publication.map(|(_, publication)| *publication)))
}

/// Whether an extension is copied as it is. Layers are the publisher's, and descriptors have a number of the viewer's own:
/// see [`describe`].
fn is_copied(kind: Kind) -> bool {
    kind.is_of_media() && !matches!(kind, Kind::VideoLayersAllocation | Kind::DependencyDescriptor)
}

/// Copies a frame's dependency descriptor, with the number that the frame has in the receiver's stream (the AV1 RTP
/// specification, appendix A.8.1: 16 bits after the first byte).
fn describe(
    header: Header<'_>,
    (from, to): (&ExtensionMap, &ExtensionMap),
    number: Option<u16>,
    writer: &mut HeaderWriter<'_>,
) {
    let descriptor = from.id(Kind::DependencyDescriptor);
    let mut extensions = header.extensions();
    let Some((_, value)) = extensions.find(|(id, _)| Some(*id) == descriptor) else { return };
    let mut own = [0; rtp::extension::MAX_LEN];
    let Some(own) = own.get_mut(..value.len()) else { return };
    own.copy_from_slice(value);
    if let (Some(number), Some(field)) = (number, own.get_mut(1..3)) {
        field.copy_from_slice(&number.to_be_bytes());
    }
    writer.raw_extension(to, Kind::DependencyDescriptor, own);
}
