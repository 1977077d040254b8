//! What the simulator asks of one end of a stack.

use std::net::SocketAddr;
use std::time::Instant;

/// Which of the two channels of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Large messages, in order.
    Bulk,
    /// Small ones, each for itself.
    Urgent,
}

/// A message, or a piece of one, that an end has received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    pub(crate) lane: Lane,
    pub(crate) bytes: usize,
    /// What the first eight bytes say; zero in pieces that are not the first.
    pub(crate) number: u64,
}

impl Heard {
    pub(crate) fn new(lane: Lane, data: &[u8], is_first: bool) -> Self {
        let head = data.first_chunk().filter(|_| is_first);
        Self { lane, bytes: data.len(), number: head.map_or(0, |head| u64::from_be_bytes(*head)) }
    }
}

/// What an end gave since it was asked last.
#[derive(Debug, Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    pub(crate) heard: Vec<Heard>,
}

impl Output {
    /// A datagram leaves.
    pub(crate) fn send(&mut self, datagram: &[u8]) {
        self.bytes.extend_from_slice(datagram);
        self.ends.push(self.bytes.len());
    }

    /// Datagrams that left, in order.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.heard.clear();
    }
}

/// One end of a stack, without sockets and clocks.
pub(crate) trait End {
    /// Takes a datagram.
    fn take(&mut self, now: Instant, datagram: &mut [u8]);

    /// Does what is due, and gives everything that leaves and that was received.
    fn advance(&mut self, now: Instant, output: &mut Output);

    /// When to call [`Self::advance`] next, whatever arrives.
    fn deadline(&mut self) -> Option<Instant>;

    /// Whether both lanes can be used.
    fn is_open(&self) -> bool;

    /// Queues a message. False where the stack refuses it for now.
    fn send(&mut self, now: Instant, lane: Lane, message: &[u8]) -> bool;

    /// Bytes of the bulk lane that wait to be sent for the first time.
    fn buffered(&mut self) -> usize;

    /// Whether that counts what is under way, too.
    fn counts_under_way(&self) -> bool {
        false
    }
}

/// Where the ends of one connection are: the first opens it.
pub(crate) type Addresses = [SocketAddr; 2];

/// A pair of ends that are about to connect.
pub(crate) type Pair = [Box<dyn End>; 2];

/// The stacks that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stack {
    /// Our peer connection.
    Twocan,
    /// Our SCTP alone.
    TwocanSctp,
    Str0m,
    Rtc,
    /// SCTP alone.
    Dcsctp,
}

impl Stack {
    pub(crate) const ALL: [Self; 5] = [Self::Twocan, Self::Str0m, Self::Rtc, Self::TwocanSctp, Self::Dcsctp];

    /// As the tables name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Twocan => "twocan",
            Self::TwocanSctp => "twocan, SCTP",
            Self::Str0m => "str0m",
            Self::Rtc => "rtc",
            Self::Dcsctp => "dcsctp",
        }
    }

    /// Those that this program was built with: rtc brings a hundred crates along, so that only measuring has it
    /// (`--features rtc`, which `cargo xtask bench simulator` says).
    pub(crate) fn built() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|stack| cfg!(feature = "rtc") || *stack != Self::Rtc)
    }

    /// Two ends that connect as soon as time passes; none if this program was built without the stack.
    pub(crate) fn pair(self, now: Instant, addresses: Addresses, seed: u64) -> Option<Pair> {
        Some(match self {
            Self::Twocan => super::twocan::pair(now, addresses, seed),
            Self::TwocanSctp => super::twocan_sctp::pair(now, seed),
            Self::Str0m => super::str0m::pair(now, addresses),
            #[cfg(feature = "rtc")]
            Self::Rtc => super::rtc::pair(now, addresses),
            #[cfg(not(feature = "rtc"))]
            Self::Rtc => return None,
            Self::Dcsctp => super::dcsctp::pair(now),
        })
    }
}

#[cfg(test)]
impl Stack {
    /// Whether it is one that we wrote.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Twocan | Self::TwocanSctp)
    }

    /// Whether it is SCTP alone.
    pub(crate) fn is_alone(self) -> bool {
        matches!(self, Self::TwocanSctp | Self::Dcsctp)
    }
}
