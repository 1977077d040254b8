//! The few DNS messages that multicast DNS needs here (RFC 1035 §4.1, RFC 6762 §18).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, TYPE};

/// Asks for the addresses of a name, by unicast if that can be (RFC 6762 §5.4). None: it is no name.
pub(super) fn query(name: &str) -> Option<Vec<u8>> {
    let text = name.trim_end_matches('.');
    // An empty part would be left out silently.
    let name = Name::new(text).ok().filter(|name| name.to_string() == text)?;
    let mut packet = Packet::new_query(0);
    for kind in [TYPE::A, TYPE::AAAA] {
        packet.questions.push(Question::new(name.clone(), kind.into(), CLASS::IN.into(), true));
    }
    packet.build_bytes_vec().ok()
}

/// What a response says of a name's addresses; nothing if it is none, or not whole.
pub(super) fn addresses(message: &[u8], name: &str) -> Vec<IpAddr> {
    let Ok(packet) = Packet::parse(message) else { return Vec::new() };
    if !packet.has_flags(PacketFlag::RESPONSE) {
        return Vec::new();
    }
    let name = name.trim_end_matches('.');
    let records = packet.answers.iter().chain(&packet.additional_records);
    let of_name = records
        .filter(|record| record.class == CLASS::IN && record.name.to_string().eq_ignore_ascii_case(name));
    let found = of_name.filter_map(|record| match &record.rdata {
        RData::A(address) => Some(IpAddr::from(Ipv4Addr::from(address.address))),
        RData::AAAA(address) => Some(IpAddr::from(Ipv6Addr::from(address.address))),
        _ => None,
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn push_name(message: &mut Vec<u8>, name: &str) {
        for label in name.split('.') {
            message.push(label.len() as u8);
            message.extend_from_slice(label.as_bytes());
        }
        message.push(0);
    }

    /// An answer whose second record points to the name of the first.
    fn response() -> Vec<u8> {
        let mut message = vec![0, 0, 0x84, 0, 0, 0, 0, 2, 0, 0, 0, 0];
        push_name(&mut message, "Abc.local");
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
