//! The flight on its way out: cut into datagrams, sent again until it is answered or acknowledged (RFC 9147 §5.7,
//! §5.8, §7.2; RFC 6347 §4.2.4).

use std::ops::Range;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::message::MessageType;
use crate::message::fragment;
use crate::record::RecordNumber;
use crate::record::content_type::ContentType;
use crate::writing::{HANDSHAKE_EPOCH, Writing};

/// A peer that repeats itself has us repeat ourselves, but not more often than this.
const RESEND_GAP: Duration = Duration::from_millis(10);
/// After so many vain transmissions datagrams become smaller: the path may not carry ours (RFC 9147 §4.4). In DTLS 1.3,
/// where only what is missing is sent, every record then gets one of its own: some peers (dimpl 0.9) drop a whole
/// datagram that begins with something they know already. In DTLS 1.2 the same peers want whole flights.
const TRANSMISSIONS_BEFORE_SMALLER: u32 = 3;
/// Every path of IPv4 carries this: 576 bytes less headers.
const SMALL_MTU: usize = 548;
/// The least of a message that is worth a fragment at the end of a datagram, in bytes.
const MIN_FRAGMENT: usize = 64;
/// Records of which is remembered what was in them.
const MAX_SENT: usize = 256;

enum Content {
    Message { code: u8, sequence: u16, body: Range<usize> },
    ChangeCipherSpec,
}

struct Item {
    epoch: u64,
    content: Content,
    /// What was not acknowledged yet, in order, as it was cut when it was sent first. It is cut anew only where it does
    /// not fit: not every peer joins fragments that overlap, though it must (RFC 9147 §5.5).
    missing: Vec<Range<usize>>,
}

/// A part of an item: all of it, or a fragment.
#[derive(Clone)]
struct Piece {
    item: usize,
    range: Range<usize>,
}

/// What we have to say until the peer answers.
pub(crate) struct Flight {
    number: u32,
    next_sequence: u16,
    items: Vec<Item>,
    bodies: Vec<u8>,
    /// What is still to be sent this time, the last first.
    pending: Vec<Piece>,
    sent: Vec<(RecordNumber, Piece)>,
    transmissions: u32,
    interval: Duration,
    last: Option<Instant>,
    deadline: Option<Instant>,
    is_last: bool,
}

