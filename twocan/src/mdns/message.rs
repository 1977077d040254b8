//! The few DNS messages that multicast DNS needs here (RFC 1035 §4.1, RFC 6762 §6, §18).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use simple_dns::rdata::{A, AAAA, NSEC, NsecTypeBitMap, RData};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, Question, ResourceRecord, TYPE};

/// How long an address is good for, in seconds (RFC 6762 §10).
pub(super) const TTL: u32 = 120;
/// The same for one who does not follow what becomes of it (§6.7).
const LEGACY_TTL: u32 = 10;

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

/// What is answered, and to whom.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) bytes: Vec<u8>,
    /// Or only to the one who has asked.
    pub(super) to_all: bool,
}

/// Answers a query for a name that has this one address (RFC 6762 §6); nothing if it does not ask for it. A legacy query
/// comes from another port than multicast DNS's.
pub(super) fn reply(query: &[u8], name: &str, address: IpAddr, is_legacy: bool) -> Option<Reply> {
    let query = Packet::parse(query).ok()?;
    if query.has_flags(PacketFlag::RESPONSE) {
        return None;
    }
    let own = record(name, address, if is_legacy { LEGACY_TTL } else { TTL })?;
    let asked = query.questions.iter().filter(|question| {
        own.match_qclass(question.qclass) && question.qname.to_string().eq_ignore_ascii_case(name)
    });
    let (mut is_asked, mut lacks, mut to_all) = (false, false, false);
    for question in asked {
        match question.qtype {
            QTYPE::TYPE(TYPE::A | TYPE::AAAA) | QTYPE::ANY if own.match_qtype(question.qtype) => {
                is_asked = true;
            }
            // §6.1: that there is none is an answer, too.
            QTYPE::TYPE(_) => lacks = true,
            _ => continue,
        }
        to_all |= !question.unicast_response && !is_legacy;
    }
    // §7.1: one who knows it need not be told.
    is_asked &= !query.answers.iter().any(|known| {
        known.ttl >= TTL / 2 && known.name.to_string().eq_ignore_ascii_case(name) && known.rdata == own.rdata
    });
    if !is_asked && !lacks {
        return None;
    }
    let mut packet = Packet::new_reply(if is_legacy { query.id() } else { 0 });
    packet.set_flags(PacketFlag::AUTHORITATIVE_ANSWER);
    if is_legacy {
        packet.questions.clone_from(&query.questions);
    }
    let none = negative(&own);
    if is_asked {
        packet.answers.push(own.with_cache_flush(!is_legacy));
    }
    if lacks {
        packet.answers.push(none.with_cache_flush(!is_legacy));
    }
    Some(Reply { bytes: packet.build_bytes_vec().ok()?, to_all })
}

/// Tells everybody what a name stands for (RFC 6762 §8.3); with `ttl` 0, that it is gone (§10.1).
pub(super) fn announcement(name: &str, address: IpAddr, ttl: u32) -> Option<Vec<u8>> {
    let mut packet = Packet::new_reply(0);
    packet.set_flags(PacketFlag::AUTHORITATIVE_ANSWER);
    packet.answers.push(record(name, address, ttl)?.with_cache_flush(true));
    packet.build_bytes_vec().ok()
}

fn record(name: &str, address: IpAddr, ttl: u32) -> Option<ResourceRecord<'_>> {
    let data = match address {
        IpAddr::V4(ip) => RData::A(A { address: ip.into() }),
        IpAddr::V6(ip) => RData::AAAA(AAAA { address: ip.into() }),
    };
    Some(ResourceRecord::new(Name::new(name).ok()?, CLASS::IN, ttl, data))
}

