//! Binding and the base rules of messages (RFC 8489 §6, §7, §12, §14).

use stun::attribute::{UnknownAttributes, XorMappedAddress};
use stun::{Class, Method};

use super::{ALL, BOTH, UDP, holds, same, table};
use crate::{Session, Transport};

table! {
    "RFC 8489 §6.3.1.1", "a client learns its address", ALL, |context| {
        let mut client = context.session()?;
        let request = client.message(Class::Request, Method::BINDING, |_| {});
        let answer = client.exchange(&request)?.expect(0)?;
        same(answer.get::<XorMappedAddress>()?.0, client.wire.local())
    };
    "RFC 8489 §14.2", "and its IPv6 address", UDP, |context| {
        let Some(server) = context.target.server_v6 else { return Ok(()) };
        let mut client = Session::connect_to(server, Transport::Udp, &context.target.users[0])?;
        let request = client.message(Class::Request, Method::BINDING, |_| {});
        let answer = client.exchange(&request)?.expect(0)?;
        same(answer.get::<XorMappedAddress>()?.0, client.wire.local())
    };
    "RFC 8489 §7", "a request with FINGERPRINT is answered with one", BOTH, |context| {
        let mut client = context.session()?;
        let request = client.message(Class::Request, Method::BINDING, |writer| {
            writer.fingerprint();
        });
        let answer = client.exchange(&request)?.expect(0)?;
        holds(answer.message()?.has_valid_fingerprint(), "no valid FINGERPRINT")
    };
    "RFC 8489 §7", "a wrong FINGERPRINT is not answered", UDP, |context| {
        let mut client = context.session()?;
        let mut request = client.message(Class::Request, Method::BINDING, |writer| {
            writer.fingerprint();
        });
        if let Some(last) = request.last_mut() {
            *last ^= 1;
        }
        client.send(&request)?;
        same(client.until_now()?, Vec::new())
    };
    "RFC 8489 §6.3.1", "an unknown attribute that must be understood is 420", BOTH, |context| {
        let mut client = context.session()?;
        let request = client.message(Class::Request, Method::BINDING, |writer| {
            writer.add_raw(0x7F01, b"?");
        });
        let answer = client.exchange(&request)?.expect(420)?;
        same(answer.get::<UnknownAttributes>()?.kinds(), &[0x7F01])
    };
    "RFC 8489 §6.3.1", "one that need not be is ignored", BOTH, |context| {
        let mut client = context.session()?;
        let request = client.message(Class::Request, Method::BINDING, |writer| {
            writer.add_raw(0xFF01, b"?");
        });
        client.exchange(&request)?.expect(0).map(|_| ())
    };
    "RFC 8489 §6.3.2", "a Binding indication is not answered", BOTH, |context| {
        let mut client = context.session()?;
        let indication = client.message(Class::Indication, Method::BINDING, |_| {});
        client.send(&indication)?;
        same(client.until_now()?, Vec::new())
    };
    "RFC 8489 §6.3", "an answer to nothing is not answered", BOTH, |context| {
        let mut client = context.session()?;
        for class in [Class::Success, Class::Error] {
            let stray = client.message(class, Method::BINDING, |_| {});
            client.send(&stray)?;
        }
        same(client.until_now()?, Vec::new())
    };
    "RFC 8489 §6.3", "malformed datagrams are not answered", UDP, |context| {
        let mut client = context.session()?;
        let good = client.message(Class::Request, Method::BINDING, |writer| {
            writer.add_raw(0xFF01, b"four");
        });
        let change = |position: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[position] = value;
            bytes
        };
        // Cut off, another cookie, lengths that do not fit, an attribute beyond the end, another protocol.
        let malformed =
            [good[..19].to_vec(), good[..27].to_vec(), change(4, 0), change(3, 9), change(3, 4), change(23, 9), change(0, 0x80)];
        for bytes in malformed {
            client.send(&bytes)?;
        }
        same(client.until_now()?, Vec::new())
    };
    "RFC 8489 §6.3", "an unknown method is not granted", BOTH, |context| {
        let mut client = context.session()?;
        let method = Method::new(0x0FE).ok_or("no method")?;
        let request = client.message(Class::Request, method, |_| {});
        client.send(&request)?;
        let granted = client.until_now()?.iter().any(|bytes| bytes[0] & 1 != 0 && bytes[1] & 0x10 == 0);
        holds(!granted, "a success")
    };
}
