//! What spares a connection over which nothing but media goes from being asked about everything else.
//!
//! A server has thousands of connections, and asks each of them some fifty times a second whether there is something to
//! send, and when to come back. To ask ICE, DTLS and SCTP means to fetch their state from memory, which takes longer than
//! to seal a packet. So that they are left alone as long as nobody has touched them and nothing of theirs is due.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::time::Instant;

use rtp::HeaderWriter;
use rtp::extension::ExtensionMap;
use wire::{Received, Transmit};

use super::{Burst, Reason, Transport};
use crate::error::SendError;
use crate::fault::Fault;
use crate::media::TransceiverId;
use crate::session::{self, OutgoingPacket, Session};

/// A transport, and whether anybody else than media has had hold of it: whoever borrows it to change it counts as such.
#[derive(Debug)]
pub(crate) struct Watched {
    transport: Transport,
    /// Nobody has, since there was nothing more to send.
    quiet: Option<Quiet>,
    /// Nor since there was nothing more to tell.
    is_told: bool,
}

/// What holds as long as nobody touches it.
#[derive(Clone, Copy, Debug)]
struct Quiet {
    /// Where media goes: from an address of ours, not through a relay, to one of the peer's.
    source: SocketAddr,
    destination: SocketAddr,
    /// What all but media waits for.
    until: Option<(Instant, Reason)>,
}

impl Deref for Watched {
    type Target = Transport;

    fn deref(&self) -> &Transport {
        &self.transport
    }
}

impl DerefMut for Watched {
    fn deref_mut(&mut self) -> &mut Transport {
        (self.quiet, self.is_told) = (None, false);
        &mut self.transport
    }
}

impl Watched {
    pub(crate) fn new(transport: Transport) -> Self {
        Self { transport, quiet: None, is_told: false }
    }

    /// Media, which touches nothing else.
    pub(crate) fn media(&mut self) -> Option<&mut Session> {
        self.transport.session.as_deref_mut()
    }

    /// Sends a packet of media: into the burst, where it may leave at once; it is queued where not, or where somebody else is
    /// to be asked first.
    pub(crate) fn send_at_once(
        &mut self,
        now: Instant,
        whose: (TransceiverId, usize),
        packet: OutgoingPacket,
        extensions: impl FnOnce(&mut HeaderWriter<'_>, &ExtensionMap),
        burst: &mut Burst,
    ) -> Result<(), SendError> {
        let quiet = self.quiet.as_ref().filter(|quiet| quiet.until.is_none_or(|(at, _)| at > now));
        let Transport { session, batch, sent, flows, .. } = &mut self.transport;
        let session = session.as_deref_mut().ok_or(SendError::NotConnected)?;
        let is_open = |quiet: &&Quiet| burst.has_room(&quiet.source, &quiet.destination) && batch.is_empty();
        let Some(quiet) = quiet.filter(is_open) else {
            return session.send(now, whose, packet, extensions);
        };
        let put = burst.put((&quiet.source, &quiet.destination), |buffer, level| {
            session.send_at_once(now, whose, packet, extensions, (buffer, level))
        })?;
        if put > 0 {
            sent.add(1, put);
            flows.sent(now, 1, put);
        }
        Ok(())
    }

    /// What media has to tell.
    pub(crate) fn poll_media_event(&mut self) -> Option<session::Event> {
        self.transport.session.as_mut()?.poll_event()
    }

    /// All that there was to tell was told.
    pub(crate) fn told(&mut self) {
        self.is_told = true;
    }

    /// Whether there is nothing new to tell, media apart.
    pub(crate) fn is_told(&self) -> bool {
        self.is_told
    }

    fn quiet(&self, now: Instant) -> Option<Quiet> {
        self.quiet.filter(|quiet| quiet.until.is_none_or(|(at, _)| at > now))
    }

    /// Takes a datagram if it is of media; none if everybody else has to look at it.
    pub(crate) fn handle_media(
        &mut self,
        now: Instant,
        datagram: &mut Received<'_>,
    ) -> Option<Result<(), Fault>> {
        let quiet = self.quiet(now)?;
        // RFC 7983 §7.
        let is_media = matches!(datagram.bytes.first(), Some(128..=191));
        if !is_media || datagram.source != quiet.destination {
            return None;
        }
        let transport = &mut self.transport;
        transport.received.add(1, datagram.bytes.len());
        transport.flows.received(now, datagram.bytes.len());
        Some(transport.take_media(now, datagram.bytes))
    }

    /// Does what is due, if nothing but media may have something; false if not.
    pub(crate) fn handle_media_timeout(&mut self, now: Instant) -> bool {
        if self.quiet(now).is_none() {
            return false;
        }
        if let Some(session) = self.media() {
            session.handle_timeout(now);
        }
        true
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        let Some(quiet) = self.quiet else { return self.transport.poll_timeout() };
        let all = [quiet.until, self.transport.media_timeout()];
        all.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    pub(crate) fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        if let Some(Quiet { source, destination, .. }) = self.quiet(now) {
            let start = buffer.len();
            let segment = self.transport.poll_media(now, buffer)?;
            let segment_size = self.transport.has_sent(now, buffer.len() - start, segment, 0);
            return Some(Transmit { source, destination, segment_size });
        }
        let transmit = self.transport.poll_transmit(now, buffer);
        self.quiet = if transmit.is_none() { self.transport.quiet() } else { None };
        transmit
    }
}

impl Transport {
    /// What holds until somebody touches it, where media goes straight to the peer.
    fn quiet(&self) -> Option<Quiet> {
        let path = self.ice.path().filter(|path| path.protocol == ice::Protocol::Udp)?;
        let is_direct = self.gather.lender(path.local).is_none();
        (is_direct && self.session.is_some()).then(|| Quiet {
            source: path.local,
            destination: path.remote,
            until: self.rest_timeout(),
        })
    }

    /// Appends as many packets of media as one system call takes; the size of the first.
    fn poll_media(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<usize> {
        let session = self.session.as_deref_mut()?;
        self.batch.fill_media(buffer, |buffer| session.poll_transmit(now, buffer))
    }
}
