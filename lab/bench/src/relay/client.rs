//! As much of a TURN client as a load generator needs (RFC 8656 §7.1, §12.1; RFC 8489 §9.2.3).

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use stun::attribute::{ErrorCode, Nonce, Realm, Username, XorMappedAddress};
use stun::{Algorithm, Class, Key, Message, Method, TransactionId, Writer};
use turn::attribute::{ChannelNumberAttribute, RequestedTransport, XorPeerAddress, XorRelayedAddress};
use turn::channel::ChannelNumber;

use super::socket::LoadSocket;
use super::{PASSWORD, USER};

const PATIENCE: Duration = Duration::from_secs(5);

/// An allocation with one channel to one peer.
pub(crate) struct Flow {
    pub(crate) client: LoadSocket,
    pub(crate) peer: LoadSocket,
    pub(crate) channel: ChannelNumber,
}

/// What proves a request.
pub(crate) struct Session {
    realm: String,
    nonce: String,
    key: Key,
}

pub(crate) fn fresh_transaction() -> TransactionId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut id = [0x2c; 12];
    id[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    TransactionId(id)
}

fn malformed(what: impl std::fmt::Debug) -> io::Error {
    io::Error::other(format!("unexpected answer: {what:?}"))
}

/// Asks once for our address.
pub(crate) fn binding(server: SocketAddr, patience: Duration) -> io::Result<SocketAddr> {
    let socket = UdpSocket::bind(("127.0.0.1", 0))?;
    socket.set_read_timeout(Some(patience))?;
    socket.connect(server)?;
    let mut request = Vec::new();
    Writer::new(&mut request, Class::Request, Method::BINDING, fresh_transaction());
    socket.send(&request)?;
    let mut buffer = [0; 1500];
    let length = socket.recv(&mut buffer)?;
    let message = Message::parse(&buffer[..length]).map_err(malformed)?;
    message.get::<XorMappedAddress>().ok().flatten().map(|mapped| mapped.0).ok_or_else(|| malformed(message))
}

/// The first, unproven Allocate request.
pub(crate) fn first_request() -> Vec<u8> {
    let mut request = Vec::new();
    Writer::new(&mut request, Class::Request, Method::ALLOCATE, fresh_transaction())
        .add(&RequestedTransport::UDP);
    request
}

/// Reads a challenge. The key is made anew only where the realm has changed.
pub(crate) fn challenged<'s>(answer: &[u8], session: &'s mut Option<Session>) -> io::Result<&'s Session> {
    let message = Message::parse(answer).map_err(malformed)?;
    let realm = message.get::<Realm<'_>>().ok().flatten().ok_or_else(|| malformed(message))?.0;
    let nonce = message.get::<Nonce<'_>>().ok().flatten().ok_or_else(|| malformed(message))?.0;
    let known = session.take().filter(|known| known.realm == realm).map(|known| known.key);
    let key = known.unwrap_or_else(|| Key::long_term(Algorithm::Md5, USER, realm, PASSWORD));
    Ok(session.insert(Session { realm: realm.to_owned(), nonce: nonce.to_owned(), key }))
}

impl Session {
    /// A proven request.
    pub(crate) fn request(&self, method: Method, add: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut request = Vec::new();
        let mut writer = Writer::new(&mut request, Class::Request, method, fresh_transaction());
        add(&mut writer);
        writer.add(&Username(USER)).add(&Realm(&self.realm)).add(&Nonce(&self.nonce));
        writer.integrity_sha1(&self.key);
        request
    }

    pub(crate) fn allocate(&self) -> Vec<u8> {
        self.request(Method::ALLOCATE, |writer| {
            writer.add(&RequestedTransport::UDP);
        })
    }
}

/// The relayed address in a granted Allocate request's answer.
pub(crate) fn allocated(answer: &[u8]) -> io::Result<SocketAddr> {
    let message = Message::parse(answer).map_err(malformed)?;
    if let Ok(Some(error)) = message.get::<ErrorCode<'_>>() {
        return Err(malformed(error));
    }
    message
        .get::<XorRelayedAddress>()
        .ok()
        .flatten()
        .map(|relayed| relayed.0)
        .ok_or_else(|| malformed(message))
}

fn exchange(socket: &LoadSocket, request: &[u8]) -> io::Result<Vec<u8>> {
    socket.send(request)?;
    let mut buffer = vec![0; 1500];
    let length = socket.receive(&mut buffer, PATIENCE)?;
    buffer.truncate(length);
    Ok(buffer)
}

impl Flow {
    /// Allocates, and binds a channel to a peer of its own.
    pub(crate) fn open(server: SocketAddr) -> io::Result<Self> {
        let client = LoadSocket::new(server)?;
        let mut session = None;
        let session = challenged(&exchange(&client, &first_request())?, &mut session)?;
        let relayed = allocated(&exchange(&client, &session.allocate())?)?;
        let peer = LoadSocket::new(relayed)?;
        let (channel, address) = (ChannelNumber::FIRST, peer.local()?);
        let bind = session.request(Method::CHANNEL_BIND, |writer| {
            writer.add(&ChannelNumberAttribute::from(channel)).add(&XorPeerAddress(address));
        });
        let answer = exchange(&client, &bind)?;
        let message = Message::parse(&answer).map_err(malformed)?;
        if message.class() != Class::Success {
            return Err(malformed(message));
        }
        Ok(Self { client, peer, channel })
    }
}
