//! DATA_CHANNEL_OPEN and DATA_CHANNEL_ACK (RFC 8832 §5).

use std::time::Duration;

use wire::Reader;

use super::ChannelOptions;
use crate::send::Reliability;

const ACK: u8 = 2;
const OPEN: u8 = 3;

/// A message of the data channel establishment protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OpenMessage {
    /// §5.2.
    Ack,
    /// §5.1: label, protocol and options.
    Open(Box<(String, String, ChannelOptions)>),
}

impl OpenMessage {
    /// `None` where it is malformed, or its strings are not UTF-8.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        match reader.u8().ok()? {
            ACK => return Some(Self::Ack),
            OPEN => {}
            _ => return None,
        }
        let kind = reader.u8().ok()?;
        let priority = reader.u16().ok()?;
        let parameter = reader.u32().ok()?;
        let (label, protocol) = (usize::from(reader.u16().ok()?), usize::from(reader.u16().ok()?));
        let label = std::str::from_utf8(reader.bytes(label).ok()?).ok()?.to_owned();
        let protocol = std::str::from_utf8(reader.bytes(protocol).ok()?).ok()?.to_owned();
        let reliability = match kind & 0x7F {
            0 => Reliability::Reliable,
            1 => Reliability::MaxRetransmits(u16::try_from(parameter).unwrap_or(u16::MAX)),
            2 => Reliability::MaxLifetime(Duration::from_millis(parameter.into())),
            _ => return None,
        };
        let options = ChannelOptions { ordered: kind & 0x80 == 0, reliability, priority, negotiated: None };
        Some(Self::Open(Box::new((label, protocol, options))))
    }

    /// The OPEN for a channel. Label and protocol have at most 65,535 bytes each.
    pub(super) fn open(label: &str, protocol: &str, options: &ChannelOptions) -> Vec<u8> {
        let (kind, parameter) = match options.reliability {
            Reliability::Reliable => (0, 0),
            Reliability::MaxRetransmits(most) => (1, u32::from(most)),
            Reliability::MaxLifetime(most) => (2, u32::try_from(most.as_millis()).unwrap_or(u32::MAX)),
        };
        let mut bytes = Vec::with_capacity(12 + label.len() + protocol.len());
        bytes.extend_from_slice(&[OPEN, kind | if options.ordered { 0 } else { 0x80 }]);
        bytes.extend_from_slice(&options.priority.to_be_bytes());
        bytes.extend_from_slice(&parameter.to_be_bytes());
        for text in [label, protocol] {
            bytes.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
        bytes.extend_from_slice(label.as_bytes());
        bytes.extend_from_slice(protocol.as_bytes());
        bytes
    }

    pub(super) const ACK_BYTES: [u8; 1] = [ACK];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_is_read_as_it_was_written() {
        for (reliability, ordered) in [
            (Reliability::Reliable, true),
            (Reliability::MaxRetransmits(3), false),
            (Reliability::MaxLifetime(Duration::from_millis(1500)), true),
        ] {
            let options = ChannelOptions { ordered, reliability, priority: 512, negotiated: None };
            let bytes = OpenMessage::open("lábel", "chat", &options);
            let expected = OpenMessage::Open(Box::new(("lábel".into(), "chat".into(), options)));
            assert_eq!(OpenMessage::parse(&bytes), Some(expected));
            for length in 0..bytes.len() {
                assert_eq!(OpenMessage::parse(&bytes[..length]), None);
            }
        }
        assert_eq!(OpenMessage::parse(&[2]), Some(OpenMessage::Ack));
        assert_eq!(OpenMessage::parse(&[3, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        // RFC 8832 §5.1, byte by byte.
        let options = ChannelOptions { ordered: false, priority: 256, ..ChannelOptions::default() };
        assert_eq!(OpenMessage::open("a", "", &options), b"\x03\x80\x01\0\0\0\0\0\0\x01\0\0a");
    }
}
