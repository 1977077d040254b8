//! What happens to two agents (RFC 8445, 8838).

use arbitrary::Arbitrary;

#[derive(Arbitrary, Debug)]
pub(super) enum Command {
    /// A local candidate.
    Local {
        who: bool,
        shape: u8,
        host: u8,
        port: u8,
    },
    /// Signaling: the credentials of one become known to the other.
    Describe {
        who: bool,
        lite: bool,
        renomination: bool,
        ice2: bool,
    },
    /// Signaling: what one told of itself reaches the other.
    Told {
        to: bool,
        which: u8,
    },
    /// Signaling carries a line of anybody's.
    Line {
        to: bool,
        text: String,
    },
    /// A candidate of somebody who means no good.
    Aimed {
        to: bool,
        tcp: u8,
        host: u8,
        port: u8,
        priority: u32,
        name: bool,
    },
    EndOfCandidates {
        to: bool,
    },
    Gathered {
        who: bool,
        gathered: bool,
    },
    Removed {
        who: bool,
        host: u8,
        port: u8,
    },
    Restart {
        who: bool,
    },
    Abandon {
        who: bool,
    },
    Role {
        who: bool,
        controlling: bool,
    },
    Embed {
        who: bool,
        kind: u16,
        value: Vec<u8>,
    },
    EmbedNoMore {
        who: bool,
    },
    /// The network delivers one, as it is or changed at one place.
    Deliver {
        which: u8,
        damage: Option<(u16, u8)>,
        keep: bool,
    },
    /// The network delivers all.
    DeliverAll,
    Lose {
        which: u8,
    },
    /// Somebody sends bytes.
    Noise {
        to: bool,
        tcp: bool,
        from: u8,
        bytes: Vec<u8>,
    },
    /// A check as the peer, or somebody who knows its password, might write it.
    Check {
        to: bool,
        tcp: bool,
        from: u8,
        check: Check,
    },
    /// An answer to something that is under way, as whoever sees it might write it.
    Answer {
        which: u8,
        proven: bool,
        code: Option<u16>,
        mapped: u8,
    },
    Connected {
        who: bool,
        port: u16,
    },
    ConnectFailed {
        who: bool,
    },
    Disconnected {
        who: bool,
        which: u8,
    },
    Resolved {
        who: bool,
        host: Option<u8>,
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

#[derive(Arbitrary, Debug)]
pub(super) struct Check {
    pub(super) proven: bool,
    pub(super) use_candidate: bool,
    pub(super) nomination: Option<u32>,
    pub(super) priority: u32,
    pub(super) controlling: Option<bool>,
    pub(super) tiebreaker: u64,
    pub(super) extra: Option<(u16, Vec<u8>)>,
    pub(super) id: u8,
}
