//! `twocan serve`: starts everything, and stops it in good order.

mod accept;
mod banner;
mod data_dir;
mod forwarding;
mod front;
mod listen;
mod relaying;
mod sniff;
mod stop;

use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use aws_lc_rs::hmac;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::{
    config::{AdminToken, ConfigError, Listen, Options},
    http::{self, AllowedOrigins, HubHandle, Site, WebApp, Workers, start_hub},
    ice_servers::{IceServerIssuer, IceSettings},
    media, relay,
    signaling::{Hub, Keys, Limits, Settings},
    tls::Certificate,
};
use accept::AddressLimit;
pub(crate) use banner::qr_code;
pub(crate) use data_dir::{DataDir, create_private_folder, random, write_private};
use front::Front;

/// Runs the server until it is told to stop.
pub(crate) fn run(options: &Options) -> ExitCode {
    match try_run(options) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("twocan: {error}");
            ExitCode::from(2)
        }
    }
}

fn try_run(options: &Options) -> Result<ExitCode, ConfigError> {
    start_log(&options.log)?;
    raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| ConfigError(format!("the system gives no threads: {error}: look at its limits")))?;
    let code = runtime.block_on(async {
        let signals = stop::Signals::install().map_err(|error| {
            ConfigError(format!("signals cannot be handled: {error}: look at the system's limits"))
        })?;
        let server = Server::start(options)?;
        banner::print(options, &server);
        let drain = Duration::from_secs(options.drain_seconds);
        Ok(stop::when_told(signals, &server.hub, server.relay.as_deref(), server.media.as_deref(), drain)
            .await)
    });
    runtime.shutdown_background();
    code
}

/// What runs.
struct Server {
    hub: HubHandle,
    admin_token: Option<String>,
    relay: Option<Arc<relay::Handle>>,
    media: Option<Arc<media::Handle>>,
    ports: Ports,
    certificate: Option<Certificate>,
}

/// Where it all listens, with real ports.
#[derive(Default)]
struct Ports {
    http: Vec<SocketAddr>,
    https: Vec<SocketAddr>,
    turn_udp: Vec<SocketAddr>,
    alternate_udp: Vec<SocketAddr>,
    turn_tcp: Vec<SocketAddr>,
    turns: Vec<SocketAddr>,
    media: Vec<SocketAddr>,
}

/// One TCP port, or the same port on several addresses, and what is served there.
struct Door {
    listeners: Vec<TcpListener>,
    http: bool,
    turn: bool,
    tls: bool,
    media: bool,
}

impl Server {
    fn start(options: &Options) -> Result<Self, ConfigError> {
        if options.invitation_required && options.invitation_key.is_none() {
            let next = "give the key that you sign invitations with, too: --invitation-key";
            return Err(ConfigError(format!("--invitation-required lets nobody in: {next}")));
        }
        let data = DataDir::open(options.data_dir.as_deref());
        let secret = data.secret()?;
        let (mut doors, mut ports, held) = open_doors(options)?;
        let certificate = match doors.iter().any(|door| door.tls) {
            true => Some(Certificate::obtain(options, &data)?),
            false => None,
        };
        let turn_secret = turn_secret(options, &secret);
        let media = forwarding::start(options, &ports, &mut doors)?;
        if let Some(media) = &media {
            ports.media = media.handle.listening().to_vec();
        }
        // What was held for the relay is its own to open.
        drop(held);
        let relay = match ports.turn_udp.is_empty() && !doors.iter().any(|door| door.turn) {
            true => None,
            false => {
                let surroundings = relaying::Surroundings {
                    listen: ports.turn_udp.clone(),
                    alternate: ports.alternate_udp.clone(),
                    own_ports: ports.all(),
                    // Whoever gets out by the relay only is not to miss what is forwarded.
                    open_ports: media.as_ref().map(|media| media.handle.ports()).unwrap_or_default(),
                    turn_secret: &turn_secret,
                    secret: &secret,
                };
                let relay = relaying::start(options, surroundings)?;
                let (usual, alternate) = relay.listening().split_at(ports.turn_udp.len());
                (ports.turn_udp, ports.alternate_udp) = (usual.to_vec(), alternate.to_vec());
                Some(relay)
            }
        };
        let site = site(options, &secret, &turn_secret, &ports, (relay.clone(), media))?;
        let (hub, forwarder, admin_token) = (site.hub.clone(), site.media.clone(), site.admin_token.clone());
        let router = http::router(Arc::new(site));
        let limit = AddressLimit::new(options.connections_per_address);
        for door in doors {
            let tls = match certificate.as_ref().filter(|_| door.tls) {
                Some(certificate) => Some(Arc::new(certificate.for_port(door.http, door.turn)?)),
                None => None,
            };
            let front = Front {
                http: door.http.then(|| router.clone()),
                turn: relay.clone().filter(|_| door.turn),
                media: forwarder.clone().filter(|_| door.media),
                tls,
            };
            start_accepting(door.listeners, &front, &limit);
        }
        Ok(Self { hub, admin_token, relay, media: forwarder, ports, certificate })
    }
}

