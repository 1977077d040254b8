//! Why a room does not do what it is asked.

use std::error::Error;
use std::fmt;

use crate::limits;

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nobody has this id, or nobody has it any more.
    UnknownParticipant,
    /// No publication has it.
    UnknownPublication,
    /// No subscription has it.
    UnknownSubscription,
    /// There are [`limits::PARTICIPANTS`] already.
    TooManyParticipants,
    /// The participant has [`limits::PUBLICATIONS`].
    TooManyPublications,
    /// The participant has [`limits::SUBSCRIPTIONS`].
    TooManySubscriptions,
    /// Encodings must be 1 to [`limits::ENCODINGS`], and 1 for sound.
    Encodings,
    /// The participant may not publish this.
    NotPermitted,
    /// The codec is not one of this kind of media.
    Codec,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownParticipant => f.write_str("join first: nobody in the room has this id"),
            Self::UnknownPublication => f.write_str("nothing is published under this id any more"),
            Self::UnknownSubscription => f.write_str("subscribe first: no subscription has this id"),
            Self::TooManyParticipants => {
                write!(f, "open another room: {} people are in this one", limits::PARTICIPANTS)
            }
            Self::TooManyPublications => {
                write!(f, "unpublish something first: {} is the most", limits::PUBLICATIONS)
            }
            Self::TooManySubscriptions => {
                write!(f, "unsubscribe from something first: {} is the most", limits::SUBSCRIPTIONS)
            }
            Self::Encodings => write!(f, "offer 1 to {} encodings, of sound 1", limits::ENCODINGS),
            Self::NotPermitted => f.write_str("ask whoever leads the room: this may not be published"),
            Self::Codec => f.write_str("offer a codec of the kind of media that is published"),
        }
    }
}

impl Error for Refused {}
