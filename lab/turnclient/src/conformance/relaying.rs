//! Send and Data, ICMP (RFC 8656 §11), and two relayed clients that meet.

use std::net::SocketAddr;

use stun::{Class, Message, Method};
use turn::attribute::{Data, DontFragment, Icmp, XorPeerAddress};

use super::{ALL, BOTH, arrives, holds, local, peer, same, sent, table};

/// Peer and data of a Data indication.
fn data(bytes: &[u8]) -> Result<(SocketAddr, Vec<u8>), String> {
    let message = Message::parse(bytes).map_err(|error| format!("{error}: {bytes:02x?}"))?;
    same((message.class(), message.method()), (Class::Indication, Method::DATA))?;
    let peer = message.get::<XorPeerAddress>().ok().flatten().ok_or("no peer")?.0;
    let data = message.get::<Data<'_>>().ok().flatten().ok_or("no data")?.0;
    Ok((peer, data.to_vec()))
}

table! {
    "RFC 8656 §11.2", "a Send indication reaches the peer from the relayed address", ALL, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        let relayed = client.allocate(|_| {})?;
        client.permit(&[local(&peer)?])?.expect(0)?;
        client.send_to(local(&peer)?, b"hello")?;
        same(arrives(&peer)?, (b"hello".to_vec(), relayed))
    };
    "RFC 8656 §11.2", "of every length, nothing included", BOTH, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        client.permit(&[local(&peer)?])?.expect(0)?;
        for length in (0..=9).chain([1199, 1200, 8191]) {
            client.send_to(local(&peer)?, &vec![7; length])?;
            same(arrives(&peer)?.0.len(), length)?;
        }
        Ok(())
    };
    "RFC 8656 §11.2", "without a permission nothing is relayed", BOTH, |context| {
        let (mut client, friend) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        // Both on one socket: what is not relayed would have come first.
        let everywhere = std::net::UdpSocket::bind("0.0.0.0:0").map_err(|error| error.to_string())?;
        let port = local(&everywhere)?.port();
        drop(friend);
        everywhere
            .set_read_timeout(Some(std::time::Duration::from_secs(20)))
            .map_err(|error| error.to_string())?;
        client.permit(&[SocketAddr::from(([127, 0, 0, 2], 9))])?.expect(0)?;
        client.send_to(SocketAddr::from(([127, 0, 0, 3], port)), b"forbidden")?;
        client.send_to(SocketAddr::from(([127, 0, 0, 2], port)), b"allowed")?;
        same(arrives(&everywhere)?.0, b"allowed".to_vec())
    };
    "RFC 8656 §11.2", "without DATA or with what is unknown, neither", BOTH, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        let to = local(&peer)?;
        client.permit(&[to])?.expect(0)?;
        let without = client.message(Class::Indication, Method::SEND, |writer| {
            writer.add(&XorPeerAddress(to));
        });
        let unknown = client.message(Class::Indication, Method::SEND, |writer| {
            writer.add(&XorPeerAddress(to)).add(&Data(b"unknown")).add_raw(0x7F04, b"");
        });
        client.send(&without)?;
        client.send(&unknown)?;
        client.send_to(to, b"good")?;
        same(arrives(&peer)?.0, b"good".to_vec())
    };
    "RFC 8656 §11.2", "with DONT-FRAGMENT it is", BOTH, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        let to = local(&peer)?;
        client.permit(&[to])?.expect(0)?;
        let whole = client.message(Class::Indication, Method::SEND, |writer| {
            writer.add(&XorPeerAddress(to)).add(&Data(b"whole")).add(&DontFragment);
        });
        client.send(&whole)?;
        same(arrives(&peer)?.0, b"whole".to_vec())
    };
    "RFC 8656 §11.3", "a datagram from the peer is a Data indication", ALL, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        let relayed = client.allocate(|_| {})?;
        client.permit(&[local(&peer)?])?.expect(0)?;
        for length in (0..=9).chain([1199, 1200, 8191]) {
            sent(peer.send_to(&vec![8; length], relayed))?;
            same(data(&client.hear()?)?, (local(&peer)?, vec![8; length]))?;
        }
        Ok(())
    };
    "RFC 8656 §9", "a permission is for all ports of its address and for no other address", BOTH, |context| {
        let (mut client, friend, other) = (context.session()?, peer()?, peer()?);
        let relayed = client.allocate(|_| {})?;
        client.permit(&[SocketAddr::from(([127, 0, 0, 1], 1))])?.expect(0)?;
        let stranger = std::net::UdpSocket::bind("127.0.0.9:0").map_err(|error| error.to_string())?;
        sent(stranger.send_to(b"stranger", relayed))?;
        sent(friend.send_to(b"friend", relayed))?;
        sent(other.send_to(b"other", relayed))?;
        same(data(&client.hear()?)?, (local(&friend)?, b"friend".to_vec()))?;
        same(data(&client.hear()?)?, (local(&other)?, b"other".to_vec()))
    };
    "RFC 8656 §11.5", "an ICMP error reaches the client that caused it", BOTH, |context| {
        let mut client = context.session()?;
        client.allocate(|_| {})?;
        let closed = local(&peer()?)?;
        client.permit(&[closed])?.expect(0)?;
        client.send_to(closed, b"anyone?")?;
        let bytes = client.hear()?;
        let message = Message::parse(&bytes).map_err(|error| error.to_string())?;
        same((message.class(), message.method()), (Class::Indication, Method::DATA))?;
        same(message.get::<XorPeerAddress>().ok().flatten().map(|peer| peer.0.ip()), Some(closed.ip()))?;
        // Port unreachable.
        let icmp = message.get::<Icmp>().ok().flatten().map(|icmp| (icmp.kind, icmp.code, icmp.data));
        same(icmp, Some((3, 3, 0)))
    };
    "RFC 8656 §11", "a send error does not end the allocation", BOTH, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        let closed = local(&super::peer()?)?;
        client.permit(&[local(&peer)?])?.expect(0)?;
        for _ in 0..20 {
            client.send_to(closed, b"anyone?")?;
        }
        client.send_to(local(&peer)?, b"still here")?;
        same(arrives(&peer)?.0, b"still here".to_vec())
    };
    "RFC 8656 §2", "two relayed clients meet", ALL, |context| {
        let (mut first, mut second) = (context.session()?, context.other()?);
        let (here, there) = (first.allocate(|_| {})?, second.allocate(|_| {})?);
        first.permit(&[there])?.expect(0)?;
        second.permit(&[here])?.expect(0)?;
        first.send_to(there, b"ahoy")?;
        same(data(&second.hear()?)?, (here, b"ahoy".to_vec()))?;
        second.send_to(here, b"hoy hoy")?;
        same(data(&first.hear()?)?, (there, b"hoy hoy".to_vec()))
    };
    "RFC 8656 §9", "permissions of one allocation are not another's", BOTH, |context| {
        let (mut first, mut second, peer) = (context.session()?, context.other()?, peer()?);
        first.allocate(|_| {})?;
        let relayed = second.allocate(|_| {})?;
        first.permit(&[local(&peer)?])?.expect(0)?;
        sent(peer.send_to(b"to the second", relayed))?;
        second.send_to(local(&peer)?, b"from the second")?;
        second.until_now()?;
        first.send_to(local(&peer)?, b"from the first")?;
        same(arrives(&peer)?.0, b"from the first".to_vec())?;
        holds(second.until_now()?.is_empty(), "the second client heard the peer")
    };
}
