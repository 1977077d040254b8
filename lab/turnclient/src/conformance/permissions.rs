//! CreatePermission (RFC 8656 §10.2), and which peers are refused (§21.3.2).

use std::net::SocketAddr;

use stun::Method;
use turn::attribute::XorPeerAddress;

use super::{ALL, BOTH, local, peer, same, table};

table! {
    "RFC 8656 §10.2", "a permission is installed", ALL, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        client.permit(&[local(&peer)?])?.expect(0).map(|_| ())
    };
    "RFC 8656 §10.2", "several at once", BOTH, |context| {
        let mut client = context.session()?;
        client.allocate(|_| {})?;
        let peers = [1, 2, 3].map(|last| SocketAddr::from(([127, 0, 0, last], 9)));
        client.permit(&peers)?.expect(0).map(|_| ())
    };
    "RFC 8656 §10.2", "no peer is 400", BOTH, |context| {
        let mut client = context.session()?;
        client.allocate(|_| {})?;
        client.permit(&[])?.expect(400).map(|_| ())
    };
    "RFC 8656 §10.2", "a malformed peer is 400", BOTH, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        let peer = local(&peer)?;
        let answer = client.ask(Method::CREATE_PERMISSION, |writer| {
            writer.add(&XorPeerAddress(peer)).add_raw(0x0012, &[0, 1, 0]);
        })?;
        answer.expect(400).map(|_| ())
    };
    "RFC 8656 §10.2", "a peer of another family is 443", BOTH, |context| {
        let mut client = context.session()?;
        client.allocate(|_| {})?;
        client.permit(&[SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 9], 9))])?.expect(443).map(|_| ())
    };
    "RFC 8656 §21.3.2", "peers that only the server can reach are 403", BOTH, |context| {
        let mut client = context.session()?;
        client.allocate(|_| {})?;
        for ip in [[10, 0, 0, 1], [192, 168, 1, 1], [172, 16, 0, 1], [169, 254, 169, 254], [100, 64, 0, 1]] {
            same((ip, client.permit(&[SocketAddr::from((ip, 80))])?.code()?), (ip, 403))?;
        }
        Ok(())
    };
    "RFC 8656 §21.3.2", "multicast, broadcast and no address are 403", BOTH, |context| {
        let mut client = context.session()?;
        client.allocate(|_| {})?;
        for ip in [[224, 0, 0, 1], [255, 255, 255, 255], [0, 0, 0, 0]] {
            same((ip, client.permit(&[SocketAddr::from((ip, 80))])?.code()?), (ip, 403))?;
        }
        Ok(())
    };
    "RFC 8656 §21.1.7", "the server's own listener is no peer", BOTH, |context| {
        let mut client = context.session()?;
        client.allocate(|_| {})?;
        client.bind(0x4000, context.target.server)?.expect(403).map(|_| ())
    };
}
