//! twocan's row, on tokio's runtime of one thread, as str0m's is one thread: with several, which hand each other tasks, the
//! same work costs a tenth more.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};
use twocan::{Certificate, Configuration, DataChannel, DataChannelOptions, PeerConnection, PeerEvent};

use super::Stack;

pub(super) struct Twocan {
    runtime: Runtime,
    /// One per process, as the other stacks are measured.
    certificate: Arc<Certificate>,
    /// Datagrams are no longer than this: none, than the way carries.
    datagram: Option<usize>,
    pairs: Vec<Pair>,
}

struct Pair {
    channel: DataChannel,
    /// Bytes that have arrived at the other end.
    arrived: Arc<AtomicU64>,
    _ends: [PeerConnection; 2],
}

impl Twocan {
    pub(super) fn new(datagram: Option<usize>) -> io::Result<Self> {
        let seed = std::array::from_fn(|index| (std::process::id() >> (index % 4 * 8)) as u8);
        let certificate = Certificate::generate(seed, SystemTime::now()).map_err(io::Error::other)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, certificate: Arc::new(certificate), datagram, pairs: Vec::new() })
    }
}

impl Stack for Twocan {
    fn connect(&mut self) -> io::Result<()> {
        let connecting = connect(Arc::clone(&self.certificate), self.datagram);
        self.pairs.push(self.runtime.block_on(connecting).map_err(io::Error::other)?);
        Ok(())
    }

    fn pump(&mut self, size: usize, window: Duration) -> io::Result<u64> {
        let Some(Pair { channel, arrived, .. }) = self.pairs.last() else { return Ok(0) };
        let before = arrived.load(Ordering::Relaxed);
        let (sender, message) = (channel.sender(), Bytes::from(vec![7; size]));
        let sending = self.runtime.spawn(async move {
            let begun = Instant::now();
            while begun.elapsed() < window {
                for _ in 0..16 {
                    sender.send(message.clone()).await?;
                }
            }
            Ok::<_, twocan::SendError>(())
        });
        self.runtime.block_on(sending)?.map_err(io::Error::other)?;
        Ok(arrived.load(Ordering::Relaxed) - before)
    }

    fn forget(&mut self) {
        self.pairs.clear();
    }
}

async fn connect(certificate: Arc<Certificate>, datagram: Option<usize>) -> Result<Pair, twocan::Error> {
    let default = Configuration::default().max_datagram_size;
    let configuration = || Configuration {
        max_datagram_size: datagram.unwrap_or(default),
        certificates: vec![Arc::clone(&certificate)],
        include_loopback: true,
        // The others have this address, and UDP alone.
        ice_tcp: false,
        address_filter: Some(twocan::AddressFilter::only(Ipv4Addr::LOCALHOST.into())),
        ..Configuration::default()
    };
    let mut ada = PeerConnection::new(configuration()).await?;
    let mut bob = PeerConnection::new(configuration()).await?;
    let channel = ada.create_data_channel("bench", DataChannelOptions::default()).await?;
    let offer = ada.set_local_description(None).await?;
    bob.set_remote_description(offer).await?;
    let answer = bob.set_local_description(None).await?;
    ada.set_remote_description(answer).await?;
    let mut theirs = loop {
        tokio::select! {
            Some(event) = ada.next_event() => if let PeerEvent::IceCandidate(candidate) = event {
                bob.add_ice_candidate(candidate).await?;
            },
            Some(event) = bob.next_event() => match event {
                PeerEvent::IceCandidate(candidate) => ada.add_ice_candidate(candidate).await?,
                PeerEvent::DataChannel(channel) => break channel,
                _ => {}
            },
            else => return Err(twocan::Error::Closed),
        }
    };
    channel.ready().await?;
    let arrived = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&arrived);
    tokio::spawn(async move {
        while let Some(message) = theirs.recv().await {
            counter.fetch_add(message.len() as u64, Ordering::Relaxed);
        }
    });
    Ok(Pair { channel, arrived, _ends: [ada, bob] })
}
