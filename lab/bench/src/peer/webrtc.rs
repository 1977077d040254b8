//! webrtc-rs' row: the crate `webrtc`, which drives the crate `rtc` with tokio. Its sockets batch datagrams as ours do.
//!
//! In its best form: connections are driven by a thread of their own, as its documentation advises for throughput, senders
//! wait at a limit, and its sockets are given the receive buffer that all are given.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::BytesMut;
use rtc::peer_connection::certificate::CertificateParams;
use tokio::sync::mpsc;
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCCertificate,
    RTCConfigurationBuilder, RTCIceGatheringState, SettingEngineBuilder, crypto,
};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime, TokioRuntime,
};

use super::{DATAGRAM, DEADLINE, QUEUED, RECEIVE_BUFFER, Stack};

/// Of DTLS 1.2, which it speaks: what its SCTP packets are shorter than a datagram.
const RECORD: u32 = 37;
/// Threads for connections: with one for both ends they cost least.
const REACTORS: usize = 1;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

pub(super) struct Webrtc {
    runtime: tokio::runtime::Runtime,
    certificate: RTCCertificate,
    pairs: Vec<Pair>,
}

struct Pair {
    channel: Arc<dyn DataChannel>,
    /// Bytes that have arrived at the other end.
    arrived: Arc<AtomicU64>,
    ends: [Box<dyn PeerConnection>; 2],
}

impl Webrtc {
    pub(super) fn new() -> io::Result<Self> {
        let certificate = certificate().map_err(io::Error::other)?;
        Ok(Self { runtime: tokio::runtime::Runtime::new()?, certificate, pairs: Vec::new() })
    }
}

/// One per process, as the other stacks are measured.
fn certificate() -> Outcome<RTCCertificate> {
    let provider = crypto::default_provider()?;
    let parameters = CertificateParams::new(vec!["bench".to_owned()])?;
    let scheme = crypto::SignatureScheme::EcdsaP256Sha256;
    Ok(RTCCertificate::generate(provider.crypto(), scheme, parameters)?)
}

impl Stack for Webrtc {
    fn connect(&mut self) -> io::Result<()> {
        let certificate = self.certificate.clone();
        // In a task: from outside of the runtime each answer would have to wake another thread.
        let connecting =
            self.runtime.spawn(async move { tokio::time::timeout(DEADLINE, connect(&certificate)).await });
        let pair = self.runtime.block_on(connecting)?;
        self.pairs.push(pair.map_err(io::Error::other)?.map_err(io::Error::other)?);
        Ok(())
    }

    fn pump(&mut self, size: usize, window: Duration) -> io::Result<u64> {
        let Some(Pair { channel, arrived, .. }) = self.pairs.last() else { return Ok(0) };
        let before = arrived.load(Ordering::Relaxed);
        let (channel, message) = (Arc::clone(channel), BytesMut::from(vec![7; size].as_slice()));
        let sending = self.runtime.spawn(async move {
            let begun = Instant::now();
            while begun.elapsed() < window {
                for _ in 0..16 {
                    channel.send(message.clone()).await?;
                }
            }
            Ok::<_, webrtc::error::Error>(())
        });
        self.runtime.block_on(sending)?.map_err(io::Error::other)?;
        Ok(arrived.load(Ordering::Relaxed) - before)
    }

    fn forget(&mut self) {
        for pair in self.pairs.drain(..) {
            for end in &pair.ends {
                // What is wrong is found by the next one.
                let _ = self.runtime.block_on(end.close());
            }
        }
    }
}

/// What one end tells of itself.
enum Told {
    Gathered,
    Open,
}

/// Takes what an end tells, and the channel that the other opens.
struct Handler {
    told: mpsc::UnboundedSender<Told>,
    arrived: Arc<AtomicU64>,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _ = self.told.send(Told::Gathered);
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        let (told, arrived) = (self.told.clone(), Arc::clone(&self.arrived));
        tokio::spawn(async move {
            while let Some(event) = channel.poll().await {
                match event {
                    DataChannelEvent::OnOpen => _ = told.send(Told::Open),
                    DataChannelEvent::OnMessage(message) => {
                        arrived.fetch_add(message.data.len() as u64, Ordering::Relaxed);
                    }
                    _ => {}
                }
            }
        });
    }
}

