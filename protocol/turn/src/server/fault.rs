//! Everything that can be wrong with what comes in: each fault drops one datagram, as RFC 8656 §11 and §12
//! demand (indications and ChannelData are never answered), and is counted.

wire::faults! {
    /// Why a datagram was dropped.
    pub enum Fault {
        /// Neither a STUN message nor ChannelData.
        NotStun => "not_stun",
        /// A STUN message, or ChannelData, whose lengths do not fit.
        Malformed => "malformed",
        /// FINGERPRINT is wrong.
        BadFingerprint => "bad_fingerprint",
        /// A method that this server does not know.
        UnknownMethod => "unknown_method",
        /// A response, where nothing was asked.
        UnexpectedClass => "unexpected_class",
        /// An indication with an attribute that must be understood and is not.
        UnknownAttribute => "unknown_attribute",
        /// An indication without what it needs.
        MissingAttribute => "missing_attribute",
        /// Data from a client that has no allocation.
        NoAllocation => "no_allocation",
        /// ChannelData on a channel that is not bound.
        NoChannel => "no_channel",
        /// Data to or from a peer for which the client has installed no permission.
        NoPermission => "no_permission",
        /// Data to an address that is denied.
        PeerDenied => "peer_denied",
        /// Data to a peer of a family that the allocation does not have.
        FamilyMismatch => "family_mismatch",
        /// Beyond the bandwidth that the user or the client's address may use.
        OverBandwidth => "over_bandwidth",
        /// A datagram too long for a ChannelData message or a Data indication.
        TooLong => "too_long",
        /// An ICMP error of a kind that is not passed on.
        IcmpIgnored => "icmp_ignored",
        /// Too many answers wait to be sent.
        AnswersFull => "answers_full",
        /// A request whose answer would have been larger than an unproven sender may draw.
        AnswerTooLarge => "answer_too_large",
        /// A request while its allocation is still being opened.
        StillOpening => "still_opening",
    }
}

/// What has happened since the server started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Binding requests answered.
    pub bindings: u64,
    /// Allocations made.
    pub allocated: u64,
    /// Relayed addresses that ended because nobody refreshed them.
    pub expired: u64,
    /// Requests answered with an error, by code: see [`Counters::errors`].
    errors: [u64; ERROR_CODES.len()],
    /// Datagrams and bytes of application data sent to peers.
    pub to_peers: Traffic,
    /// Datagrams and bytes of application data sent to clients.
    pub to_clients: Traffic,
    faults: [u64; Fault::ALL.len()],
}

/// Datagrams and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// How many datagrams.
    pub datagrams: u64,
    /// How many bytes of application data.
    pub bytes: u64,
}

impl Traffic {
    pub(super) fn add(&mut self, bytes: usize) {
        self.datagrams += 1;
        self.bytes += bytes as u64;
    }
}

const ERROR_CODES: [u16; 13] = [300, 400, 401, 403, 420, 437, 438, 440, 441, 442, 443, 486, 508];

impl Counters {
    /// Each fault and how often it occurred.
    pub fn faults(&self) -> impl Iterator<Item = (Fault, u64)> + '_ {
        Fault::ALL.iter().copied().zip(self.faults.iter().copied())
    }

    /// Each error code and how often it was answered.
    pub fn errors(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        ERROR_CODES.into_iter().zip(self.errors.iter().copied())
    }

    pub(super) fn count(&mut self, fault: Fault) {
        self.faults[fault as usize] += 1;
    }

    pub(super) fn count_error(&mut self, code: u16) {
        if let Some(position) = ERROR_CODES.iter().position(|known| *known == code) {
            self.errors[position] += 1;
        }
    }
}
