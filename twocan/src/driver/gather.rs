//! Finds out where this end may be reached, as far as the system is concerned: its addresses, and those of servers. What is
//! asked of servers is the state machine's.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ice::TcpType;
use peer::{IceServerKind, StreamId};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::{Driver, clock};
use crate::configuration::{Configuration, ExternalAddress, ServerScheme, ServerTransport};
use crate::event::IceCandidateError;
use crate::mdns::responder::{NAMES, OwnName, Responder, fresh_name};
use crate::streams::Opened;
use crate::{Error, IceUrl, PeerEvent, mdns, streams};

/// Addresses of one name that are used, of each family.
const ADDRESSES: usize = 2;

/// How long a name may take to be resolved.
const RESOLVING: Duration = Duration::from_secs(5);

/// Answers that wait for the driver.
const ANSWERS: usize = 16;

/// What W3C webrtc-pc §4.8.2 has for servers that cannot be reached.
const UNREACHABLE: u16 = 701;

/// What tasks of the driver's own have found out.
#[derive(Debug)]
pub(super) enum Answer {
    /// A server's name, in which round of gathering.
    Server { round: u32, server: usize, addresses: io::Result<Vec<SocketAddr>> },
    /// A name on the local network.
    Name { id: ice::ResolveId, addresses: Vec<IpAddr> },
    /// A connection.
    Opened { id: StreamId, opened: Opened },
    /// A connection that the peer has opened.
    Accepted { local: SocketAddr, remote: SocketAddr, connection: TcpStream },
}

/// Where tasks tell it, and where the driver hears it.
type Answers = (mpsc::Sender<Box<Answer>>, mpsc::Receiver<Box<Answer>>);

/// A server as it was configured.
#[derive(Debug)]
struct Server {
    url: IceUrl,
    kind: IceServerKind,
}

#[derive(Debug)]
pub(super) struct Gathering {
    servers: Arc<[Server]>,
    external: Vec<ExternalAddress>,
    ice_tcp: bool,
    /// Answers for our names; none where addresses are told.
    responder: Option<Responder>,
    /// Names that were given to addresses of ours; they stay the same for the connection's life.
    names: Vec<(IpAddr, Box<str>)>,
    /// Each generation's candidates are gathered anew.
    round: u32,
    /// Names of servers that are being resolved in this round.
    unresolved: usize,
    /// Made with the first task that has something to find out.
    answers: Option<Answers>,
}

impl Gathering {
    pub(super) fn new(configuration: &Configuration) -> Result<Self, Error> {
        let mut servers = Vec::new();
        for server in &configuration.ice_servers {
            for url in server.parse().map_err(Error::IceServer)? {
                let kind = match url.scheme {
                    ServerScheme::Stun | ServerScheme::Stuns => IceServerKind::Stun,
                    ServerScheme::Turn | ServerScheme::Turns => IceServerKind::Turn {
                        username: server.username.as_str().into(),
                        credential: server.credential.as_str().into(),
                    },
                };
                servers.push(Server { url, kind });
            }
        }
        Ok(Self {
            servers: servers.into(),
            external: configuration.external_addresses.clone(),
            ice_tcp: configuration.ice_tcp,
            responder: configuration.mdns_candidates.then(Responder::start),
            names: Vec::new(),
            round: 0,
            unresolved: 0,
            answers: None,
        })
    }

    /// Where a task tells what it has found out. Whoever answers waits while the driver is busy.
    fn answer(&mut self) -> mpsc::Sender<Box<Answer>> {
        self.answers.get_or_insert_with(|| mpsc::channel(ANSWERS)).0.clone()
    }

    pub(super) fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Option<Box<Answer>>> {
        self.answers.as_mut().map_or(Poll::Pending, |(_, answers)| answers.poll_recv(context))
    }

    /// What is told of a UDP socket at this address.
    fn candidates(&mut self, local: SocketAddr, interface: u32) -> Vec<ice::LocalCandidate> {
        let host = ice::LocalCandidate::host(local).on_interface(interface, 0);
        let Some(mapped) = self.external.iter().find(|external| external.maps(local.ip())).copied() else {
            return vec![self.hidden(host)];
        };
        if mapped.replaces {
            return vec![host.advertised(mapped.public)];
        }
        let public = SocketAddr::new(mapped.public, local.port());
        let beside = ice::LocalCandidate::server_reflexive(public, local, mapped.public);
        vec![self.hidden(host), beside.on_interface(interface, 0)]
    }

