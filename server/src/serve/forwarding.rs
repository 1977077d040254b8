//! The media workers' settings, from the operator's.

use std::{net::SocketAddr, num::NonZeroUsize, sync::Arc, thread, time::SystemTime};

use tokio::net::TcpListener;

use super::{Door, Ports, addresses, listen, random};
use crate::{
    config::{ConfigError, Listen, Options},
    http::Workers,
    media::{self, Settings},
    tls::local_addresses,
};

/// Ports that the system is asked for at most, until one is free over TCP as well.
const CHOICES: usize = 8;

/// Starts the media workers, unless they are off, and has a door lead to them over TCP.
pub(super) fn start(
    options: &Options,
    ports: &Ports,
    doors: &mut Vec<Door>,
) -> Result<Option<Workers>, ConfigError> {
    let listen = match &options.media {
        Some(Listen::Off) => return Ok(None),
        Some(wanted) => listen::addresses("media", wanted)?,
        None => by_default(ports),
    };
    let Some(first) = listen.first().copied() else { return Ok(None) };
    let (listen, tcp) = match open(&listen, doors) {
        Ok(opened) => opened,
        // Where nobody has asked for this port, another one will do.
        Err(_) if options.media.is_none() => {
            let anywhere: Vec<_> = listen.iter().map(|address| SocketAddr::new(address.ip(), 0)).collect();
            open(&anywhere, doors)?
        }
        Err(error) => return Err(error),
    };
    let certificate = twocan::Certificate::generate(random()?, SystemTime::now())
        .map_err(|error| ConfigError(format!("no certificate for media could be made: {error}")))?;
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let mut locals = local_addresses();
    if first.ip().is_loopback() {
        locals.push(first.ip());
    }
    let settings = Settings {
        listen,
        tcp,
        public: options.public_ip.clone(),
        locals,
        workers: options.media_workers.map_or_else(cores, usize::from),
        connections: options.media_connections as usize,
        spread: options.media_spread as usize,
        voices: NonZeroUsize::new(options.media_voices.into()),
        certificate: Arc::new(certificate),
    };
    media::start(&settings)
        .map(|(handle, notices)| Some(Workers { handle: Arc::new(handle), notices }))
        .map_err(|error| ConfigError(error.to_string()))
}

/// At the number of HTTPS, or else of HTTP: one number to let through a firewall.
fn by_default(ports: &Ports) -> Vec<SocketAddr> {
    if ports.https.is_empty() { ports.http.clone() } else { ports.https.clone() }
}

/// Where media is received over UDP, and over TCP. Where another program has the port over TCP there is none, and media goes by UDP
/// and the relay alone; unless the system chooses the port, which then chooses again.
fn open(
    wanted: &[SocketAddr],
    doors: &mut Vec<Door>,
) -> Result<(Vec<SocketAddr>, Vec<SocketAddr>), ConfigError> {
    let is_chosen = wanted.iter().any(|address| address.port() == 0);
    // Until all are known, so that no two are the same.
    let mut held = Vec::new();
    loop {
        let sockets = listen::udp("media", wanted.to_vec())?;
        let listen: Vec<SocketAddr> = sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect();
        held.push(sockets);
        match over_tcp(&listen, doors) {
            Ok(tcp) => return Ok((listen, tcp)),
            Err(_) if is_chosen && held.len() < CHOICES => {}
            Err(error) => {
                tracing::warn!("media is not accepted over TCP: {error}");
                return Ok((listen, Vec::new()));
            }
        }
    }
}

/// Where media is accepted over TCP: at the number of UDP, by the door that is there, or by one of its own.
fn over_tcp(listen: &[SocketAddr], doors: &mut Vec<Door>) -> Result<Vec<SocketAddr>, ConfigError> {
    let numbers: Vec<u16> = listen.iter().map(SocketAddr::port).collect();
    let is_there =
        |listener: &TcpListener| listener.local_addr().is_ok_and(|address| numbers.contains(&address.port()));
    if let Some(door) = doors.iter_mut().find(|door| door.listeners.iter().any(is_there)) {
        // TURN without TLS begins as frames may.
        door.media = door.tls || !door.turn;
        return Ok(if door.media { addresses(&door.listeners) } else { Vec::new() });
    }
    let listeners = listen::tcp_at(listen.to_vec())?;
    let tcp = addresses(&listeners);
    doors.push(Door { listeners, http: false, turn: false, tls: false, media: true });
    Ok(tcp)
}