async fn connect(certificate: &RTCCertificate) -> Outcome<Pair> {
    let arrived = Arc::new(AtomicU64::new(0));
    let (told, mut heard_ada) = mpsc::unbounded_channel();
    let ada = end(certificate, Handler { told, arrived: Arc::clone(&arrived) }).await?;
    let (told, mut heard_bob) = mpsc::unbounded_channel();
    let bob = end(certificate, Handler { told, arrived: Arc::clone(&arrived) }).await?;
    let channel = ada.create_data_channel("bench", None).await?;
    let offer = ada.create_offer(None).await?;
    ada.set_local_description(offer).await?;
    wait(&mut heard_ada, |told| matches!(told, Told::Gathered)).await?;
    bob.set_remote_description(ada.local_description().await.ok_or("no offer")?).await?;
    let answer = bob.create_answer(None).await?;
    bob.set_local_description(answer).await?;
    wait(&mut heard_bob, |told| matches!(told, Told::Gathered)).await?;
    ada.set_remote_description(bob.local_description().await.ok_or("no answer")?).await?;
    loop {
        match channel.poll().await {
            Some(DataChannelEvent::OnOpen) => break,
            Some(_) => {}
            None => return Err("its channel does not open".into()),
        }
    }
    wait(&mut heard_bob, |told| matches!(told, Told::Open)).await?;
    Ok(Pair { channel, arrived, ends: [Box::new(ada), Box::new(bob)] })
}

async fn wait(heard: &mut mpsc::UnboundedReceiver<Told>, is_it: impl Fn(&Told) -> bool) -> Outcome<()> {
    while let Some(told) = heard.recv().await {
        if is_it(&told) {
            return Ok(());
        }
    }
    Err("it is gone".into())
}

async fn end(certificate: &RTCCertificate, handler: Handler) -> Outcome<impl PeerConnection> {
    let configuration = RTCConfigurationBuilder::new().with_certificates(vec![certificate.clone()]).build();
    let settings = SettingEngineBuilder::new().with_sctp_mtu(DATAGRAM as u32 - RECORD).build();
    let builder = PeerConnectionBuilder::new()
        .with_configuration(configuration)
        .with_setting_engine(settings)
        .with_handler(Arc::new(handler))
        .with_runtime(Arc::new(Buffered))
        .with_dedicated_reactor_pool_size(REACTORS)
        .with_data_channel_send_buffer_limit(QUEUED)
        .with_udp_addrs(vec!["127.0.0.1:0".to_owned()]);
    Ok(builder.build().await?)
}

/// Its own driver for tokio, with the receive buffer that all are given.
#[derive(Debug)]
struct Buffered;

type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Runtime for Buffered {
    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER)?;
        TokioRuntime.wrap_udp_socket(socket)
    }

    fn spawn(&self, future: Later<'static, ()>) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn(future)
    }

    fn spawn_reactor(&self, pool: usize, future: Later<'static, ()>) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn_reactor(pool, future)
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        TokioRuntime.wrap_tcp_listener(listener)
    }

    fn connect_tcp(&self, remote: SocketAddr) -> Later<'_, io::Result<Arc<dyn AsyncTcpStream>>> {
        TokioRuntime.connect_tcp(remote)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Later<'a, io::Result<Vec<SocketAddr>>> {
        TokioRuntime.resolve_host(host)
    }

    fn sleep(&self, duration: Duration) -> Later<'static, ()> {
        TokioRuntime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }

    fn yield_now(&self) -> Later<'static, ()> {
        TokioRuntime.yield_now()
    }

    fn name(&self) -> &'static str {
        "tokio"
    }
}
