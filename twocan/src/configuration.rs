//! What a peer connection may be told (W3C webrtc-pc §4.2).

use std::ops::RangeInclusive;
use std::sync::{Arc, LazyLock};

use crate::Error;

mod address;
mod data_channel;
mod ice_server;
mod url;

pub use dtls::Version as DtlsVersion;
use peer::MediaCapabilities;
pub use peer::{BundlePolicy, IceTransportPolicy};

pub use address::{AddressFilter, ExternalAddress};
pub use data_channel::DataChannelOptions;
pub use ice_server::{IceServer, IceServerError};
pub use peer::ServerTransport;
pub use url::{IceUrl, ServerScheme, UrlError};

/// What browsers have, once for all connections: it is sixty pieces of memory.
static MEDIA: LazyLock<Arc<MediaCapabilities>> = LazyLock::new(Arc::default);

/// All that DTLS may agree on, likewise.
static DTLS: LazyLock<Arc<dtls::Config>> = LazyLock::new(Arc::default);

/// How a peer connection behaves. The default is what a browser does, without servers.
///
/// It may grow: make one with `..Configuration::default()`.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// STUN and TURN servers, tried all at once.
    pub ice_servers: Vec<IceServer>,
    /// Which candidates may be used.
    pub ice_transport_policy: IceTransportPolicy,
    /// What is done with a peer that cannot bundle.
    pub bundle_policy: BundlePolicy,
    /// The longest message that we take, in bytes; the peer is told. Longer than 256 KiB is for
    /// [`DataChannel::recv_piece`](crate::DataChannel::recv_piece), which needs no memory for all of it.
    pub max_message_size: u64,
    /// What sound and pictures can be: by default all that browsers have. None: sections of them are rejected.
    pub media: Option<Arc<MediaCapabilities>>,
    /// Who we are: the first is used, and one is made anew where there is none.
    pub certificates: Vec<Arc<dtls::Certificate>>,
    /// The least and the most version of DTLS that is spoken; the newest that both ends speak is used. Statistics say
    /// which (`tlsVersion`: `FEFC` is 1.3, `FEFD` is 1.2). One version alone is `version..=version`: 1.3 for whoever
    /// wants nothing older, 1.2 to look into a peer whose 1.3 is suspected.
    pub dtls_versions: RangeInclusive<DtlsVersion>,

    /// The UDP ports, and those of ICE-TCP, that may be used; any when `None`.
    pub ports: Option<RangeInclusive<u16>>,
    /// Public addresses of ours, where a NAT maps address to address and port to the same port.
    pub external_addresses: Vec<ExternalAddress>,
    /// Whether addresses of the loopback interface are used and told to the peer, too.
    pub include_loopback: bool,
    /// Which of this machine's addresses are used, those of the loopback interface among them; all when `None`.
    pub address_filter: Option<AddressFilter>,
    /// Whether connections are opened to the peer's TCP candidates (RFC 6544).
    pub ice_tcp: bool,
    /// Whether connections are taken, at TCP candidates of our own: for hosts that can be reached, as it takes a listening
    /// socket for each address.
    pub ice_tcp_listen: bool,
    /// Whether the peer's `….local` names are resolved by multicast DNS.
    pub resolve_mdns: bool,
    /// Whether the peer is told `….local` names in place of our host addresses, which we answer for by multicast DNS
    /// (draft-ietf-mmusic-mdns-ice-candidates): whoever is on another network does not learn them.
    ///
    /// Off unless it is asked for. Browsers do it to hide a person's addresses from the authors of pages; a program that
    /// uses this library chooses its peers and its signaling itself, and what names cost is not little: a peer on the
    /// same network finds us only where multicast gets through and its stack resolves names, and later than it would.
    /// Loopback addresses, and those that [`external_addresses`](Self::external_addresses) replace, have no names.
    pub mdns_candidates: bool,

    /// Bytes that may wait in the kernel on the way in; as far as the system grants them.
    pub receive_buffer: usize,
    /// The same on the way out.
    pub send_buffer: usize,
    /// Bytes of the largest datagram of data that is looked for (RFC 8899), where datagrams are not fragmented on their way: a loopback
    /// carries all that a record of DTLS does, 16,384, which is the default; networks of jumbo frames carry 9,000. Below 2,400,
    /// datagrams have 1,200 bytes, as at the beginning.
    pub max_datagram_size: usize,
    /// Whether many datagrams go out in one system call (GSO), where the system can.
    pub gso: bool,

    /// How TLS to TURN servers is done; with the platform's roots and [`tls_roots`](Self::tls_roots) when `None`.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// Further certificates of authorities that TURN servers may have theirs from.
    pub tls_roots: Vec<rustls::pki_types::CertificateDer<'static>>,
}

/// As much as a record of DTLS takes.
const LARGEST: usize = 16_384;

impl Configuration {
    /// What DTLS may agree on.
    pub(crate) fn dtls(&self) -> Result<Arc<dtls::Config>, Error> {
        if DTLS.versions.iter().all(|version| self.dtls_versions.contains(version)) {
            return Ok(Arc::clone(&DTLS));
        }
        let mut dtls = dtls::Config::clone(&DTLS);
        dtls.versions.retain(|version| self.dtls_versions.contains(version));
        if dtls.versions.is_empty() { Err(Error::NoDtlsVersion) } else { Ok(Arc::new(dtls)) }
    }
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            ice_servers: Vec::new(),
            ice_transport_policy: IceTransportPolicy::All,
            bundle_policy: BundlePolicy::Balanced,
            max_message_size: 256 << 10,
            media: Some(Arc::clone(&MEDIA)),
            certificates: Vec::new(),
            dtls_versions: DtlsVersion::Dtls12..=DtlsVersion::Dtls13,
            ports: None,
            external_addresses: Vec::new(),
            include_loopback: false,
            address_filter: None,
            ice_tcp: true,
            ice_tcp_listen: false,
            resolve_mdns: true,
            mdns_candidates: false,
            receive_buffer: 4 << 20,
            send_buffer: 4 << 20,
            max_datagram_size: LARGEST,
            gso: true,
            tls: None,
            tls_roots: Vec::new(),
        }
    }
}
