//! Channels (RFC 8656 §12).

use std::net::SocketAddr;

use stun::Method;
use turn::attribute::{ChannelNumberAttribute, XorPeerAddress};

use super::{ALL, BOTH, UDP, arrives, holds, local, peer, same, sent, table};
use crate::Transport;

table! {
    "RFC 8656 §12.2", "a channel is bound, and bound again", ALL, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        client.bind(0x4000, local(&peer)?)?.expect(0)?;
        client.bind(0x4000, local(&peer)?)?.expect(0).map(|_| ())
    };
    "RFC 8656 §12.2", "the highest number", BOTH, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        client.bind(0x4FFF, local(&peer)?)?.expect(0).map(|_| ())
    };
    "RFC 8656 §12.2", "a number below the range is 400", BOTH, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        client.bind(0x3FFF, local(&peer)?)?.expect(400).map(|_| ())
    };
    "RFC 8656 §12.2", "a number above the range is 400", BOTH, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        client.bind(0x5000, local(&peer)?)?.expect(400)?;
        client.bind(0xFFFF, local(&peer)?)?.expect(400).map(|_| ())
    };
    "RFC 8656 §12.2", "no number is 400", BOTH, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        let to = local(&peer)?;
        let answer = client.ask(Method::CHANNEL_BIND, |writer| {
            writer.add(&XorPeerAddress(to));
        })?;
        answer.expect(400).map(|_| ())
    };
    "RFC 8656 §12.2", "no peer is 400", BOTH, |context| {
        let mut client = context.session()?;
        client.allocate(|_| {})?;
        let answer = client.ask(Method::CHANNEL_BIND, |writer| {
            writer.add(&ChannelNumberAttribute(0x4000));
        })?;
        answer.expect(400).map(|_| ())
    };
    "RFC 8656 §12.2", "a number of another peer is 400", BOTH, |context| {
        let (mut client, first, second) = (context.session()?, peer()?, peer()?);
        client.allocate(|_| {})?;
        client.bind(0x4000, local(&first)?)?.expect(0)?;
        client.bind(0x4000, local(&second)?)?.expect(400).map(|_| ())
    };
    "RFC 8656 §12.2", "a peer of another number is 400", BOTH, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        client.bind(0x4000, local(&peer)?)?.expect(0)?;
        client.bind(0x4001, local(&peer)?)?.expect(400).map(|_| ())
    };
    "RFC 8656 §12.2", "a peer of another family is 443", BOTH, |context| {
        let mut client = context.session()?;
        client.allocate(|_| {})?;
        let peer = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 9], 9));
        client.bind(0x4000, peer)?.expect(443).map(|_| ())
    };
    "RFC 8656 §12.2", "a peer that only the server can reach is 403", BOTH, |context| {
        let mut client = context.session()?;
        client.allocate(|_| {})?;
        client.bind(0x4000, SocketAddr::from(([10, 0, 0, 1], 80)))?.expect(403).map(|_| ())
    };
    "RFC 8656 §12.6", "ChannelData of every length reaches the peer", ALL, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        let relayed = client.allocate(|_| {})?;
        client.bind(0x4000, local(&peer)?)?.expect(0)?;
        for length in (0..=9_u16).chain([1199, 1200, 8191]) {
            client.send_on(0x4000, &vec![9; length.into()])?;
            same(arrives(&peer)?, (vec![9; length.into()], relayed))?;
        }
        Ok(())
    };
    "RFC 8656 §12.5", "what comes back is ChannelData, padded on streams only", ALL, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        let relayed = client.allocate(|_| {})?;
        client.bind(0x4321, local(&peer)?)?.expect(0)?;
        for length in (0..=9_u16).chain([1199, 1200, 8191]) {
            sent(peer.send_to(&vec![6; length.into()], relayed))?;
            let mut expected =
                [&[0x43, 0x21], &length.to_be_bytes()[..], &vec![6; length.into()]].concat();
            if context.transport != Transport::Udp {
                expected.resize(expected.len().next_multiple_of(4), 0);
            }
            let came = client.hear()?;
            holds(came == expected, &format!("{length} bytes came as {} bytes", came.len()))?;
        }
        Ok(())
    };
    "RFC 8656 §12.5", "a padded datagram is taken too", UDP, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        client.bind(0x4000, local(&peer)?)?.expect(0)?;
        client.send(&[0x40, 0, 0, 1, b'x', 0, 0, 0])?;
        same(arrives(&peer)?.0, b"x".to_vec())
    };
    "RFC 8656 §12.6", "a datagram shorter than it says is dropped", UDP, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        client.bind(0x4000, local(&peer)?)?.expect(0)?;
        client.send(&[0x40, 0, 0, 9, b'x'])?;
        client.send_on(0x4000, b"whole")?;
        same(arrives(&peer)?.0, b"whole".to_vec())
    };
    "RFC 8656 §12.6", "a channel that is not bound carries nothing", BOTH, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        client.bind(0x4000, local(&peer)?)?.expect(0)?;
        client.send_on(0x4001, b"unbound")?;
        client.send_on(0x4000, b"bound")?;
        same(arrives(&peer)?.0, b"bound".to_vec())
    };
    "RFC 8656 §12", "a channel comes with a permission for its peer's address", BOTH, |context| {
        let (mut client, friend, other) = (context.session()?, peer()?, peer()?);
        client.allocate(|_| {})?;
        client.bind(0x4000, local(&friend)?)?.expect(0)?;
        client.send_to(local(&other)?, b"indication")?;
        same(arrives(&other)?.0, b"indication".to_vec())
    };
    "RFC 8656 §12.5", "a Send indication may be used beside a channel", BOTH, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        client.bind(0x4000, local(&peer)?)?.expect(0)?;
        client.send_to(local(&peer)?, b"indication")?;
        same(arrives(&peer)?.0, b"indication".to_vec())
    };
}