/// Says that a name has this record and no other (RFC 6762 §6.1, RFC 4034 §4.1.2).
fn negative<'a>(own: &ResourceRecord<'a>) -> ResourceRecord<'a> {
    // A is number 1, AAAA 28; bits are counted from the left.
    let bitmap: &[u8] = if matches!(own.rdata, RData::A(_)) { &[0x40] } else { &[0, 0, 0, 0x08] };
    let map = NsecTypeBitMap { window_block: 0, bitmap: bitmap.into() };
    let data = NSEC { next_name: own.name.clone(), type_bit_maps: vec![map] };
    ResourceRecord::new(own.name.clone(), CLASS::IN, own.ttl, RData::NSEC(data))
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

    const OWN: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

    fn asked(kind: TYPE, by_unicast: bool) -> Vec<u8> {
        let mut packet = Packet::new_query(7);
        let name = Name::new("Me.local").expect("a name");
        packet.questions.push(Question::new(name, kind.into(), CLASS::IN.into(), by_unicast));
        packet.build_bytes_vec().expect("a query")
    }

    #[test]
    fn who_asks_for_our_name_gets_its_address() {
        let query = query("me.local").expect("a name");
        let Reply { bytes, to_all } = reply(&query, "me.local", OWN, false).expect("it is asked for");
        assert!(!to_all, "it asks for an answer to itself");
        assert_eq!(addresses(&bytes, "me.local"), [OWN]);
        assert_eq!(
            bytes[..12],
            [0, 0, 0x84, 0, 0, 0, 0, 2, 0, 0, 0, 0],
            "our record, and that there is no other"
        );
        assert!(reply(&query, "you.local", OWN, false).is_none());
        assert!(reply(&bytes, "me.local", OWN, false).is_none(), "an answer is no question");
        let to_all = reply(&asked(TYPE::A, false), "me.local", OWN, false).map(|reply| reply.to_all);
        assert_eq!(to_all, Some(true));
        assert!(reply(&asked(TYPE::TXT, true), "me.local", OWN, false).is_some(), "there is none");
    }

    #[test]
    fn a_simple_resolver_gets_its_question_back_and_forgets_soon() {
        let query = asked(TYPE::A, false);
        let Reply { bytes, to_all } = reply(&query, "me.local", OWN, true).expect("it is asked for");
        assert!(!to_all);
        assert_eq!(bytes[..12], [0, 7, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
        let packet = Packet::parse(&bytes).expect("whole");
        assert_eq!((packet.answers[0].ttl, packet.answers[0].cache_flush), (LEGACY_TTL, false));
    }

    #[test]
    fn that_there_is_no_address_of_the_other_family_is_said() {
        for (kind, address, bitmap) in
            [(TYPE::AAAA, OWN, &[0x40][..]), (TYPE::A, IpAddr::V6(Ipv6Addr::LOCALHOST), &[0, 0, 0, 8][..])]
        {
            let Reply { bytes, .. } =
                reply(&asked(kind, true), "me.local", address, false).expect("asked for");
            let packet = Packet::parse(&bytes).expect("whole");
            let [ResourceRecord { rdata: RData::NSEC(none), .. }] = &packet.answers[..] else {
                panic!("{packet:?}")
            };
            assert_eq!(none.type_bit_maps[0].bitmap, bitmap);
            assert_eq!(none.next_name.to_string(), "me.local");
        }
    }

    #[test]
    fn who_knows_it_is_told_nothing() {
        let query = asked(TYPE::A, false);
        let mut packet = Packet::parse(&query).expect("whole");
        packet.answers.push(record("me.local", OWN, TTL).expect("a name"));
        assert!(reply(&packet.build_bytes_vec().expect("a query"), "me.local", OWN, false).is_none());
        packet.answers[0].ttl = TTL / 2 - 1;
        assert!(reply(&packet.build_bytes_vec().expect("a query"), "me.local", OWN, false).is_some());
    }

    #[test]
    fn announcements_and_goodbyes_replace_what_is_known() {
        for ttl in [TTL, 0] {
            let bytes = announcement("me.local", OWN, ttl).expect("a name");
            assert_eq!(addresses(&bytes, "me.local"), [OWN]);
            let packet = Packet::parse(&bytes).expect("whole");
            assert_eq!((packet.answers[0].ttl, packet.answers[0].cache_flush), (ttl, true));
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(message: Vec<u8>, cut in 0..60_usize, flip in 0..60_usize) {
            addresses(&message, "a.local");
            reply(&message, "a.local", OWN, true);
            let mut near = response();
            near.truncate(cut);
            if let Some(byte) = near.get_mut(flip) {
                *byte ^= 0xc1;
            }
            addresses(&near, "abc.local");
        }
    }
}
