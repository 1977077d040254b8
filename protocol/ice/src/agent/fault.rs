//! What is wrong with datagrams: each fault drops one, is counted, and where the standard wants it (RFC 8489
//! §6.3.1, §9.1.3; RFC 8445 §7.3.1.1) is answered.

use std::error::Error;
use std::fmt;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident => $label:literal, $text:literal;)*) => {
        /// Why a STUN message was not accepted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// Every fault there is.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in metrics.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)*
                }
            }
        }

        impl fmt::Display for Fault {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$name => $text,)*
                })
            }
        }
    };
}

faults! {
    /// A STUN message whose lengths do not fit.
    Malformed => "malformed", "a STUN message whose lengths do not fit";
    /// FINGERPRINT is missing or wrong.
    BadFingerprint => "bad_fingerprint", "FINGERPRINT is missing or wrong";
    /// Another method than Binding.
    UnknownMethod => "unknown_method", "another method than Binding";
    /// A check without USERNAME, MESSAGE-INTEGRITY, PRIORITY or the sender's role, or with a malformed one: 400.
    BadRequest => "bad_request", "a check without what it needs";
    /// A check for another agent, or for credentials that are forgotten: 401.
    UnknownUfrag => "unknown_ufrag", "a check for another agent or an old generation";
    /// A check or an answer made with another password: 401.
    BadIntegrity => "bad_integrity", "made with another password";
    /// A check with an attribute that must be understood and is not: 420.
    UnknownAttribute => "unknown_attribute", "an attribute that must be understood and is not";
    /// A check that reached an address which is no candidate's.
    UnknownLocal => "unknown_local", "it reached an address that is no local candidate's";
    /// A check whose sender believes to have our role, and must give it up: 487.
    RoleConflict => "role_conflict", "both sides believe to have the same role";
    /// An answer to nothing that is outstanding.
    UnknownTransaction => "unknown_transaction", "an answer to nothing that is outstanding";
    /// An answer that came another way than its check went.
    Asymmetric => "asymmetric", "an answer that came another way than its check went";
    /// An answer without a usable XOR-MAPPED-ADDRESS, or an error without a code.
    BadAnswer => "bad_answer", "an answer that does not say what it must";
    /// Too many candidates were learnt from checks.
    TooManyLearnt => "too_many_learnt", "too many candidates were learnt from checks";
    /// Too many answers wait to be sent, or too many checks came before the peer's credentials.
    Overload => "overload", "more checks than are answered at once";
    /// The caller did not take events: what the peer embedded was dropped.
    EventsFull => "events_full", "events are not taken";
    /// The agent is closed, or ICE has failed.
    Over => "over", "the agent is closed, or ICE has failed";
}

impl Error for Fault {}

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
