//! Everything that can be wrong with what comes in and only drops it: RFC 9147 §4.5.2 wants invalid records
//! silently discarded. Each fault is counted.

wire::faults! {
    /// Why a datagram, or a record in it, was dropped.
    pub enum Fault {
        /// Not a record of DTLS, or one that is cut.
        NotDtls => "not_dtls",
        /// A record of an epoch that has no keys, or none any more.
        UnknownEpoch => "unknown_epoch",
        /// A record that was not sealed with the peer's key, or was changed.
        Forged => "forged",
        /// A record that came before, or is too old to tell.
        Replayed => "replayed",
        /// An authentic record of nothing.
        EmptyRecord => "empty_record",
        /// A record of a kind that may not come now.
        UnexpectedRecord => "unexpected_record",
        /// A handshake message's fragment that is not of its form, or contradicts others.
        BadFragment => "bad_fragment",
        /// A handshake message longer, or further ahead, than is kept.
        FragmentsFull => "fragments_full",
        /// A ClientHello that makes no sense, while none has come yet.
        BadClientHello => "bad_client_hello",
        /// An alert that is not of its form.
        BadAlert => "bad_alert",
        /// An alert in the clear, where alerts are protected already.
        UnprotectedAlert => "unprotected_alert",
        /// An acknowledgement that is not of its form.
        BadAck => "bad_ack",
        /// A second handshake, which is refused.
        Renegotiation => "renegotiation",
        /// Too many records came before their keys, or before the connection.
        EarlyFull => "early_full",
        /// More records in one datagram than can be handed out.
        TooManyRecords => "too_many_records",
        /// The connection is over.
        Closed => "closed",
    }
}

/// How often each fault came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters([u32; Fault::ALL.len()]);

impl Counters {
    /// How often `fault` came; stops counting at 2^32-1.
    pub fn get(&self, fault: Fault) -> u32 {
        self.0[fault as usize]
    }

    /// Every fault with how often it came.
    pub fn iter(&self) -> impl Iterator<Item = (Fault, u32)> {
        Fault::ALL.iter().map(|fault| (*fault, self.get(*fault)))
    }

    pub(crate) fn count(&mut self, fault: Fault) {
        let counter = &mut self.0[fault as usize];
        *counter = counter.saturating_add(1);
    }
}
