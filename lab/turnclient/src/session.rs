//! A client's side of the conversation: requests with proof, answers matched to them, data beside them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use stun::attribute::{ErrorCode, Nonce, PasswordAlgorithm, PasswordAlgorithms, Realm, Username};
use stun::{Algorithm, Attribute, Class, Key, Message, Method, TransactionId, Writer};
use turn::attribute::{Lifetime, RequestedTransport, XorPeerAddress, XorRelayedAddress};

use crate::{Target, Transport, Wire};

/// For how long an answer is waited for: only a broken server, or a very busy machine, needs it.
const PATIENCE: Duration = Duration::from_secs(20);

/// When a request over UDP is sent once more.
const RETRANSMIT: Duration = Duration::from_secs(3);

/// How a request is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// MD5 and MESSAGE-INTEGRITY, as RFC 5389 has it.
    Sha1,
    /// PASSWORD-ALGORITHM SHA-256 and MESSAGE-INTEGRITY-SHA256 (RFC 8489).
    Sha256,
}

/// A client with a connection to a server.
pub struct Session {
    /// Its connection.
    pub wire: Wire,
    /// As whom it speaks.
    pub user: String,
    /// With which password.
    pub password: String,
    /// What the last challenge said.
    pub realm: String,
    /// What the last challenge said.
    pub nonce: String,
    /// How it proves its requests.
    pub proof: Proof,
    transport: Transport,
    /// What came that was no answer.
    inbox: VecDeque<Vec<u8>>,
    transactions: u64,
    allocated: bool,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// As it was received.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The answer as a message.
    pub fn message(&self) -> Result<Message<'_>, String> {
        Message::parse(&self.bytes).map_err(|error| format!("the answer is no STUN message: {error}"))
    }

    /// The error code, or 0 for success.
    pub fn code(&self) -> Result<u16, String> {
        let message = self.message()?;
        if message.class() == Class::Success {
            return Ok(0);
        }
        let code = message.get::<ErrorCode<'_>>().map_err(|error| error.to_string())?;
        code.map(|code| code.code()).ok_or_else(|| "an error without ERROR-CODE".into())
    }

    /// The attribute, which must be there.
    pub fn get<'a, A: Attribute<'a>>(&'a self) -> Result<A, String> {
        let found = self.message()?.get::<A>().map_err(|error| error.to_string())?;
        found.ok_or_else(|| format!("attribute {:#06x} is missing", A::TYPE))
    }

    /// Whether there is such an attribute.
    pub fn has<'a, A: Attribute<'a>>(&'a self) -> bool {
        self.message().is_ok_and(|message| message.has::<A>())
    }

    /// Fails unless it has this error code (0: success).
    pub fn expect(self, code: u16) -> Result<Self, String> {
        match self.code()? {
            found if found == code => Ok(self),
            0 => Err(format!("success where {code} was expected")),
            found if code == 0 => Err(format!("{found} where success was expected")),
            found => Err(format!("{found} where {code} was expected")),
        }
    }
}

impl Session {
    /// Connects as the target's user of this number.
    pub fn connect(target: &Target, transport: Transport, user: usize) -> Result<Self, String> {
        let server = match transport {
            Transport::Tls => target.tls.ok_or("no TLS")?,
            _ => target.server,
        };
        Self::connect_to(server, transport, &target.users[user])
    }

    /// Connects somewhere else.
    pub fn connect_to(
        server: SocketAddr,
        transport: Transport,
        user: &(String, String),
    ) -> Result<Self, String> {
        let wire = Wire::connect(transport, server).map_err(|error| format!("cannot connect: {error}"))?;
        let (user, password) = user.clone();
        Ok(Self {
            // Ports are random enough that two sessions do not use the same transactions.
            transactions: u64::from(wire.local().port()) << 32,
            wire,
            user,
            password,
            realm: String::new(),
            nonce: String::new(),
            proof: Proof::Sha1,
            transport,
            inbox: VecDeque::new(),
            allocated: false,
        })
    }

    /// A message with a new transaction. `write` adds its attributes and may end it.
    pub fn message(&mut self, class: Class, method: Method, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        self.transactions += 1;
        let mut id = [0x2A; 12];
        id[4..].copy_from_slice(&self.transactions.to_be_bytes());
        let mut bytes = Vec::new();
        write(&mut Writer::new(&mut bytes, class, method, TransactionId(id)));
        bytes
    }

    /// The bytes of a request that is proven with what the last challenge said.
    pub fn proven(&mut self, method: Method, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let (user, realm, nonce) = (self.user.clone(), self.realm.clone(), self.nonce.clone());
        let (key, proof) = (self.key(), self.proof);
        self.message(Class::Request, method, |writer| {
            write(writer);
            writer.add(&Username(&user)).add(&Realm(&realm)).add(&Nonce(&nonce));
            match proof {
                Proof::Sha1 => writer.integrity_sha1(&key),
                Proof::Sha256 => writer
                    .add(&PasswordAlgorithms::SHA256_MD5)
                    .add(&PasswordAlgorithm(Algorithm::Sha256.number()))
                    .integrity_sha256(&key),
            };
        })
    }

    /// What requests and answers are proven with.
    pub fn key(&self) -> Key {
        let algorithm = if self.proof == Proof::Sha1 { Algorithm::Md5 } else { Algorithm::Sha256 };
        Key::long_term(algorithm, &self.user, &self.realm, &self.password)
    }