impl Flight {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            number: 0,
            next_sequence: 0,
            items: Vec::new(),
            bodies: Vec::new(),
            pending: Vec::new(),
            sent: Vec::new(),
            transmissions: 0,
            interval: config.initial_retransmission,
            last: None,
            deadline: None,
            is_last: false,
        }
    }

    /// Which flight it is; counts up.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// How long an answer is waited for at present.
    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    /// Whether nothing waits for an answer.
    pub(crate) fn is_done(&self) -> bool {
        self.is_last || self.is_acknowledged()
    }

    fn is_acknowledged(&self) -> bool {
        self.items.iter().all(|item| item.missing.is_empty())
    }

    /// When it is to be sent again.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// What was sent counts as sent just now.
    pub(crate) fn restart_timer(&mut self, now: Instant) {
        self.deadline = self.deadline.map(|_| now + self.interval);
    }

    /// Begins another flight: what was said before has been answered.
    pub(crate) fn begin(&mut self, config: &Config) {
        self.number += 1;
        self.clear();
        self.interval = config.initial_retransmission;
    }

    /// The peer has all of it.
    pub(crate) fn clear(&mut self) {
        self.items = Vec::new();
        self.bodies = Vec::new();
        self.pending = Vec::new();
        self.sent = Vec::new();
        self.transmissions = 0;
        self.deadline = None;
        self.last = None;
        self.is_last = false;
    }

    /// Adds a message; returns its number. Nothing is sent before [`Flight::send`].
    pub(crate) fn add(&mut self, epoch: u64, kind: MessageType, body: &[u8]) -> u16 {
        let (start, sequence) = (self.bodies.len(), self.next_sequence);
        self.bodies.extend_from_slice(body);
        self.next_sequence = self.next_sequence.saturating_add(1);
        let content = Content::Message { code: kind.code(), sequence, body: start..self.bodies.len() };
        let whole = 0..body.len();
        self.items.push(Item { epoch, content, missing: vec![whole] });
        sequence
    }

    /// Adds DTLS 1.2's ChangeCipherSpec, which is no handshake message.
    pub(crate) fn add_change_cipher_spec(&mut self) {
        let whole = 0..1;
        self.items.push(Item { epoch: 0, content: Content::ChangeCipherSpec, missing: vec![whole] });
    }

    /// All of it that was not acknowledged goes out.
    pub(crate) fn send(&mut self) {
        let pieces = self.items.iter().enumerate().flat_map(|(index, item)| {
            item.missing.iter().map(move |range| Piece { item: index, range: range.clone() })
        });
        self.pending = pieces.collect();
        self.pending.reverse();
        self.deadline = None;
    }

    /// Leaves messages out, or changes them, as an ill-meaning end would; those behind move up.
    #[cfg(test)]
    pub(crate) fn falsify(&mut self, first: u16, change: impl Fn(u8, Vec<u8>) -> Option<Vec<u8>>) {
        let items = std::mem::take(&mut self.items);
        let bodies = std::mem::take(&mut self.bodies);
        self.next_sequence = first;
        for item in items {
            match item.content {
                Content::ChangeCipherSpec => self.add_change_cipher_spec(),
                Content::Message { code, body, .. } => {
                    let Some(body) = change(code, bodies[body].to_vec()) else { continue };
                    self.add(item.epoch, MessageType::Finished, &body);
                    if let Some(Item { content: Content::Message { code: slot, .. }, .. }) =
                        self.items.last_mut()
                    {
                        *slot = code;
                    }
                }
            }
        }
        self.send();
    }

    /// The same for the last flight of DTLS 1.2: nothing answers it, so it is sent again only to a peer that repeats
    /// its own (RFC 6347 §4.2.4).
    pub(crate) fn send_once(&mut self) {
        self.send();
        self.is_last = true;
    }

    /// The peer seems to miss something. Does nothing if it was sent only just now.
    pub(crate) fn resend(&mut self, now: Instant) {
        let is_recent = self.last.is_some_and(|last| now < last + RESEND_GAP);
        if !is_recent && self.pending.is_empty() && !self.is_acknowledged() {
            self.send();
        }
    }

    /// An answer that should have come seems to be lost: it is sent again by then.
    pub(crate) fn hasten(&mut self, by: Instant) {
        self.deadline = self.deadline.map(|deadline| deadline.min(by));
    }

    /// Time has passed without an answer.
    pub(crate) fn handle_timeout(&mut self, now: Instant, config: &Config) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        self.interval = (2 * self.interval).min(config.maximum_retransmission);
        self.send();
    }

    /// A record was acknowledged. Returns whether that was news.
    pub(crate) fn acknowledge(&mut self, number: RecordNumber) -> bool {
        let mut is_news = false;
        for (_, piece) in self.sent.iter().filter(|(sent, _)| *sent == number) {
            let Some(item) = self.items.get_mut(piece.item) else { continue };
            let before = item.missing.len();
            let missing = std::mem::take(&mut item.missing);
            is_news |=
                missing.iter().any(|range| range.start < piece.range.end && piece.range.start < range.end);
            item.missing = missing.into_iter().flat_map(|range| without(range, &piece.range)).collect();
            is_news |= item.missing.len() != before;
        }
        if is_news && self.is_done() {
            self.clear();
        }
        is_news
    }

    /// Appends the next datagram of at most `mtu` bytes. Returns whether there was any.
    pub(crate) fn write(
        &mut self,
        now: Instant,
        writing: &mut Writing,
        mtu: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        if self.pending.is_empty() {
            return false;
        }
        let is_careful = self.transmissions >= TRANSMISSIONS_BEFORE_SMALLER;
        let mtu = if is_careful { mtu.min(SMALL_MTU) } else { mtu };
        let is_13 = self.items.iter().any(|item| item.epoch >= HANDSHAKE_EPOCH);
        let start = out.len();
        while let Some(piece) = self.pending.pop() {
            let room = mtu.saturating_sub(out.len() - start);
            match self.put(writing, &piece, room, out.len() == start, out) {
                Put::All if is_careful && is_13 => break,
                Put::All => {}
                Put::Some(rest) => {
                    self.pending.push(rest);
                    break;
                }
                Put::Full => {
                    self.pending.push(piece);
                    break;
                }
                // A key is used up: the flight cannot be sent any more.
                Put::Never => self.pending.clear(),
            }
        }
        if self.pending.is_empty() {
            self.transmissions = self.transmissions.saturating_add(1);
            self.last = Some(now);
            self.deadline = if self.is_last { None } else { Some(now + self.interval) };
        }
        out.len() > start
    }

    fn put(
        &mut self,
        writing: &mut Writing,
        piece: &Piece,
        room: usize,
        is_first: bool,
        out: &mut Vec<u8>,
    ) -> Put {
        let Some(item) = self.items.get(piece.item) else { return Put::All };
        let Content::Message { code, sequence, body } = &item.content else {
            if !is_first && room < writing.overhead(0) + 1 {
                return Put::Full;
            }
            let put = writing.put(item.epoch, ContentType::ChangeCipherSpec, out, |out| out.push(1));
            return if put.is_ok() { Put::All } else { Put::Never };
        };
        let overhead = writing.overhead(item.epoch) + fragment::HEADER_LEN;
        let room = room.saturating_sub(overhead);
        let least = if self.transmissions == 0 { MIN_FRAGMENT } else { usize::MAX };
        if !is_first && room < piece.range.len().min(least) {
            return Put::Full;
        }
        let take = piece.range.len().min(room.max(MIN_FRAGMENT));
        let range = piece.range.start..piece.range.start + take;
        let header = fragment::header(*code, body.len(), *sequence, range.start, take);
        let bytes = &self.bodies[body.start + range.start..body.start + range.end];
        let put = writing.put(item.epoch, ContentType::Handshake, out, |out| {
            out.extend_from_slice(&header);
            out.extend_from_slice(bytes);
        });
        let Ok(number) = put else { return Put::Never };
        if self.sent.len() == MAX_SENT {
            self.sent.remove(0);
        }
        self.sent.push((number, Piece { item: piece.item, range: range.clone() }));
        if range.end == piece.range.end {
            return Put::All;
        }
        let rest = range.end..piece.range.end;
        self.items[piece.item].cut(range, &piece.range);
        Put::Some(Piece { item: piece.item, range: rest })
    }
}

impl Item {
    /// Notes that `whole` was cut behind `first`.
    fn cut(&mut self, first: Range<usize>, whole: &Range<usize>) {
        if let Some(at) = self.missing.iter().position(|range| range == whole) {
            self.missing[at] = first.end..whole.end;
            self.missing.insert(at, first);
        }
    }
}

enum Put {
    All,
    Some(Piece),
    Full,
    Never,
}

/// What is left of `range` without `part`.
fn without(range: Range<usize>, part: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let before = range.start..range.end.min(part.start);
    let after = range.start.max(part.end)..range.end;
    [before, after].into_iter().filter(|range| !range.is_empty())
}

#[cfg(test)]
mod tests;
