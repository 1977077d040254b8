//! What happens to two peer connections.

use arbitrary::Arbitrary;

#[derive(Arbitrary, Debug)]
pub(super) enum Command {
    /// Makes and sets the description that is due, and gives it to signaling.
    Describe {
        who: bool,
    },
    /// Signaling delivers a description, as it is or changed at one place.
    Hear {
        to: bool,
        which: u8,
        damage: Option<(u16, u8)>,
    },
    /// A whole exchange, as it should be.
    Introduce {
        offerer: bool,
    },
    Rollback {
        who: bool,
        local: bool,
    },
    /// Signaling delivers anything.
    Text {
        to: bool,
        kind: u8,
        text: String,
    },
    Candidate {
        to: bool,
        which: u8,
    },
    Line {
        to: bool,
        candidate: String,
        mid: bool,
        index: Option<u8>,
    },
    /// One socket is gone, another there.
    Moved {
        who: bool,
    },
    Restart {
        who: bool,
    },
    Channel {
        who: bool,
        how: u8,
        negotiated: Option<u8>,
        label: String,
    },
    Say {
        who: bool,
        channel: u8,
        length: u16,
        text: bool,
    },
    CloseChannel {
        who: bool,
        channel: u8,
    },
    /// The network delivers one datagram, as it is or changed at one place.
    Deliver {
        which: u8,
        damage: Option<(u16, u8)>,
        keep: bool,
    },
    /// It delivers all there is, and what comes of that.
    DeliverAll {
        rounds: u8,
    },
    Lose {
        which: u8,
    },
    Noise {
        to: bool,
        stranger: bool,
        bytes: Vec<u8>,
    },
    Wait {
        milliseconds: u16,
    },
    /// To the next deadline.
    Wake {
        who: bool,
    },
    Close {
        who: bool,
    },
}