    /// A request with proof. Gets a nonce first, and another one when it is stale.
    pub fn ask(&mut self, method: Method, write: impl Fn(&mut Writer<'_>)) -> Result<Answer, String> {
        if self.nonce.is_empty() {
            self.challenge()?;
        }
        let request = self.proven(method, &write);
        let answer = self.exchange(&request)?;
        if answer.code()? != 438 {
            return Ok(answer);
        }
        self.learn(&answer)?;
        let request = self.proven(method, write);
        self.exchange(&request)
    }

    /// Draws a challenge, and learns realm and nonce from it.
    pub fn challenge(&mut self) -> Result<Answer, String> {
        let request = self.message(Class::Request, Method::ALLOCATE, |writer| {
            writer.add(&RequestedTransport::UDP);
            // Long enough that the answer may be whole.
            writer.add_raw(0x8022, &[b'x'; 60]);
        });
        let answer = self.exchange(&request)?.expect(401)?;
        self.learn(&answer)?;
        Ok(answer)
    }

    fn learn(&mut self, answer: &Answer) -> Result<(), String> {
        self.realm = answer.get::<Realm<'_>>()?.0.to_owned();
        self.nonce = answer.get::<Nonce<'_>>()?.0.to_owned();
        Ok(())
    }

    /// Sends a request and waits for its answer; what else comes meanwhile is kept for [`hear`](Self::hear).
    pub fn exchange(&mut self, request: &[u8]) -> Result<Answer, String> {
        let deadline = Instant::now() + PATIENCE;
        self.send(request)?;
        let mut sent = Instant::now();
        while Instant::now() < deadline {
            let wait = RETRANSMIT.min(deadline.saturating_duration_since(Instant::now()));
            match self.receive(wait)? {
                Some(bytes) if bytes.get(4..20) == request.get(4..20) && bytes[0] & 1 != 0 => {
                    return Ok(Answer { bytes });
                }
                Some(bytes) => self.inbox.push_back(bytes),
                None if self.transport == Transport::Udp && sent.elapsed() >= RETRANSMIT => {
                    self.send(request)?;
                    sent = Instant::now();
                }
                None => {}
            }
        }
        Err("no answer".into())
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.wire.send(bytes).map_err(|error| format!("cannot send: {error}"))
    }

    fn receive(&mut self, within: Duration) -> Result<Option<Vec<u8>>, String> {
        self.wire.receive(within).map_err(|error| format!("the connection ended: {error}"))
    }

    /// The next message that is no answer.
    pub fn hear(&mut self) -> Result<Vec<u8>, String> {
        if let Some(bytes) = self.inbox.pop_front() {
            return Ok(bytes);
        }
        self.receive(PATIENCE)?.ok_or_else(|| "nothing came".into())
    }

    /// Everything that the server had to say to what was sent before: a Binding request goes after it, and
    /// what comes before its answer is returned.
    pub fn until_now(&mut self) -> Result<Vec<Vec<u8>>, String> {
        let request = self.message(Class::Request, Method::BINDING, |_| {});
        self.exchange(&request)?.expect(0)?;
        Ok(self.inbox.drain(..).collect())
    }

    /// Allocates, and returns the relayed address.
    pub fn allocate(&mut self, write: impl Fn(&mut Writer<'_>)) -> Result<SocketAddr, String> {
        let answer = self.try_allocate(write)?.expect(0)?;
        Ok(answer.get::<XorRelayedAddress>()?.0)
    }

    /// Asks for an allocation.
    pub fn try_allocate(&mut self, write: impl Fn(&mut Writer<'_>)) -> Result<Answer, String> {
        let answer = self.ask(Method::ALLOCATE, |writer| {
            writer.add(&RequestedTransport::UDP);
            write(writer);
        })?;
        self.allocated |= answer.code()? == 0;
        Ok(answer)
    }

    /// Asks for a lifetime.
    pub fn refresh(&mut self, seconds: u64) -> Result<Answer, String> {
        self.ask(Method::REFRESH, |writer| {
            writer.add(&Lifetime(Duration::from_secs(seconds)));
        })
    }

    /// Asks for permissions.
    pub fn permit(&mut self, peers: &[SocketAddr]) -> Result<Answer, String> {
        self.ask(Method::CREATE_PERMISSION, |writer| {
            peers.iter().for_each(|peer| {
                writer.add(&XorPeerAddress(*peer));
            });
        })
    }

    /// Asks for a channel.
    pub fn bind(&mut self, number: u16, peer: SocketAddr) -> Result<Answer, String> {
        self.ask(Method::CHANNEL_BIND, |writer| {
            writer.add(&turn::attribute::ChannelNumberAttribute(number)).add(&XorPeerAddress(peer));
        })
    }

    /// Goes without a word: the connection just ends.
    pub fn vanish(mut self) {
        self.allocated = false;
    }

    /// Sends a Send indication.
    pub fn send_to(&mut self, peer: SocketAddr, data: &[u8]) -> Result<(), String> {
        let bytes = self.message(Class::Indication, Method::SEND, |writer| {
            writer.add(&XorPeerAddress(peer)).add(&turn::attribute::Data(data));
        });
        self.send(&bytes)
    }

    /// Sends ChannelData, padded on a stream.
    pub fn send_on(&mut self, number: u16, data: &[u8]) -> Result<(), String> {
        let length = u16::try_from(data.len()).map_err(|error| error.to_string())?;
        let mut bytes = [&number.to_be_bytes()[..], &length.to_be_bytes(), data].concat();
        if self.transport != Transport::Udp {
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        self.send(&bytes)
    }
}

impl Drop for Session {
    /// Leaves nothing on the server: the next row may want its quota.
    fn drop(&mut self) {
        if self.allocated {
            let request = self.proven(Method::REFRESH, |writer| {
                writer.add(&Lifetime(Duration::ZERO));
            });
            let _ended_already = self.send(&request);
        }
    }
}
