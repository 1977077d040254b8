//! No stack, but what none can do without: sockets, and the cryptography of DTLS 1.3 with a certificate at both ends
//! (RFC 8446 §2, RFC 9147). Nothing is negotiated, numbered, acknowledged or put together.

use std::io::{self, IoSliceMut};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};

use super::{DATAGRAM, RECEIVE_BUFFER, Stack};

/// Bytes of a datagram that are the application's: behind the headers of a record (5, and 16 behind it) and of SCTP (12 and 16).
const PAYLOAD: usize = DATAGRAM - 49;
const RECORD: usize = 5;
const TAG: usize = 16;
/// Datagrams that are sent at once: 64 KiB of them.
const BATCH: usize = 54;
/// Those of a connection that comes about, each way: checks, flights of the handshake, the association's, the channel's.
const FLIGHTS: usize = 5;

pub(super) struct Bare {
    certificate: EcdsaKeyPair,
    key: LessSafeKey,
    random: SystemRandom,
    ends: Option<[End; 2]>,
    sealed: u64,
}

struct End {
    socket: UdpSocket,
    state: UdpSocketState,
}

fn failed<E>(_: E) -> io::Error {
    io::Error::other("AWS-LC refuses")
}

impl Bare {
    pub(super) fn new() -> io::Result<Self> {
        let certificate = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(failed)?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[7; 16]).map_err(failed)?);
        Ok(Self { certificate, key, random: SystemRandom::new(), ends: None, sealed: 0 })
    }

    /// Each end makes a key and agrees with the other's, signs, and verifies what the other signed.
    fn shake_hands(&self) -> io::Result<()> {
        let keys = [(); 2].map(|()| PrivateKey::generate(&X25519));
        let [Ok(ada), Ok(bob)] = keys else { return Err(io::Error::other("no key")) };
        for (own, other) in [(&ada, &bob), (&bob, &ada)] {
            let theirs = UnparsedPublicKey::new(&X25519, other.compute_public_key().map_err(failed)?);
            agreement::agree(own, theirs, io::Error::other("no agreement"), |secret| {
                std::hint::black_box(secret);
                Ok(())
            })?;
            let signed = self.certificate.sign(&self.random, &[7; 130]).map_err(failed)?;
            let whose = self.certificate.public_key().as_ref();
            let key = signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, whose);
            key.verify(&[7; 130], signed.as_ref()).map_err(failed)?;
        }
        Ok(())
    }

    /// A batch is sealed, crosses, and is opened. Bytes of the application's.
    fn cross(&mut self, buffers: &mut [Vec<u8>; 2]) -> io::Result<u64> {
        let Some([from, to]) = &self.ends else { return Ok(0) };
        let [out, come] = buffers;
        for record in out.chunks_exact_mut(DATAGRAM) {
            self.sealed += 1;
            let (header, rest) = record.split_at_mut(RECORD);
            let (body, tag) = rest.split_at_mut(rest.len() - TAG);
            let made = self.key.seal_in_place_separate_tag(nonce(self.sealed), Aad::from(&*header), body);
            tag.copy_from_slice(made.map_err(failed)?.as_ref());
        }
        from.send(to, out, Some(DATAGRAM))?;
        let (mut missing, mut number) = (BATCH, self.sealed - BATCH as u64);
        while missing > 0 {
            let length = to.receive(come)?;
            for record in come[..length].chunks_exact_mut(DATAGRAM) {
                number += 1;
                let (header, body) = record.split_at_mut(RECORD);
                self.key.open_in_place(nonce(number), Aad::from(&*header), body).map_err(failed)?;
            }
            missing = missing.saturating_sub(length / DATAGRAM);
        }
        Ok((BATCH * PAYLOAD) as u64)
    }
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

impl Stack for Bare {
    fn connect(&mut self) -> io::Result<()> {
        let ends = [End::new()?, End::new()?];
        let [ada, bob] = &ends;
        let mut come = vec![0; 1 << 16];
        for _ in 0..FLIGHTS {
            for (from, to) in [(ada, bob), (bob, ada)] {
                from.send(to, &[7; 600], None)?;
                to.receive(&mut come)?;
            }
        }
        self.shake_hands()?;
        self.ends = Some(ends);
        Ok(())
    }

    fn pump(&mut self, _: usize, window: Duration) -> io::Result<u64> {
        let mut buffers = [vec![7; BATCH * DATAGRAM], vec![0; 1 << 16]];
        let (begun, mut bytes) = (Instant::now(), 0);
        while begun.elapsed() < window {
            bytes += self.cross(&mut buffers)?;
        }
        Ok(bytes)
    }

    fn forget(&mut self) {
        self.ends = None;
    }
}

impl End {
    fn new() -> io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER)?;
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Self { socket, state })
    }

    fn send(&self, to: &Self, contents: &[u8], segment_size: Option<usize>) -> io::Result<()> {
        let destination = to.socket.local_addr()?;
        let transmit = Transmit { destination, ecn: None, contents, segment_size, src_ip: None };
        self.state.try_send((&self.socket).into(), &transmit)
    }

    /// What has come by one call: it is there already, as both ends are one thread.
    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut meta = [RecvMeta::default(); BATCH_SIZE];
        let count = self.state.recv((&self.socket).into(), &mut [IoSliceMut::new(buffer)], &mut meta[..1])?;
        Ok(meta[..count].iter().map(|meta| meta.len).sum())
    }
}
