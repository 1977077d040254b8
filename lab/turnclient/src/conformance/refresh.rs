//! Refresh (RFC 8656 §8.2), and whose allocation it is (§5).

use std::time::Duration;

use stun::Method;
use turn::attribute::{AdditionalAddressFamily, Family, Lifetime, RequestedAddressFamily};

use super::{ALL, BOTH, local, peer, same, table};

table! {
    "RFC 8656 §8.2", "a refresh grants a lifetime as Allocate does", ALL, |context| {
        let mut client = context.session()?;
        client.allocate(|_| {})?;
        for (asked, granted) in [(1, 600), (1800, 1800), (1_000_000, 3600)] {
            let answer = client.refresh(asked)?.expect(0)?;
            same(answer.get::<Lifetime>()?.0, Duration::from_secs(granted))?;
        }
        Ok(())
    };
    "RFC 8656 §8.2", "lifetime zero ends the allocation at once", ALL, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        client.permit(&[local(&peer)?])?.expect(0)?;
        let answer = client.refresh(0)?.expect(0)?;
        same(answer.get::<Lifetime>()?.0, Duration::ZERO)?;
        client.refresh(600)?.expect(437)?;
        client.permit(&[local(&peer)?])?.expect(437).map(|_| ())
    };
    "RFC 8656 §5", "a 5-tuple may be used again after that", BOTH, |context| {
        let mut client = context.session()?;
        client.allocate(|_| {})?;
        client.refresh(0)?.expect(0)?;
        client.allocate(|_| {}).map(|_| ())
    };
    "RFC 8656 §5", "requests without an allocation are 437", BOTH, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.refresh(600)?.expect(437)?;
        client.permit(&[local(&peer)?])?.expect(437)?;
        client.bind(0x4000, local(&peer)?)?.expect(437).map(|_| ())
    };
    "RFC 8656 §5", "requests of another user are 441", BOTH, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        let (user, password) = context.target.users[1].clone();
        let own = (std::mem::replace(&mut client.user, user), std::mem::replace(&mut client.password, password));
        let codes = [
            client.refresh(0)?.code()?,
            client.permit(&[local(&peer)?])?.code()?,
            client.bind(0x4000, local(&peer)?)?.code()?,
        ];
        (client.user, client.password) = own;
        same(codes, [441; 3])?;
        client.refresh(600)?.expect(0).map(|_| ())
    };
    "RFC 8656 §8.2", "another family than the allocation's is 443", BOTH, |context| {
        let mut client = context.session()?;
        client.allocate(|_| {})?;
        let answer = client.ask(Method::REFRESH, |writer| {
            writer.add(&RequestedAddressFamily(Some(Family::Ipv6)));
        })?;
        answer.expect(443).map(|_| ())
    };
    "RFC 8656 §8.1", "one family of two is deleted alone", BOTH, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|writer| {
            writer.add(&AdditionalAddressFamily(Some(Family::Ipv6)));
        })?;
        let answer = client.ask(Method::REFRESH, |writer| {
            writer.add(&Lifetime(Duration::ZERO)).add(&RequestedAddressFamily(Some(Family::Ipv6)));
        })?;
        answer.expect(0)?;
        client.permit(&[local(&peer)?])?.expect(0)?;
        client.refresh(600)?.expect(0).map(|_| ())
    };
    "RFC 8489 §6.3.1", "an unknown attribute is 420", BOTH, |context| {
        let mut client = context.session()?;
        client.allocate(|_| {})?;
        let answer = client.ask(Method::REFRESH, |writer| {
            writer.add_raw(0x7F03, b"");
        })?;
        answer.expect(420).map(|_| ())
    };
}