impl Ports {
    fn all(&self) -> Vec<u16> {
        let Self { http, https, turn_udp, alternate_udp, turn_tcp, turns, media } = self;
        let all = [http, https, turn_udp, alternate_udp, turn_tcp, turns, media];
        let mut all: Vec<_> =
            all.into_iter().flatten().map(SocketAddr::port).filter(|port| *port != 0).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Opens every TCP port, and decides about UDP, whose ports are held meanwhile. Services at the same address share it.
fn open_doors(options: &Options) -> Result<(Vec<Door>, Ports, Vec<UdpSocket>), ConfigError> {
    let mut doors = Vec::new();
    let mut ports = Ports::default();
    let shares_tls = options.https == options.turns;
    let http = listen::tcp("http", &options.http)?;
    ports.http = addresses(&http);
    doors.push(Door { listeners: http, http: true, turn: false, tls: false, media: false });
    let https = listen::tcp("https", &options.https)?;
    ports.https = addresses(&https);
    doors.push(Door { listeners: https, http: true, turn: shares_tls, tls: true, media: false });
    if shares_tls {
        ports.turns = ports.https.clone();
    } else {
        let turns = listen::tcp("turns", &options.turns)?;
        ports.turns = addresses(&turns);
        doors.push(Door { listeners: turns, http: false, turn: true, tls: true, media: false });
    }
    let alternate = alternate_addresses(options)?;
    // Held until all are known, so that no two are the same.
    let mut held = Vec::new();
    for listen in &options.stun_turn {
        let (tcp, udp) = open_stun_turn(listen)?;
        ports.turn_tcp.extend(addresses(&tcp));
        ports.turn_udp.extend(udp.iter().filter_map(|socket| socket.local_addr().ok()));
        held.extend(udp);
        doors.push(Door { listeners: tcp, http: false, turn: true, tls: false, media: false });
    }
    if !ports.turn_udp.is_empty() {
        let alternate = listen::udp("stun-alternate", alternate)?;
        ports.alternate_udp.extend(alternate.iter().filter_map(|socket| socket.local_addr().ok()));
        held.extend(alternate);
    }
    doors.retain(|door| !door.listeners.is_empty());
    Ok((doors, ports, held))
}

/// Where the second STUN port is to be: elsewhere than the first.
fn alternate_addresses(options: &Options) -> Result<Vec<SocketAddr>, ConfigError> {
    let alternate = listen::addresses("stun-alternate", &options.stun_alternate)?;
    for listen in &options.stun_turn {
        let usual = listen::addresses("stun-turn", listen)?;
        if let Some(same) = usual.iter().find(|address| address.port() != 0 && alternate.contains(address)) {
            let next = "choose another port for it, or --stun-alternate off";
            return Err(ConfigError(format!("--stun-alternate and --stun-turn are both at {same}: {next}")));
        }
    }
    Ok(alternate)
}

/// TCP and UDP at the same port.
fn open_stun_turn(listen: &Listen) -> Result<(Vec<TcpListener>, Vec<UdpSocket>), ConfigError> {
    /// Where the system chooses a port, it chooses one that is free in TCP: in UDP it may be taken.
    const TRIES: usize = 16;

    let wanted = listen::addresses("stun-turn", listen)?;
    let system_chooses = wanted.iter().all(|address| address.port() == 0);
    let mut tries = 1..TRIES;
    loop {
        let tcp = listen::tcp("stun-turn", listen)?;
        let mut udp = wanted.clone();
        if let Some(first) = tcp.first().and_then(|first| first.local_addr().ok()) {
            udp.iter_mut().for_each(|address| address.set_port(first.port()));
        }
        match listen::udp("stun-turn", udp) {
            Err(_) if system_chooses && tries.next().is_some() => {}
            outcome => return Ok((tcp, outcome?)),
        }
    }
}

/// People in a call, and in a live room, whose media this server forwards.
const MOST_CALLED: usize = 50;
const MOST_WATCHING: usize = 500;

fn site(
    options: &Options,
    secret: &[u8],
    turn_secret: &str,
    ports: &Ports,
    (relay, media): (Option<Arc<relay::Handle>>, Option<Workers>),
) -> Result<Site, ConfigError> {
    let mesh_capacity: usize = options.mesh_capacity.into();
    // What does not go through this server is carried by the homes of those who send.
    let (calls, live) = if media.is_some() { (MOST_CALLED, MOST_WATCHING) } else { (mesh_capacity, 32) };
    let limits = Limits {
        mesh_capacity,
        call_capacity: options.call_capacity.map_or(calls, usize::from),
        live_capacity: options.live_capacity.map_or(live, usize::from),
        send_capacity: options.send_capacity.into(),
        rooms: options.rooms as usize,
        connections: options.connections as usize,
        messages_per_second: options.messages_per_second,
        grace_seconds: options.grace_seconds.into(),
        ..Limits::default()
    };
    let settings = Settings {
        limits: limits.clone(),
        invitation_required: options.invitation_required,
        media: media.is_some(),
        ..Settings::default()
    };
    let port = |addresses: &[SocketAddr]| addresses.first().map(SocketAddr::port);
    let ice_settings = IceSettings {
        udp: port(&ports.turn_udp),
        alternate_udp: port(&ports.alternate_udp),
        tcp: port(&ports.turn_tcp),
        tls: port(&ports.turns),
        public_ip: options.public_ip.first().copied(),
        loopback_means: loopback_means(&ports.turn_udp),
        life: Duration::from_secs(options.turn_credential_seconds),
    };
    let ice = IceServerIssuer::new(ice_settings, turn_secret.as_bytes());
    let invitation_key = options.invitation_key.as_ref().map(|key| key.0.as_bytes());
    let keys = Keys::new(secret, invitation_key);
    let hub = Hub::new(settings, keys, random()?, Box::new(ice.clone()));
    let handle = media.as_ref().map(|workers| Arc::clone(&workers.handle));
    Ok(Site {
        hub: start_hub(hub, limits.queued_bytes, media),
        relay,
        media: handle,
        admin_token: admin_token(options, secret),
        started: Instant::now(),
        publish_token: options.publish_token.as_ref().map(|token| token.0.clone()),
        watch_token: options.watch_token.as_ref().map(|token| token.0.clone()),
        web_app: options.web_dir.clone().map_or(WebApp::Embedded, WebApp::Folder),
        origins: AllowedOrigins::new(options.allow_origin.iter().cloned()),
        ice,
        limits,
    })
}

/// Where a client that says `localhost` is told to find the relay: at the address it listens on, else at this
/// computer's address in its network, which the other side of a call can reach as well.
fn loopback_means(turn_udp: &[SocketAddr]) -> Option<IpAddr> {
    let first = turn_udp.first()?;
    let everywhere = turn_udp.iter().find(|address| address.ip().is_unspecified());
    everywhere
        .map_or(Some(first.ip()), |_| relay::default_source(false).or_else(|| relay::default_source(true)))
}

/// The operator's secret for credentials of a short life, or one derived from the server's own.
fn turn_secret(options: &Options, secret: &[u8]) -> String {
    match &options.turn_secret {
        Some(secret) => secret.0.clone(),
        None => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            let tag = hmac::sign(&key, b"twocan turn credentials v1");
            tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
        }
    }
}

/// The operator's token for `/admin`, or one derived from the server's secret, so that it stays; none where it is off.
fn admin_token(options: &Options, secret: &[u8]) -> Option<String> {
    match &options.admin_token {
        Some(AdminToken::Off) => None,
        Some(AdminToken::Of(token)) => Some(token.0.clone()),
        None => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            let tag = hmac::sign(&key, b"twocan admin token v1");
            Some(tag.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect())
        }
    }
}

