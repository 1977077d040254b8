//! Every option of `twocan serve`. Its name, its words and its default are here once: as a flag, as an
//! environment variable (`TWOCAN_` and the name in capitals), and as a key of the configuration file.

use std::{net::IpAddr, path::PathBuf};

use super::values::{AdminToken, Cidr, Listen, PortRange, Realm, Secret, TurnUser};

/// What an operator can set.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Read options from this TOML file; flags and environment variables win over it
    #[arg(long, env = "TWOCAN_CONFIG", value_name = "FILE", help_heading = "General")]
    pub(crate) config: Option<PathBuf>,

    /// Keep secrets and certificates here [default: the state directory of systemd or of the user]
    #[arg(long, env = "TWOCAN_DATA_DIR", value_name = "DIR", help_heading = "General")]
    pub(crate) data_dir: Option<PathBuf>,

    /// What to log: error, warn, info, debug or trace, of which the last three are about this server alone; or a tracing filter such as info,twocan::http=debug
    #[arg(long, env = "TWOCAN_LOG", value_name = "FILTER", default_value = "info", help_heading = "General")]
    pub(crate) log: String,

    /// On SIGTERM or Ctrl-C, let what is relayed and forwarded go on for so many seconds at most; a second signal ends at once
    #[arg(
        long,
        env = "TWOCAN_DRAIN_SECONDS",
        value_name = "SECONDS",
        default_value_t = 5,
        help_heading = "General"
    )]
    pub(crate) drain_seconds: u64,

    /// Where to serve the web app and signaling without TLS (ADDR: host:port, :port, port or off)
    #[arg(
        long,
        env = "TWOCAN_HTTP",
        value_name = "ADDR",
        default_value = "localhost:8080",
        help_heading = "Web app and signaling"
    )]
    pub(crate) http: Listen,

    /// Where to serve the web app and signaling with TLS
    #[arg(
        long,
        env = "TWOCAN_HTTPS",
        value_name = "ADDR",
        default_value = ":8443",
        help_heading = "Web app and signaling"
    )]
    pub(crate) https: Listen,

    /// A page from elsewhere that may use the signaling, such as https://example.org (may be repeated; * for all)
    #[arg(
        long,
        env = "TWOCAN_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ',',
        help_heading = "Web app and signaling"
    )]
    pub(crate) allow_origin: Vec<String>,

    /// Open TCP connections from one address, over all services; behind a reverse proxy all come from one
    #[arg(
        long,
        env = "TWOCAN_CONNECTIONS_PER_ADDRESS",
        value_name = "N",
        default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(1..),
        help_heading = "Web app and signaling"
    )]
    pub(crate) connections_per_address: u32,

    /// Serve the web app from this folder instead of the one in the binary
    #[arg(long, env = "TWOCAN_WEB_DIR", value_name = "DIR", hide = true)]
    pub(crate) web_dir: Option<PathBuf>,

    /// Certificate chain (PEM); without one the server makes its own
    #[arg(long, env = "TWOCAN_TLS_CERT", value_name = "FILE", requires = "tls_key", help_heading = "TLS")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Private key of the certificate (PEM)
    #[arg(long, env = "TWOCAN_TLS_KEY", value_name = "FILE", requires = "tls_cert", help_heading = "TLS")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Get a certificate for this domain from Let's Encrypt; the HTTPS port must be reachable as 443 (may be repeated)
    #[arg(
        long,
        env = "TWOCAN_ACME_DOMAIN",
        value_name = "DOMAIN",
        value_delimiter = ',',
        conflicts_with = "tls_cert",
        help_heading = "TLS"
    )]
    pub(crate) acme_domain: Vec<String>,

    /// Where the certificate authority may write to about expiring certificates
    #[arg(long, env = "TWOCAN_ACME_EMAIL", value_name = "EMAIL", help_heading = "TLS")]
    pub(crate) acme_email: Option<String>,

    /// Another ACME certificate authority's directory
    #[arg(
        long,
        env = "TWOCAN_ACME_DIRECTORY",
        value_name = "URL",
        default_value = "https://acme-v02.api.letsencrypt.org/directory",
        help_heading = "TLS"
    )]
    pub(crate) acme_directory: String,

    /// Certificate (PEM) that the ACME directory's own one is signed with, where that is a private one
    #[arg(long, env = "TWOCAN_ACME_CA", value_name = "FILE", help_heading = "TLS")]
    pub(crate) acme_ca: Option<PathBuf>,

    /// Where to serve STUN and TURN over UDP and TCP (may be repeated)
    #[arg(
        long,
        env = "TWOCAN_STUN_TURN",
        value_name = "ADDR",
        value_delimiter = ',',
        default_value = ":3478",
        help_heading = "STUN and TURN"
    )]
    pub(crate) stun_turn: Vec<Listen>,

    /// A second UDP port for STUN, by which /check and `twocan nat` compare mappings
    #[arg(
        long,
        env = "TWOCAN_STUN_ALTERNATE",
        value_name = "ADDR",
        default_value = ":3479",
        help_heading = "STUN and TURN"
    )]
    pub(crate) stun_alternate: Listen,

    /// Where to serve TURN over TLS; may be the same as --https
    #[arg(
        long,
        env = "TWOCAN_TURNS",
        value_name = "ADDR",
        default_value = ":5349",
        help_heading = "STUN and TURN"
    )]
    pub(crate) turns: Listen,

    /// An address by which the world reaches this server, where its own interfaces do not have it (may be repeated)
    #[arg(
        long,
        env = "TWOCAN_PUBLIC_IP",
        value_name = "IP",
        value_delimiter = ',',
        help_heading = "STUN and TURN"
    )]
    pub(crate) public_ip: Vec<IpAddr>,

    /// A static user of the relay (may be repeated)
    #[arg(
        long,
        env = "TWOCAN_TURN_USER",
        value_name = "NAME:PASSWORD",
        hide_env_values = true,
        help_heading = "STUN and TURN"
    )]
    pub(crate) turn_user: Vec<TurnUser>,

    /// Secret for credentials of a short life; another program that knows it can issue them too [default: made, and kept in the data directory]
    #[arg(
        long,
        env = "TWOCAN_TURN_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        help_heading = "STUN and TURN"
    )]
    pub(crate) turn_secret: Option<Secret>,

    /// Realm of the relay's users, at most 12 bytes
    #[arg(
        long,
        env = "TWOCAN_TURN_REALM",
        value_name = "REALM",
        default_value = "twocan",
        help_heading = "STUN and TURN"
    )]
    pub(crate) turn_realm: Realm,

    /// How many seconds the credentials are good for that the web app gets
    #[arg(long, env = "TWOCAN_TURN_CREDENTIAL_SECONDS", value_name = "SECONDS", default_value_t = 3_600, value_parser = clap::value_parser!(u64).range(60..=604_800), help_heading = "STUN and TURN")]
    pub(crate) turn_credential_seconds: u64,

    /// Addresses that clients may relay to although they are private or otherwise denied (may be repeated)
    #[arg(
        long,
        env = "TWOCAN_ALLOW_PEER",
        value_name = "CIDR",
        value_delimiter = ',',
        help_heading = "STUN and TURN"
    )]
    pub(crate) allow_peer: Vec<Cidr>,

    /// UDP ports for relayed addresses
    #[arg(
        long,
        env = "TWOCAN_RELAY_PORTS",
        value_name = "FIRST-LAST",
        default_value = "49152-65535",
        help_heading = "STUN and TURN"
    )]
    pub(crate) relay_ports: PortRange,

    /// Threads that relay [default: one per core]
    #[arg(long, env = "TWOCAN_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "STUN and TURN")]
    pub(crate) workers: Option<u16>,

    /// Allocations of one user
    #[arg(
        long,
        env = "TWOCAN_ALLOCATIONS_PER_USER",
        value_name = "N",
        default_value_t = 64,
        help_heading = "STUN and TURN"
    )]
    pub(crate) allocations_per_user: u32,

    /// Allocations of one client address
    #[arg(
        long,
        env = "TWOCAN_ALLOCATIONS_PER_ADDRESS",
        value_name = "N",
        default_value_t = 256,
        help_heading = "STUN and TURN"
    )]
    pub(crate) allocations_per_address: u32,

    /// Bytes per second that one user may relay, both ways together; 0: no limit
    #[arg(
        long,
        env = "TWOCAN_BANDWIDTH_PER_USER",
        value_name = "BYTES",
        default_value_t = 0,
        help_heading = "STUN and TURN"
    )]
    pub(crate) bandwidth_per_user: u64,

    /// Bytes per second that one client address may relay, both ways together; 0: no limit
    #[arg(
        long,
        env = "TWOCAN_BANDWIDTH_PER_ADDRESS",
        value_name = "BYTES",
        default_value_t = 0,
        help_heading = "STUN and TURN"
    )]
    pub(crate) bandwidth_per_address: u64,

    /// Where media is received that is forwarded, over UDP, and over TCP where that fails: calls, live streams (WHIP and WHEP) [default: as --https, or else --http]
    #[arg(long, env = "TWOCAN_MEDIA", value_name = "ADDR", help_heading = "Media")]
    pub(crate) media: Option<Listen>,

    /// Threads that forward media [default: one per core]
    #[arg(long, env = "TWOCAN_MEDIA_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Media")]
    pub(crate) media_workers: Option<u16>,

    /// Connections that send or get forwarded media, for each thread
    #[arg(long, env = "TWOCAN_MEDIA_CONNECTIONS", value_name = "N", default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Media")]
    pub(crate) media_connections: u32,

    /// People of a room on one of these threads; of more, those who only watch go to further threads
    #[arg(long, env = "TWOCAN_MEDIA_SPREAD", value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Media")]
    pub(crate) media_spread: u32,

    /// Microphones in a call that are forwarded at a time: the loudest; 0: all
    #[arg(long, env = "TWOCAN_MEDIA_VOICES", value_name = "N", default_value_t = 8, help_heading = "Media")]
    pub(crate) media_voices: u16,

    /// Token for /admin [default: one that is printed at the start, the same each time]; off: no such page
    #[arg(
        long,
        env = "TWOCAN_ADMIN_TOKEN",
        value_name = "SECRET",
        hide_env_values = true,
        help_heading = "General"
    )]
    pub(crate) admin_token: Option<AdminToken>,

    /// Token that programs must show to stream into a room (WHIP); without one everybody may
    #[arg(
        long,
        env = "TWOCAN_PUBLISH_TOKEN",
        value_name = "SECRET",
        hide_env_values = true,
        help_heading = "Media"
    )]
    pub(crate) publish_token: Option<Secret>,

    /// Token that programs must show to watch a room (WHEP); without one everybody may
    #[arg(
        long,
        env = "TWOCAN_WATCH_TOKEN",
        value_name = "SECRET",
        hide_env_values = true,
        help_heading = "Media"
    )]
    pub(crate) watch_token: Option<Secret>,

    /// People who send to each other directly; among more, this server forwards (where --media is on)
    #[arg(long, env = "TWOCAN_MESH_CAPACITY", value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(2..=64), help_heading = "Rooms")]
    pub(crate) mesh_capacity: u16,

    /// People in a call [default: 50, or as --mesh-capacity with --media off]
    #[arg(long, env = "TWOCAN_CALL_CAPACITY", value_name = "N", value_parser = clap::value_parser!(u16).range(2..=256), help_heading = "Rooms")]
    pub(crate) call_capacity: Option<u16>,

    /// People in a live room, the streamer included [default: 500, or 32 with --media off]
    #[arg(long, env = "TWOCAN_LIVE_CAPACITY", value_name = "N", value_parser = clap::value_parser!(u16).range(2..=4_000), help_heading = "Rooms")]
    pub(crate) live_capacity: Option<u16>,

    /// People in a room for sending files
    #[arg(long, env = "TWOCAN_SEND_CAPACITY", value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(2..=64), help_heading = "Rooms")]
    pub(crate) send_capacity: u16,

    /// Rooms at once
    #[arg(long, env = "TWOCAN_ROOMS", value_name = "N", default_value_t = 10_000, help_heading = "Rooms")]
    pub(crate) rooms: u32,

    /// Signaling connections at once
    #[arg(
        long,
        env = "TWOCAN_CONNECTIONS",
        value_name = "N",
        default_value_t = 20_000,
        help_heading = "Rooms"
    )]
    pub(crate) connections: u32,

    /// Messages that one client may send per second, with a burst of four times as many
    #[arg(long, env = "TWOCAN_MESSAGES_PER_SECOND", value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Rooms")]
    pub(crate) messages_per_second: u32,

    /// How long a person whose connection dropped keeps the place in the room
    #[arg(
        long,
        env = "TWOCAN_GRACE_SECONDS",
        value_name = "SECONDS",
        default_value_t = 30,
        help_heading = "Rooms"
    )]
    pub(crate) grace_seconds: u32,

    /// Admit only people with an invitation, signed by a program that has the --invitation-key
    #[arg(long, env = "TWOCAN_INVITATION_REQUIRED", help_heading = "Rooms")]
    pub(crate) invitation_required: bool,

    /// Key of invitations, for programs that sign their own [default: made, and kept in the data directory]
    #[arg(
        long,
        env = "TWOCAN_INVITATION_KEY",
        value_name = "SECRET",
        hide_env_values = true,
        help_heading = "Rooms"
    )]
    pub(crate) invitation_key: Option<Secret>,
}
