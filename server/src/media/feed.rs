//! From one leg to others: the packet path of a worker.

use std::time::Instant;

use bytes::Bytes;
use peer::{Burst, MediaPacket, OutgoingPacket, TransceiverId};
use rtp::extension::{ExtensionMap, Kind};
use rtp::{Header, HeaderWriter, PayloadType};
use sfu::Forward;

use super::legs::{Leg, LegId, Legs};
use super::rooms::Room;

/// What a worker forwards in one turn.
///
/// Packets are taken as they come, and given to each leg all at once, just before what it has to send is sent: there are
/// more legs than the processor keeps in its caches, and each is fetched once.
#[derive(Default)]
pub(super) struct Feed {
    packets: Vec<Packet>,
    parcels: Vec<Parcel>,
    /// Legs that may have something to send.
    touched: Vec<LegId>,
    /// By their places.
    turns: Vec<Turn>,
    /// Something waits to be passed on to other workers.
    pub(super) has_passed_on: bool,
    pub(super) forwarded: u64,
    /// Packets that still waited for their turn when a key frame made them useless.
    pub(super) overtaken: u64,
    /// Packets of voices, where others were louder.
    pub(super) left_out: u64,
}

/// Parcels that wait for the end of a turn: two megabytes of them.
const PARCELS: usize = 16_384;

/// A packet of a publisher's, and what its header extensions' numbers mean.
struct Packet {
    bytes: Bytes,
    extensions: ExtensionMap,
    /// Whether any of its header extensions goes on to viewers: most packets have none that do.
    has_more: bool,
}

impl Packet {
    fn new(bytes: Bytes, extensions: ExtensionMap) -> Self {
        let goes_on = |kind: Kind| is_copied(kind) || kind == Kind::DependencyDescriptor;
        let has_more = Header::parse(&bytes)
            .is_ok_and(|header| header.extensions().any(|(id, _)| extensions.kind(id).is_some_and(goes_on)));
        Self { bytes, extensions, has_more }
    }
}

/// What becomes of a packet for one leg.
struct Parcel {
    /// Its place among the packets.
    packet: u32,
    /// The next one for this leg.
    next: Option<u32>,
    forward: Forward,
}

/// What a leg has of a turn. Those of all legs are together: to put something down for one does not fetch the leg.
#[derive(Default)]
struct Turn {
    generation: u32,
    /// It is among those that may have something to send.
    is_touched: bool,
    /// Its parcels: the first, and the last.
    parcels: Option<(u32, u32)>,
}

impl Feed {
    /// Takes everything that came over a publisher's leg, for those who watch it.
    pub(super) fn take(&mut self, now: Instant, from: LegId, legs: &mut Legs, room: &mut Room) {
        while let Some((packet, publication)) = next(from, legs) {
            let Some(publication) = publication else { continue };
            if !room.parts.is_empty() {
                self.has_passed_on |= room.pass_on(publication, &packet);
            }
            self.take_packet(now, publication, packet, room);
        }
    }

    /// Takes a packet of a publication, wherever it came from.
    pub(super) fn take_packet(
        &mut self,
        now: Instant,
        publication: sfu::PublicationId,
        packet: MediaPacket,
        room: &mut Room,
    ) {
        let Some(extensions) = room.published(publication).map(|published| published.extensions) else {
            return;
        };
        let place = self.packets.len() as u32;
        let left_out = room.sfu.left_out();
        let Self { parcels, touched, turns, .. } = self;
        room.sfu.handle_packet(now, publication, &packet, |_, forward| {
            let [leg, generation, ..] = forward.label;
            let Some(turn) = touch(touched, turns, LegId::of_parts(leg, generation)) else { return };
            push(parcels, turn, Parcel { packet: place, next: None, forward });
        });
        self.left_out += room.sfu.left_out() - left_out;
        self.packets.push(Packet::new(packet.bytes, extensions));
    }

