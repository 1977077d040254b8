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
    // Held until all are known, so that no two are the same.
    let held = match listen::udp("media", listen.clone()) {
        Ok(held) => held,
        // Where nobody has asked for this port, another one will do.
        Err(_) if options.media.is_none() => {
            let anywhere = listen.iter().map(|address| SocketAddr::new(address.ip(), 0)).collect();
            listen::udp("media", anywhere)?
        }
        Err(error) => return Err(error),
    };
    let listen: Vec<SocketAddr> = held.iter().filter_map(|socket| socket.local_addr().ok()).collect();
    drop(held);
    let tcp = over_tcp(&listen, doors);
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

/// Where media is accepted over TCP: at the number of UDP, by the door that is there, or by one of its own. Where another
/// program has that port there is none, and media goes by UDP and the relay alone.
fn over_tcp(listen: &[SocketAddr], doors: &mut Vec<Door>) -> Vec<SocketAddr> {
    let numbers: Vec<u16> = listen.iter().map(SocketAddr::port).collect();
    let is_there =
        |listener: &TcpListener| listener.local_addr().is_ok_and(|address| numbers.contains(&address.port()));
    if let Some(door) = doors.iter_mut().find(|door| door.listeners.iter().any(is_there)) {
        // TURN without TLS begins as frames may.
        door.media = door.tls || !door.turn;
        return if door.media { addresses(&door.listeners) } else { Vec::new() };
    }
    match listen::tcp_at(listen.to_vec()) {
        Ok(listeners) => {
            let tcp = addresses(&listeners);
            doors.push(Door { listeners, http: false, turn: false, tls: false, media: true });
            tcp
        }
        Err(error) => {
            tracing::warn!("media is not accepted over TCP: {error}");
            Vec::new()
        }
    }
}
