//! What happens to two associations.

use arbitrary::Arbitrary;

#[derive(Arbitrary, Debug)]
pub(super) enum Command {
    Connect {
        who: bool,
    },
    /// Begins with the other's INIT, as SDP carries it.
    Snap {
        who: bool,
        damage: Option<(u16, u8)>,
    },
    Send {
        who: bool,
        stream: u8,
        length: u16,
        how: u8,
    },
    Reset {
        who: bool,
        streams: Vec<u8>,
    },
    Shutdown {
        who: bool,
    },
    Abort {
        who: bool,
    },
    /// Whether the application takes messages.
    Takes {
        who: bool,
        takes: bool,
    },
    Threshold {
        who: bool,
        stream: u8,
        bytes: u16,
    },
    /// The network delivers one packet, as it is or changed at one place.
    Deliver {
        which: u8,
        damage: Option<(u16, u8)>,
        keep: bool,
    },
    DeliverAll,
    Lose {
        which: u8,
    },
    Noise {
        to: bool,
        bytes: Vec<u8>,
    },
    /// A packet of somebody who knows tags and TSNs.
    Forge {
        to: bool,
        chunks: Vec<Forged>,
        wrong_tag: bool,
    },
    Wait {
        milliseconds: u16,
    },
    /// To the next deadline.
    Wake {
        who: bool,
    },
}

/// A chunk; numbers are relative to those in use.
#[derive(Arbitrary, Debug)]
pub(super) enum Forged {
    Data { tsn: i8, stream: u8, ssn: u8, flags: u8, length: u8 },
    IData { tsn: i8, stream: u8, mid: u8, fsn: u8, flags: u8, length: u8 },
    Init { tag: u16, ack: bool, cookie: Vec<u8>, tsn: i8, flags: u8 },
    Sack { tsn: i8, window: u32, blocks: Vec<(u16, u16)>, duplicates: Vec<u32> },
    Heartbeat { ack: bool, info: Vec<u8> },
    Abort { code: u16 },
    Error { code: u16 },
    Shutdown { step: u8, tsn: i8 },
    Cookie { ack: bool, cookie: Vec<u8> },
    ForwardTsn { tsn: i8, skipped: Vec<(u8, u8)> },
    IForwardTsn { tsn: i8, skipped: Vec<(u8, bool, u8)> },
    Reset { request: i8, tsn: i8, streams: Vec<u8> },
    Response { response: i8, result: u8 },
    Raw { kind: u8, flags: u8, value: Vec<u8> },
}