    /// Under a name, where addresses are not told.
    fn hidden(&mut self, candidate: ice::LocalCandidate) -> ice::LocalCandidate {
        let (address, (interface, _)) = (candidate.address().ip(), candidate.interface());
        let Some(responder) = self.responder.as_ref().filter(|_| !address.is_loopback()) else {
            return candidate;
        };
        if let Some((_, name)) = self.names.iter().find(|(known, _)| *known == address) {
            return candidate.named(name);
        }
        let mut random = [0; 16];
        if aws_lc_rs::rand::fill(&mut random).is_err() {
            // A name that others might have, too, finds nobody, and still tells nobody the address.
            return candidate.named("nobody.local");
        }
        let name = fresh_name(random);
        if self.names.len() >= NAMES {
            self.names.remove(0);
        }
        responder.add(OwnName { name: name.clone(), address, interface });
        self.names.push((address, name.clone()));
        candidate.named(&name)
    }
}

impl Driver {
    /// A generation of candidates begins.
    pub(super) fn gather(&mut self) {
        let now = clock();
        self.gathering.round += 1;
        self.gathering.unresolved = 0;
        for (address, interface) in self.port.addresses() {
            self.add_address(now, address, interface);
        }
        for (local, interface) in self.port.listeners() {
            let passive = ice::LocalCandidate::tcp(local, TcpType::Passive).on_interface(interface, 0);
            let passive = self.gathering.hidden(passive);
            // One that is not taken is not told.
            let _ = self.peer.add_local_candidate(now, passive);
        }
        for (server, Server { url, .. }) in Arc::clone(&self.gathering.servers).iter().enumerate() {
            // To a server, all connections of one port are one client.
            if self.port.is_shared() && url.transport == ServerTransport::Udp {
                continue;
            }
            if let Ok(ip) = url.host.parse::<IpAddr>() {
                self.add_server(now, server, SocketAddr::new(ip, url.port));
            } else {
                self.resolve_server(server, url.clone());
            }
        }
        self.end_gathering(now);
    }

    /// Tells of a socket.
    pub(super) fn add_address(&mut self, now: Instant, address: SocketAddr, interface: u32) {
        let mut candidates = self.gathering.candidates(address, interface);
        if self.gathering.ice_tcp {
            let active = ice::LocalCandidate::tcp(address, TcpType::Active).on_interface(interface, 0);
            candidates.push(self.gathering.hidden(active));
        }
        for candidate in candidates {
            // One that is not taken is not told.
            let _ = self.peer.add_local_candidate(now, candidate);
        }
    }

    fn resolve_server(&mut self, server: usize, url: IceUrl) {
        self.gathering.unresolved += 1;
        let (round, answer) = (self.gathering.round, self.gathering.answer());
        tokio::spawn(async move {
            let resolving = tokio::net::lookup_host((&*url.host, url.port));
            let addresses = match tokio::time::timeout(RESOLVING, resolving).await {
                Ok(resolved) => resolved.map(Iterator::collect),
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            };
            // A driver that is gone needs no answer.
            let _ = answer.send(Box::new(Answer::Server { round, server, addresses })).await;
        });
    }

    fn add_server(&mut self, now: Instant, server: usize, address: SocketAddr) {
        let Server { url, kind } = &self.gathering.servers[server];
        let (kind, domain) = (kind.clone(), url.host.clone());
        let server = peer::IceServer { kind, transport: url.transport, address, domain };
        self.peer.add_ice_server(now, server);
    }

    fn end_gathering(&mut self, now: Instant) {
        if self.gathering.unresolved == 0 {
            self.peer.end_of_local_candidates(now);
        }
    }

