//! The STUN attributes that ICE adds (RFC 8445 §16.1), and the one of libwebrtc's renomination
//! (draft-thatcher-ice-renomination §4).

use stun::{Attribute, TransactionId};

/// PRIORITY: what the sender's candidate would be worth, were it learnt from this check (RFC 8445 §7.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priority(pub u32);

/// USE-CANDIDATE: the controlling agent chooses this pair (RFC 8445 §7.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UseCandidate;

/// ICE-CONTROLLED: the sender is controlled; its tiebreaker (RFC 8445 §7.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IceControlled(pub u64);

/// ICE-CONTROLLING: the sender is controlling; its tiebreaker (RFC 8445 §7.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IceControlling(pub u64);

/// NOMINATION: in place of USE-CANDIDATE where both sides renominate. The highest number wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nomination(pub u32);

/// The comprehension-required ones.
pub(crate) const KNOWN: &[u16] = &[Priority::TYPE, UseCandidate::TYPE];

macro_rules! number {
    ($name:ident, $kind:literal, $integer:ty) => {
        impl Attribute<'_> for $name {
            const TYPE: u16 = $kind;

            fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
                value.try_into().ok().map(|bytes| Self(<$integer>::from_be_bytes(bytes)))
            }

            fn write(&self, _: &TransactionId, value: &mut Vec<u8>) {
                value.extend_from_slice(&self.0.to_be_bytes());
            }
        }
    };
}

number!(Priority, 0x0024, u32);
number!(IceControlled, 0x8029, u64);
number!(IceControlling, 0x802A, u64);
number!(Nomination, 0xC001, u32);

impl Attribute<'_> for UseCandidate {
    const TYPE: u16 = 0x0025;

    fn parse(value: &[u8], _: &TransactionId) -> Option<Self> {
        value.is_empty().then_some(Self)
    }

    fn write(&self, _: &TransactionId, _: &mut Vec<u8>) {}
}

#[cfg(test)]
mod tests {
    use stun::{Class, Key, Message, Method, Writer, attribute::Username};

    use super::*;

    /// RFC 5769 §2.1: an ICE check.
    const SAMPLE: &[u8] = b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff\
        \x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\x00\x06\x00\x09evtj:h6vY   \
        \x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\
        \x80\x28\x00\x04\xe5\x7a\x3b\xcf";

    #[test]
    fn the_check_of_rfc_5769_is_read() {
        let message = Message::parse(SAMPLE).unwrap();
        assert_eq!(message.get(), Ok(Some(Priority(0x6e00_01ff))));
        assert_eq!(message.get(), Ok(Some(IceControlled(0x932f_f9b1_5126_3b36))));
        assert_eq!(message.get(), Ok(Some(Username("evtj:h6vY"))));
        assert_eq!(message.verify(&Key::short_term("VOkJxbRl1RmTxUk/WvJxBt")), Ok(()));
        assert_eq!(message.unknown(KNOWN).count(), 0);
        assert!(message.has_valid_fingerprint());
    }

    #[test]
    fn each_is_written_as_it_is_read() {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes, Class::Request, Method::BINDING, TransactionId([9; 12]))
            .add(&IceControlling(7))
            .add(&UseCandidate)
            .add(&Nomination(3))
            .add(&Priority(1));
        assert_eq!(
            bytes[20..],
            *b"\x80\x2a\0\x08\0\0\0\0\0\0\0\x07\0\x25\0\0\xc0\x01\0\x04\0\0\0\x03\0\x24\0\x04\0\0\0\x01"
        );
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.get(), Ok(Some(IceControlling(7))));
        assert_eq!(message.get(), Ok(Some(UseCandidate)));
        assert_eq!(message.get(), Ok(Some(Nomination(3))));
        assert_eq!(message.get(), Ok(Some(Priority(1))));
    }
}
