//! Allocate (RFC 8656 §7.2).

use std::time::Duration;

use stun::Method;
use stun::attribute::{UnknownAttributes, XorMappedAddress};
use turn::attribute::{
    AdditionalAddressFamily, DontFragment, EvenPort, Family, Lifetime, RequestedAddressFamily,
    RequestedTransport, ReservationToken, XorRelayedAddress,
};

use super::{ALL, BOTH, UDP, holds, same, table};
use crate::{Session, Transport};

const IPV6: RequestedAddressFamily = RequestedAddressFamily(Some(Family::Ipv6));
const AND_IPV6: AdditionalAddressFamily = AdditionalAddressFamily(Some(Family::Ipv6));

table! {
    "RFC 8656 §7.2", "success names relayed address, mapped address and lifetime", ALL, |context| {
        let mut client = context.session()?;
        let answer = client.try_allocate(|_| {})?.expect(0)?;
        holds(answer.get::<XorRelayedAddress>()?.0.is_ipv4(), "no IPv4 relayed address")?;
        same(answer.get::<XorMappedAddress>()?.0, client.wire.local())?;
        same(answer.get::<Lifetime>()?.0, Duration::from_secs(600))
    };
    "RFC 8656 §7.2", "relayed ports are dynamic ones", BOTH, |context| {
        let relayed = context.session()?.allocate(|_| {})?;
        holds(relayed.port() >= 49152, "a port below 49152")
    };
    "RFC 8656 §7.2", "a client over IPv6 gets an IPv4 relayed address unasked", UDP, |context| {
        let Some(server) = context.target.server_v6 else { return Ok(()) };
        let mut client = Session::connect_to(server, Transport::Udp, &context.target.users[0])?;
        holds(client.allocate(|_| {})?.is_ipv4(), "an IPv6 one")
    };
    "RFC 8656 §7.2", "no REQUESTED-TRANSPORT is 400", BOTH, |context| {
        context.session()?.ask(Method::ALLOCATE, |_| {})?.expect(400).map(|_| ())
    };
    "RFC 8656 §7.2", "a malformed REQUESTED-TRANSPORT is 400", BOTH, |context| {
        let mut client = context.session()?;
        let answer = client.ask(Method::ALLOCATE, |writer| {
            writer.add_raw(0x0019, &[17]);
        })?;
        answer.expect(400).map(|_| ())
    };
    "RFC 8656 §7.2", "a protocol other than UDP is 442", BOTH, |context| {
        let mut client = context.session()?;
        let answer = client.ask(Method::ALLOCATE, |writer| {
            writer.add(&RequestedTransport(132));
        })?;
        answer.expect(442).map(|_| ())
    };
    "RFC 8656 §7.2", "a second allocation on the 5-tuple is 437", ALL, |context| {
        let mut client = context.session()?;
        client.allocate(|_| {})?;
        client.try_allocate(|_| {})?.expect(437).map(|_| ())
    };
    "RFC 8656 §7.2", "a retransmission gets the same answer", UDP, |context| {
        let mut client = context.session()?;
        client.challenge()?;
        let request = client.proven(Method::ALLOCATE, |writer| {
            writer.add(&RequestedTransport::UDP);
        });
        let first = client.exchange(&request)?.expect(0)?.get::<XorRelayedAddress>()?;
        let second = client.exchange(&request)?.expect(0)?.get::<XorRelayedAddress>()?;
        client.refresh(0)?.expect(0)?;
        same(second, first)
    };
    "RFC 8656 §7.2", "a lifetime below the default is the default", BOTH, |context| {
        let answer = context.session()?.try_allocate(|writer| {
            writer.add(&Lifetime(Duration::from_secs(1)));
        })?;
        same(answer.expect(0)?.get::<Lifetime>()?.0, Duration::from_secs(600))
    };
    "RFC 8656 §7.2", "a lifetime between default and maximum is granted", BOTH, |context| {
        let answer = context.session()?.try_allocate(|writer| {
            writer.add(&Lifetime(Duration::from_secs(1234)));
        })?;
        same(answer.expect(0)?.get::<Lifetime>()?.0, Duration::from_secs(1234))
    };
    "RFC 8656 §7.2", "an hour is the most", BOTH, |context| {
        let answer = context.session()?.try_allocate(|writer| {
            writer.add(&Lifetime(Duration::from_secs(1_000_000)));
        })?;
        same(answer.expect(0)?.get::<Lifetime>()?.0, Duration::from_secs(3600))
    };
    "RFC 8656 §7.2", "an unknown attribute is 420", BOTH, |context| {
        let answer = context.session()?.try_allocate(|writer| {
            writer.add_raw(0x7F02, b"");
        })?;
        same(answer.expect(420)?.get::<UnknownAttributes>()?.kinds(), &[0x7F02])
    };
    "RFC 8656 §7.2", "an unknown family is 440", BOTH, |context| {
        let answer = context.session()?.try_allocate(|writer| {
            writer.add_raw(0x0017, &[9, 0, 0, 0]);
        })?;
        answer.expect(440).map(|_| ())
    };
    "RFC 8656 §7.2", "IPv6 can be asked for over IPv4", BOTH, |context| {
        let relayed = context.session()?.allocate(|writer| {
            writer.add(&IPV6);
        })?;
        holds(relayed.is_ipv6(), "an IPv4 relayed address")
    };
    "RFC 8656 §7.2", "both families at once are two relayed addresses", BOTH, |context| {
        let answer = context.session()?.try_allocate(|writer| {
            writer.add(&AND_IPV6);
        })?;
        let answer = answer.expect(0)?;
        let families: Vec<_> =
            answer.message()?.all::<XorRelayedAddress>().flatten().map(|relayed| relayed.0.is_ipv6()).collect();
        same(families, vec![false, true])
    };
    "RFC 8656 §7.2", "one family and both is 400", BOTH, |context| {
        let answer = context.session()?.try_allocate(|writer| {
            writer.add(&IPV6).add(&AND_IPV6);
        })?;
        answer.expect(400).map(|_| ())
    };
    "RFC 8656 §7.2", "IPv4 as the additional family is 400", BOTH, |context| {
        let answer = context.session()?.try_allocate(|writer| {
            writer.add(&AdditionalAddressFamily(Some(Family::Ipv4)));
        })?;
        answer.expect(400).map(|_| ())
    };
    "RFC 8656 §7.2", "EVEN-PORT is an even port", BOTH, |context| {
        for _ in 0..4 {
            let relayed = context.session()?.allocate(|writer| {
                writer.add(&EvenPort { reserve_next: false });
            })?;
            holds(relayed.port().is_multiple_of(2), "an odd port")?;
        }
        Ok(())
    };
    "RFC 8656 §7.2", "a reserved port is had for its token, once", BOTH, |context| {
        let (mut first, mut second, mut third) = (context.session()?, context.other()?, context.other()?);
        let answer = first.try_allocate(|writer| {
            writer.add(&EvenPort { reserve_next: true });
        })?;
        let answer = answer.expect(0)?;
        let token = answer.get::<ReservationToken>()?;
        let even = answer.get::<XorRelayedAddress>()?.0;
        holds(even.port().is_multiple_of(2), "an odd port")?;
        let next = second.allocate(|writer| {
            writer.add(&token);
        })?;
        same(next.port(), even.port() + 1)?;
        let again = third.try_allocate(|writer| {
            writer.add(&token);
        })?;
        again.expect(508).map(|_| ())
    };
    "RFC 8656 §7.2", "a token that nobody gave is 508", BOTH, |context| {
        let answer = context.session()?.try_allocate(|writer| {
            writer.add(&ReservationToken([0x55; 8]));
        })?;
        answer.expect(508).map(|_| ())
    };
    "RFC 8656 §7.2", "a token and EVEN-PORT is 400", BOTH, |context| {
        let answer = context.session()?.try_allocate(|writer| {
            writer.add(&ReservationToken([0x55; 8])).add(&EvenPort { reserve_next: false });
        })?;
        answer.expect(400).map(|_| ())
    };
    "RFC 8656 §7.2", "a token and a family is 400", BOTH, |context| {
        let answer = context.session()?.try_allocate(|writer| {
            writer.add(&ReservationToken([0x55; 8])).add(&IPV6);
        })?;
        answer.expect(400).map(|_| ())
    };
    "RFC 8656 §7.2", "a pair of ports in both families is 400", BOTH, |context| {
        let answer = context.session()?.try_allocate(|writer| {
            writer.add(&EvenPort { reserve_next: true }).add(&AND_IPV6);
        })?;
        answer.expect(400).map(|_| ())
    };
    "RFC 8656 §7.2", "DONT-FRAGMENT is understood", BOTH, |context| {
        context.session()?.allocate(|writer| {
            writer.add(&DontFragment);
        })?;
        Ok(())
    };
}
