//! The few DNS messages that multicast DNS needs here (RFC 1035 §4.1, RFC 6762 §18).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wire::Reader;

const A: u16 = 1;
const AAAA: u16 = 28;
const IN: u16 = 1;
/// RFC 6762 §5.4: the answer may come by unicast. RFC 6762 §10.2 uses the same bit of answers for another purpose.
const TOP_BIT: u16 = 0x8000;
/// Records of a message that are looked at.
const RECORDS: usize = 64;
/// Pointers that are followed in a name.
const JUMPS: usize = 16;

/// Asks for the addresses of a name. None: it is no name.
pub(super) fn query(name: &str) -> Option<Vec<u8>> {
    let mut message = vec![0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0];
    for kind in [A, AAAA] {
        push_name(&mut message, name)?;
        message.extend_from_slice(&kind.to_be_bytes());
        message.extend_from_slice(&(IN | TOP_BIT).to_be_bytes());
    }
    Some(message)
}

fn push_name(message: &mut Vec<u8>, name: &str) -> Option<()> {
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        message.push(length);
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
    Some(())
}

/// What a response says of a name's addresses; nothing if it is none, or not whole.
pub(super) fn addresses(message: &[u8], name: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    // As far as it can be read, it counts.
    let _ = read(message, name.trim_end_matches('.'), &mut found);
    found
}

fn read(message: &[u8], name: &str, found: &mut Vec<IpAddr>) -> Result<(), wire::Truncated> {
    let mut reader = Reader::new(message);
    let (_, flags) = (reader.u16()?, reader.u16()?);
    if flags & 0x8000 == 0 {
        return Ok(());
    }
    let (questions, answers) = (reader.u16()?, usize::from(reader.u16()?));
    let (authorities, additional) = (usize::from(reader.u16()?), usize::from(reader.u16()?));
    for _ in 0..questions {
        skip_name(&mut reader)?;
        reader.bytes(4)?;
    }
    for _ in 0..(answers + authorities + additional).min(RECORDS) {
        let offset = message.len() - reader.rest().len();
        skip_name(&mut reader)?;
        let (kind, class) = (reader.u16()?, reader.u16()?);
        reader.bytes(4)?;
        let length = usize::from(reader.u16()?);
        let data = reader.bytes(length)?;
        let address = match kind {
            A => <[u8; 4]>::try_from(data).ok().map(|bytes| IpAddr::from(Ipv4Addr::from(bytes))),
            AAAA => <[u8; 16]>::try_from(data).ok().map(|bytes| IpAddr::from(Ipv6Addr::from(bytes))),
            _ => None,
        };
        if let Some(address) = address.filter(|_| class & !TOP_BIT == IN && is_name(message, offset, name)) {
            found.push(address);
        }
    }
    Ok(())
}

fn skip_name(reader: &mut Reader<'_>) -> Result<(), wire::Truncated> {
    loop {
        match reader.u8()? {
            0 => return Ok(()),
            length if length >= 0xc0 => return reader.u8().map(drop),
            length => reader.bytes(usize::from(length)).map(drop)?,
        }
    }
}

/// Whether the name at this place is that one, whatever the case of its letters.
fn is_name(message: &[u8], mut offset: usize, name: &str) -> bool {
    let mut labels = name.split('.');
    let mut jumps = 0;
    loop {
        let Some(&length) = message.get(offset) else { return false };
        if length >= 0xc0 {
            let Some(&low) = message.get(offset + 1) else { return false };
            offset = usize::from(length & 0x3f) << 8 | usize::from(low);
            jumps += 1;
            if jumps > JUMPS {
                return false;
            }
            continue;
        }
        if length == 0 {
            return labels.next().is_none();
        }
        let start = offset + 1;
        offset = start + usize::from(length);
        match (message.get(start..offset), labels.next()) {
            (Some(label), Some(expected)) if label.eq_ignore_ascii_case(expected.as_bytes()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An answer whose second record points to the name of the first.
    fn response() -> Vec<u8> {
        let mut message = vec![0, 0, 0x84, 0, 0, 0, 0, 2, 0, 0, 0, 0];
        push_name(&mut message, "Abc.local").expect("a name");
        message.extend([0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4, 192, 0, 2, 1]);
        message.extend([0xc0, 12, 0, 28, 0x80, 1, 0, 0, 0, 120, 0, 16]);
        message.extend(Ipv6Addr::LOCALHOST.octets());
        message
    }

    #[test]
    fn both_families_are_found_under_the_name_alone() {
        let both = [IpAddr::from([192, 0, 2, 1]), IpAddr::from(Ipv6Addr::LOCALHOST)];
        assert_eq!(addresses(&response(), "abc.local"), both);
        assert_eq!(addresses(&response(), "abd.local"), [] as [IpAddr; 0]);
        assert_eq!(addresses(&response(), "abc.local.example"), [] as [IpAddr; 0]);
        let mut asked = response();
        asked[2] = 0;
        assert!(addresses(&asked, "abc.local").is_empty(), "a question is no answer");
    }

    #[test]
    fn a_query_asks_for_both_families_and_an_answer_by_unicast() {
        let query = query("a.local").expect("a name");
        let question = b"\x01a\x05local\0";
        assert_eq!(&query[..12], [0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&query[12..21], question);
        assert_eq!(&query[21..25], [0, 1, 0x80, 1]);
        assert_eq!(&query[34..], [0, 28, 0x80, 1]);
        assert_eq!(super::query("a..local"), None);
        assert_eq!(super::query(&"a".repeat(64)), None);
    }

    #[test]
    fn a_name_that_points_to_itself_ends() {
        let message =
            [0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4];
        assert!(addresses(&message, "a.local").is_empty());
    }

    proptest! {
        #[test]
        fn nothing_panics(message: Vec<u8>, cut in 0..60_usize, flip in 0..60_usize) {
            addresses(&message, "a.local");
            let mut near = response();
            near.truncate(cut);
            if let Some(byte) = near.get_mut(flip) {
                *byte ^= 0xc1;
            }
            addresses(&near, "abc.local");
        }
    }
}
