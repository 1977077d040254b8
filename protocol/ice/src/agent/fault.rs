//! What is wrong with datagrams: each fault drops one, is counted, and where the standard wants it (RFC 8489
//! §6.3.1, §9.1.3; RFC 8445 §7.3.1.1) is answered.

wire::faults! {
    /// Why a STUN message was not accepted.
    pub enum Fault {
        /// A STUN message whose lengths do not fit.
        Malformed => "malformed",
        /// FINGERPRINT is missing or wrong.
        BadFingerprint => "bad_fingerprint",
        /// Another method than Binding.
        UnknownMethod => "unknown_method",
        /// A check without USERNAME, MESSAGE-INTEGRITY, PRIORITY or the sender's role, or with a malformed one: 400.
        BadRequest => "bad_request",
        /// A check for another agent, or for credentials that are forgotten: 401.
        UnknownUfrag => "unknown_ufrag",
        /// A check or an answer made with another password: 401.
        BadIntegrity => "bad_integrity",
        /// A check with an attribute that must be understood and is not: 420.
        UnknownAttribute => "unknown_attribute",
        /// A check that reached an address which is no candidate's.
        UnknownLocal => "unknown_local",
        /// A check whose sender believes to have our role, and must give it up: 487.
        RoleConflict => "role_conflict",
        /// An answer to nothing that is outstanding.
        UnknownTransaction => "unknown_transaction",
        /// An answer that came another way than its check went.
        Asymmetric => "asymmetric",
        /// An answer without a usable XOR-MAPPED-ADDRESS, or an error without a code.
        BadAnswer => "bad_answer",
        /// Too many candidates were learnt from checks.
        TooManyLearnt => "too_many_learnt",
        /// Too many answers wait to be sent, or too many checks came before the peer's credentials.
        Overload => "overload",
        /// The caller did not take events: what the peer embedded was dropped.
        EventsFull => "events_full",
        /// The agent is closed, or ICE has failed.
        Over => "over",
    }
}

/// How often each fault occurred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters([u32; Fault::ALL.len()]);

impl Counters {
    /// Each fault and how often it occurred.
    pub fn faults(&self) -> impl Iterator<Item = (Fault, u32)> + '_ {
        Fault::ALL.iter().copied().zip(self.0.iter().copied())
    }

    /// How often `fault` occurred.
    pub fn get(&self, fault: Fault) -> u32 {
        self.0[fault as usize]
    }

    pub(super) fn count(&mut self, fault: Fault) {
        let count = &mut self.0[fault as usize];
        *count = count.saturating_add(1);
    }
}
