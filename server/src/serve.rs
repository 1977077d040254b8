//! `twocan serve`: starts everything, and stops it in good order.

mod accept;
mod banner;
mod data_dir;
mod front;
mod listen;
mod stop;

use std::{process::ExitCode, sync::Arc, time::Duration};

use aws_lc_rs::hmac;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::{
    config::{ConfigError, Listen, Options},
    http::{self, AllowedOrigins, HubHandle, Site, WebApp, start_hub},
    ice_servers::{IceServerIssuer, IceSettings},
    signaling::{Hub, Keys, Limits, Settings},
    tls::Certificate,
};
use accept::AddressLimit;
pub(crate) use data_dir::{DataDir, create_private_folder, write_private};
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
        let server = Server::start(options)?;
        banner::print(options, &server);
        Ok(stop::when_told(&server.hub, Duration::from_secs(options.drain_seconds)).await)
    });
    runtime.shutdown_background();
    code
}

/// What runs.
struct Server {
    hub: HubHandle,
    /// Where it can be opened without TLS and with it.
    http: Vec<std::net::SocketAddr>,
    https: Vec<std::net::SocketAddr>,
    certificate: Option<Certificate>,
}

impl Server {
    fn start(options: &Options) -> Result<Self, ConfigError> {
        let data = DataDir::open(options.data_dir.as_deref());
        let secret = data.secret()?;
        let http = listen::tcp("http", &options.http)?;
        let https = listen::tcp("https", &options.https)?;
        let certificate = match options.https {
            Listen::Off => None,
            _ => Some(Certificate::obtain(options, &data)?),
        };
        let site = site(options, &secret)?;
        let hub = site.hub.clone();
        let router = http::router(Arc::new(site));
        let limit = AddressLimit::new(options.connections_per_address);
        let server = Self { hub, http: addresses(&http), https: addresses(&https), certificate };
        let plain = Front { http: Some(router.clone()), tls: None };
        start_accepting(http, &plain, &limit);
        if let Some(certificate) = &server.certificate {
            let tls = Arc::new(certificate.for_port(true, false)?);
            start_accepting(https, &Front { http: Some(router), tls: Some(tls) }, &limit);
        }
        Ok(server)
    }
}

fn site(options: &Options, secret: &[u8]) -> Result<Site, ConfigError> {
    let limits = Limits {
        call_capacity: options.call_capacity.into(),
        live_capacity: options.live_capacity.into(),
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
        ..Settings::default()
    };
    let life = Duration::from_secs(options.turn_credential_seconds);
    let ice_settings =
        IceSettings { life, public_ip: options.public_ip.first().copied(), ..IceSettings::default() };
    let ice = IceServerIssuer::new(ice_settings, turn_secret(options, secret).as_bytes());
    let invitation_key = options.invitation_key.as_ref().map(|key| key.0.as_bytes());
    let keys = Keys::new(secret, invitation_key);
    let hub = Hub::new(settings, keys, data_dir::random()?, Box::new(ice.clone()));
    Ok(Site {
        hub: start_hub(hub, limits.queued_bytes),
        web_app: options.web_dir.clone().map_or(WebApp::Embedded, WebApp::Folder),
        origins: AllowedOrigins::new(options.allow_origin.iter().cloned()),
        ice,
        limits,
    })
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

fn start_accepting(listeners: Vec<TcpListener>, front: &Front, limit: &AddressLimit) {
    for listener in listeners {
        let front = front.clone();
        let serve = move |stream, remote| front.clone().serve(stream, remote);
        tokio::spawn(accept::accept_all(listener, limit.clone(), serve));
    }
}

fn addresses(listeners: &[TcpListener]) -> Vec<std::net::SocketAddr> {
    listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
}

/// To standard error; standard output is for the addresses.
fn start_log(filter: &str) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
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
    }
}
