//! Our own STUN and TURN server on this machine, over UDP, TCP and TLS: one task that waits for everything.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use stun::framing::Deframer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use turn::server::{Client, Config, Event, Ledger, Limits, RelayId, Server, Transport};
use twocan::IceServer;

pub(crate) struct TurnServer {
    udp: SocketAddr,
    tcp: SocketAddr,
    tls: SocketAddr,
    /// Whoever trusts it trusts the server.
    pub(crate) certificate: CertificateDer<'static>,
}

/// What happens to the server.
enum Input {
    Datagram(Client, Vec<u8>),
    Opened(Client, mpsc::UnboundedSender<Vec<u8>>),
    Frame(Client, Vec<u8>),
    Closed(Client),
    Peer(RelayId, SocketAddr, Vec<u8>),
}

impl TurnServer {
    pub(crate) async fn start() -> Self {
        let udp = Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a socket"));
        let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let tls = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.key_pair.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let acceptor = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .expect("a configuration");
        let addresses = [udp.local_addr(), tcp.local_addr(), tls.local_addr()].map(|it| it.expect("bound"));
        let (input, inputs) = mpsc::unbounded_channel();
        tokio::spawn(read(Arc::clone(&udp), input.clone(), move |source, bytes| {
            let client = Client { transport: Transport::Udp, local: addresses[0], remote: source };
            Input::Datagram(client, bytes)
        }));
        tokio::spawn(accept(tcp, Transport::Tcp, None, input.clone()));
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(acceptor));
        tokio::spawn(accept(tls, Transport::Tls, Some(acceptor), input.clone()));
        tokio::spawn(serve(udp, input, inputs));
        let [udp, tcp, tls] = addresses;
        Self { udp, tcp, tls, certificate }
    }

    pub(crate) fn stun(&self) -> IceServer {
        IceServer::stun(format!("stun:localhost:{}", self.udp.port()))
    }

    pub(crate) fn turn(&self, transport: &str) -> IceServer {
        let url = match transport {
            "udp" => format!("turn:{}", self.udp),
            "tcp" => format!("turn:{}?transport=tcp", self.tcp),
            _ => format!("turns:localhost:{}", self.tls.port()),
        };
        IceServer::turn(url, "ada", "secret")
    }
}

async fn read(
    socket: Arc<UdpSocket>,
    input: mpsc::UnboundedSender<Input>,
    make: impl Fn(SocketAddr, Vec<u8>) -> Input,
) {
    let mut buffer = [0; 2048];
    loop {
        // An error is about something sent.
        let Ok((length, source)) = socket.recv_from(&mut buffer).await else { continue };
        if input.send(make(source, buffer[..length].to_vec())).is_err() {
            return;
        }
    }
}

async fn accept(
    listener: TcpListener,
    transport: Transport,
    tls: Option<tokio_rustls::TlsAcceptor>,
    input: mpsc::UnboundedSender<Input>,
) {
    while let Ok((stream, remote)) = listener.accept().await {
        let local = stream.local_addr().expect("bound");
        let client = Client { transport, local, remote };
        let (tls, input) = (tls.clone(), input.clone());
        tokio::spawn(async move {
            match tls {
                None => converse(stream, client, input).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        converse(stream, client, input).await;
                    }
                }
            }
        });
    }
}

async fn converse(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite,
    client: Client,
    input: mpsc::UnboundedSender<Input>,
) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (output, mut outputs) = mpsc::unbounded_channel::<Vec<u8>>();
    let _ = input.send(Input::Opened(client, output));
    let reading = async {
        let (mut deframer, mut buffer) = (Deframer::default(), [0; 4096]);
        while let Ok(length @ 1..) = reader.read(&mut buffer).await {
            let each = |frame: &[u8]| drop(input.send(Input::Frame(client, frame.to_vec())));
            if deframer.push(&buffer[..length], each).is_err() {
                return;
            }
        }
    };
    let writing = async {
        while let Some(bytes) = outputs.recv().await {
            if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
                return;
            }
        }
    };
    tokio::join!(reading, writing);
    let _ = input.send(Input::Closed(client));
}

async fn serve(
    udp: Arc<UdpSocket>,
    input: mpsc::UnboundedSender<Input>,
    mut inputs: mpsc::UnboundedReceiver<Input>,
) {
    let now = Instant::now();
    let mut config = Config::new("example", now, Duration::from_secs(1_700_000_000), [7; 32]).expect("valid");
    config.credentials.add_user("example", "ada", "secret");
    config.peers.allowed = vec!["127.0.0.0/8".parse().expect("a block")];
    let mut server = Server::new(Arc::new(config), Arc::new(Ledger::new(Limits::default(), now)));
    let mut streams = BTreeMap::new();
    let mut relays: BTreeMap<RelayId, (Arc<UdpSocket>, tokio::task::JoinHandle<()>)> = BTreeMap::new();
    while let Some(event) = inputs.recv().await {
        let now = Instant::now();
        server.handle_timeout(now);
        let mut answers = Vec::new();
        match event {
            Input::Opened(client, output) => drop(streams.insert(client, output)),
            Input::Closed(client) => {
                streams.remove(&client);
                server.handle_disconnect(&client);
            }
            Input::Datagram(client, bytes) | Input::Frame(client, bytes) => {
                if let Ok(Some(to)) = server.handle_client(now, &client, &bytes) {
                    let _ = relays[&to.relay].0.send_to(&bytes[to.payload], to.peer).await;
                }
            }
            Input::Peer(relay, peer, bytes) => {
                if let Ok(to) = server.handle_peer(now, relay, peer, bytes.len()) {
                    answers.push((to.client, [&to.prefix[..], &bytes, &[0; 3][..to.padding]].concat()));
                }
            }
        }
        while let Some(event) = server.poll_event() {
            match event {
                Event::Open { relay, address } => {
                    let socket = Arc::new(UdpSocket::bind(address).await.expect("a free port"));
                    let hears = read(Arc::clone(&socket), input.clone(), move |peer, bytes| {
                        Input::Peer(relay, peer, bytes)
                    });
                    relays.insert(relay, (socket, tokio::spawn(hears)));
                    server.handle_opened(now, relay, Ok(()));
                }
                Event::Close { relay } => {
                    if let Some((_, task)) = relays.remove(&relay) {
                        task.abort();
                    }
                }
            }
        }
        let mut answer = Vec::new();
        while let Some(client) = server.poll_transmit(&mut answer) {
            answers.push((client, std::mem::take(&mut answer)));
        }
        for (client, bytes) in answers {
            match streams.get(&client) {
                Some(stream) => drop(stream.send(bytes)),
                None => drop(udp.send_to(&bytes, client.remote).await),
            }
        }
    }
}