    /// Takes what a task has found out.
    pub(super) fn take(&mut self, answer: Answer) {
        let now = clock();
        match answer {
            Answer::Server { round, .. } if round != self.gathering.round => {}
            Answer::Server { server, addresses, .. } => {
                self.gathering.unresolved -= 1;
                self.take_server(now, server, addresses);
                self.end_gathering(now);
            }
            Answer::Name { id, addresses } => self.peer.handle_resolved(now, id, &addresses),
            Answer::Opened { id, opened: Ok((connection, local)) } => {
                if self.streams.opened(id, connection) {
                    self.peer.handle_connected(now, id, local);
                }
            }
            Answer::Opened { id, opened: Err(_) } => {
                self.streams.close(id);
                self.peer.handle_disconnected(now, id);
            }
            Answer::Accepted { local, remote, connection } => {
                if let Some(id) = self.peer.handle_accepted(now, local, remote) {
                    self.streams.accepted(id, connection);
                }
            }
        }
    }

    fn take_server(&mut self, now: Instant, server: usize, addresses: io::Result<Vec<SocketAddr>>) {
        let of_family = |addresses: &[SocketAddr], is_ipv4: bool| {
            let mut of_family: Vec<_> =
                addresses.iter().copied().filter(|address| address.is_ipv4() == is_ipv4).collect();
            of_family.truncate(ADDRESSES);
            of_family
        };
        match addresses {
            Ok(addresses) if !addresses.is_empty() => {
                for address in of_family(&addresses, false).into_iter().chain(of_family(&addresses, true)) {
                    self.add_server(now, server, address);
                }
            }
            failed => {
                let why = failed.err().map_or_else(|| "it has no address".into(), |error| error.to_string());
                let url = &self.gathering.servers[server].url;
                self.say(PeerEvent::IceCandidateError(IceCandidateError {
                    address: None,
                    url: url.to_string().into(),
                    error_code: UNREACHABLE,
                    error_text: format!("{} cannot be resolved: {why}", url.host).into(),
                }));
            }
        }
    }

    /// Resolves a name of the peer's.
    pub(super) fn resolve_name(&mut self, id: ice::ResolveId, name: Box<str>) {
        if !self.resolves_names {
            return self.peer.handle_resolved(clock(), id, &[]);
        }
        let answer = self.gathering.answer();
        tokio::spawn(async move {
            let addresses = mdns::resolve(&name).await;
            // A driver that is gone needs no answer.
            let _ = answer.send(Box::new(Answer::Name { id, addresses })).await;
        });
    }

    /// Opens a connection that the state machine asks for.
    pub(super) fn connect(
        &mut self,
        id: StreamId,
        local: Option<IpAddr>,
        remote: SocketAddr,
        security: peer::StreamSecurity,
    ) {
        let (answer, tls) = (self.gathering.answer(), Arc::clone(&self.tls));
        let task = tokio::spawn(async move {
            let opened = streams::open(local, remote, security, &tls).await;
            // A driver that is gone needs no answer.
            let _ = answer.send(Box::new(Answer::Opened { id, opened })).await;
        });
        self.streams.opening(id, task.abort_handle());
    }

    /// Hands what is accepted at this address to the driver, until that is gone.
    pub(super) fn accept(&mut self, listener: tokio::net::TcpListener) -> tokio::task::AbortHandle {
        let answer = self.gathering.answer();
        let task = tokio::spawn(async move {
            let Ok(local) = listener.local_addr() else { return };
            loop {
                match listener.accept().await {
                    Ok((connection, remote)) => {
                        let _ = connection.set_nodelay(true);
                        if answer
                            .send(Box::new(Answer::Accepted { local, remote, connection }))
                            .await
                            .is_err()
                        {
                            return;
                        }
                    }
                    // Out of descriptors, most likely: that passes.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
        task.abort_handle()
    }

    /// Compares this machine's addresses with those that are in use.
    pub(super) fn follow_network(&mut self) {
        let now = clock();
        let Ok(change) = self.port.refresh() else { return };
        if change.is_empty() {
            return;
        }
        for address in change.gone {
            self.peer.remove_local_candidates(now, address);
        }
        for (address, interface) in change.new {
            // Before gathering begins there is nothing to tell it to.
            if self.gathering.round > 0 {
                self.add_address(now, address, interface);
            }
        }
        self.say(PeerEvent::NetworkChange);
    }
}