fn start_accepting(listeners: Vec<TcpListener>, front: &Front, limit: &AddressLimit) {
    for listener in listeners {
        let front = front.clone();
        let serve = move |stream, remote| front.clone().serve(stream, remote);
        tokio::spawn(accept::accept_all(listener, limit.clone(), serve));
    }
}

fn addresses(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
}

/// A level alone is about this server: what libraries say below a warning tells nobody but their authors something.
fn widened(filter: &str) -> String {
    match filter.to_ascii_lowercase().as_str() {
        level @ ("info" | "debug" | "trace") => format!("warn,twocan={level}"),
        _ => filter.to_owned(),
    }
}

/// To standard error; standard output is for the addresses.
fn start_log(filter: &str) -> Result<(), ConfigError> {
    let filter = widened(filter);
    let filter = EnvFilter::try_new(&filter).map_err(|error| {
        ConfigError(format!("--log {filter}: {error}: give error, warn, info, debug or trace"))
    })?;
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal)
        .with_target(false)
        .init();
    Ok(())
}

/// Every connection is an open file, and the usual soft limit is 1,024.
fn raise_file_limit() {
    /// As many as a busy server has: relay sockets, WebSockets.
    const MANY_FILES: u64 = 32_768;

    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if limit.current != limit.maximum
            && let Err(error) = setrlimit(Resource::Nofile, raised)
        {
            tracing::debug!("the limit of open files stays: {error}");
        }
        // Once there are threads, the kernel stops each time that its table of open files grows. A file with a
        // high number makes it grow now; then the file may go again.
        let high = limit.maximum.map_or(MANY_FILES, |maximum| maximum.min(MANY_FILES)).saturating_sub(1);
        if let Ok(high) = i32::try_from(high) {
            drop(rustix::io::fcntl_dupfd_cloexec(std::io::stdin(), high));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_about_this_server() {
        assert_eq!(widened("Debug"), "warn,twocan=debug");
        assert_eq!(widened("error"), "error");
        assert_eq!(widened("info,hyper=trace"), "info,hyper=trace");
    }
}
