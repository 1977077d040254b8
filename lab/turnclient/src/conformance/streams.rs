//! Messages on a byte stream (RFC 8489 §6.2.2, RFC 8656 §12.5).

use std::time::Duration;

use stun::{Class, Method};

use super::{STREAMS, arrives, holds, local, peer, same, table};
use crate::Transport;

table! {
    "RFC 8489 §6.2.2", "a request that comes byte by byte is answered", STREAMS, |context| {
        let mut client = context.session()?;
        let request = client.message(Class::Request, Method::BINDING, |_| {});
        for byte in &request[..19] {
            client.send(&[*byte])?;
        }
        // The last byte goes out as the request that is waited for.
        client.send(&request[19..])?;
        let answer = client.hear()?;
        same(answer.get(4..20), request.get(4..20))
    };
    "RFC 8489 §6.2.2", "requests that come together are each answered", STREAMS, |context| {
        let mut client = context.session()?;
        let requests: Vec<_> =
            (0..20).map(|_| client.message(Class::Request, Method::BINDING, |_| {})).collect();
        client.send(&requests.concat())?;
        for request in &requests {
            same(client.hear()?.get(4..20), request.get(4..20))?;
        }
        Ok(())
    };
    "RFC 8656 §12.5", "ChannelData that comes in odd pieces is whole at the peer", STREAMS, |context| {
        let (mut client, peer) = (context.session()?, peer()?);
        client.allocate(|_| {})?;
        client.bind(0x4000, local(&peer)?)?.expect(0)?;
        let stream: Vec<u8> = (0..50_u8)
            .flat_map(|length| {
                let mut frame = [&[0x40, 0, 0, length][..], &vec![length; length.into()]].concat();
                frame.resize(frame.len().next_multiple_of(4), 0);
                frame
            })
            .collect();
        for piece in stream.chunks(7) {
            client.send(piece)?;
        }
        for length in 0..50_u8 {
            same(arrives(&peer)?.0, vec![length; length.into()])?;
        }
        Ok(())
    };
    "RFC 7983 §7", "a stream that speaks something else is closed", &[Transport::Tcp], |context| {
        let mut client = context.session()?;
        client.send(&[0xFF; 64])?;
        let ended = client.wire.receive(Duration::from_secs(20));
        holds(ended.is_err(), "it stays open")
    };
    "RFC 8656 §3.1", "an allocation ends with its stream", STREAMS, |context| {
        // More of them than one user may have at the same time.
        for _ in 0..100 {
            let mut client = context.session()?;
            client.allocate(|_| {})?;
            client.vanish();
        }
        Ok(())
    };
}