    /// Gives a leg what is forwarded to it; what may leave at once is put into `burst`.
    pub(super) fn deliver(&mut self, now: Instant, number: LegId, leg: &mut Leg, burst: &mut Burst) {
        let parcels = turn(&mut self.turns, number).and_then(|turn| turn.parcels.take());
        let first = parcels.map(|(first, _)| first);
        burst.set_level(self.longest(first));
        let mut next = first;
        while let Some(parcel) = next.and_then(|at| self.parcels.get_mut(at as usize)) {
            next = parcel.next;
            let Some(packet) = self.packets.get(parcel.packet as usize) else { continue };
            let forward = &mut parcel.forward;
            let [_, _, transceiver, payload_type] = forward.label;
            let transceiver = TransceiverId::of_number(transceiver);
            let Some(payload_type) = u8::try_from(payload_type).ok().and_then(PayloadType::new) else {
                continue;
            };
            let outgoing = OutgoingPacket {
                payload_type,
                marker: forward.marker,
                timestamp: forward.timestamp,
                sequence_number: Some(forward.sequence_number),
                prefix: forward.prefix,
                payload: std::mem::take(&mut forward.payload),
            };
            if forward.begins {
                let first = Some(forward.sequence_number);
                self.overtaken += leg.peer.begin_anew(now, transceiver, 0, first) as u64;
            }
            let number = forward.frame_number;
            let whose = (transceiver, 0);
            let more = |writer: &mut HeaderWriter<'_>, map: &ExtensionMap| {
                if packet.has_more
                    && let Ok(header) = Header::parse(&packet.bytes)
                {
                    writer.copy_extensions(header, (&packet.extensions, map), is_copied);
                    describe(header, (&packet.extensions, map), number, writer);
                }
            };
            let sent = leg.peer.send_packet_at_once(now, whose, outgoing, more, burst);
            // What is too late, or finds no room, is lost to this one viewer.
            self.forwarded += u64::from(sent.is_ok());
        }
    }

    /// The longest payload of those that follow each other from here.
    fn longest(&self, first: Option<u32>) -> usize {
        let parcel = |at: u32| self.parcels.get(at as usize);
        let all = std::iter::successors(first.and_then(parcel), |one| one.next.and_then(parcel));
        all.map(|one| one.forward.prefix.len() + one.forward.payload.len()).max().unwrap_or(0)
    }

    /// Whether so much waits that it is to be delivered before more is read.
    pub(super) fn is_full(&self) -> bool {
        self.parcels.len() >= PARCELS
    }

    /// A leg may have something to send.
    pub(super) fn touch(&mut self, number: LegId) {
        touch(&mut self.touched, &mut self.turns, number);
    }

    /// It has sent what it had.
    pub(super) fn untouch(&mut self, number: LegId) {
        if let Some(turn) = turn(&mut self.turns, number) {
            turn.is_touched = false;
        }
    }

    /// The legs that may have something to send; what is forwarded to them is to be [delivered](Self::deliver) now.
    pub(super) fn take_touched(&mut self) -> Vec<LegId> {
        std::mem::take(&mut self.touched)
    }

    /// All of it was delivered. Its memory is used again.
    pub(super) fn done(&mut self, mut touched: Vec<LegId>) {
        if self.touched.is_empty() {
            touched.clear();
            self.touched = touched;
        }
        self.parcels.clear();
        self.packets.clear();
    }
}

fn push(parcels: &mut Vec<Parcel>, turn: &mut Turn, parcel: Parcel) {
    // Fewer than a worker's legs times what is read in a turn.
    let place = parcels.len() as u32;
    let first = match turn.parcels {
        Some((first, last)) => {
            if let Some(last) = parcels.get_mut(last as usize) {
                last.next = Some(place);
            }
            first
        }
        None => place,
    };
    turn.parcels = Some((first, place));
    parcels.push(parcel);
}

/// A leg's turn; none where it has none, or another leg has its place.
fn turn(turns: &mut [Turn], number: LegId) -> Option<&mut Turn> {
    let (place, generation) = number.parts();
    turns.get_mut(place as usize).filter(|turn| turn.generation == generation)
}

/// A leg may have something to send: its turn. None for nobody's number.
fn touch<'a>(touched: &mut Vec<LegId>, turns: &'a mut Vec<Turn>, number: LegId) -> Option<&'a mut Turn> {
    if number == LegId::NONE {
        return None;
    }
    let (place, generation) = number.parts();
    let place = place as usize;
    if turns.len() <= place {
        // A worker has some thousands of legs at most.
        turns.resize_with(place + 1, Turn::default);
    }
    let turn = turns.get_mut(place)?;
    match generation.wrapping_sub(turn.generation).cast_signed() {
        0 => {}
        // What was for the one before is for nobody.
        1.. => *turn = Turn { generation, ..Turn::default() },
        _ => return None,
    }
    if !std::mem::replace(&mut turn.is_touched, true) {
        touched.push(number);
    }
    Some(turn)
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
