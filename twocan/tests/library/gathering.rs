//! Candidates from servers, relays over every transport, TCP between peers.

use std::net::IpAddr;

use crate::pair::Pair;
use crate::turn_server::TurnServer;
use crate::within;
use twocan::{
    Configuration, DataChannelOptions, ExternalAddress, IceCandidateType, IceProtocol, IceServer,
    IceTransportPolicy, Message, PeerConnection, PeerEvent, RelayProtocol,
};

/// On this machine alone.
fn local() -> Configuration {
    let local = twocan::AddressFilter::new(|_, ip| ip.is_loopback());
    Configuration { include_loopback: true, address_filter: Some(local), ..Configuration::default() }
}

/// Everything that is gathered and told.
async fn gather(configuration: Configuration) -> (Vec<String>, Vec<twocan::IceCandidateError>) {
    let mut peer = PeerConnection::new(configuration).await.expect("sockets");
    let _channel = peer.create_data_channel("", DataChannelOptions::default()).await.expect("a channel");
    peer.set_local_description(None).await.expect("an offer");
    let (mut candidates, mut errors) = (Vec::new(), Vec::new());
    while let Some(event) = peer.next_event().await {
        match event {
            PeerEvent::IceCandidate(Some(candidate)) => candidates.push(candidate.candidate),
            PeerEvent::IceCandidate(None) => break,
            PeerEvent::IceCandidateError(error) => errors.push(error),
            _ => {}
        }
    }
    (candidates, errors)
}

/// Says something both ways.
async fn talk(pair: &mut Pair) {
    pair.ours.send("over there").await.expect("open");
    assert_eq!(pair.theirs.recv().await, Some(Message::text("over there")));
    pair.theirs.send(vec![1; 100_000]).await.expect("open");
    assert_eq!(pair.ours.recv().await.map(|message| message.len()), Some(100_000));
}

#[tokio::test]
async fn relays_are_reached_over_udp_tcp_and_tls() {
    within(async {
        let server = TurnServer::start().await;
        for (transport, protocol) in
            [("udp", RelayProtocol::Udp), ("tcp", RelayProtocol::Tcp), ("tls", RelayProtocol::Tls)]
        {
            let configuration = Configuration {
                ice_servers: vec![server.turn(transport)],
                ice_transport_policy: IceTransportPolicy::Relay,
                tls_roots: vec![server.certificate.clone()],
                ..local()
            };
            let mut pair = Pair::new(configuration).await;
            talk(&mut pair).await;
            let selected = pair.ada.selected_candidate_pair().expect("connected");
            assert_eq!(selected.local.kind, IceCandidateType::Relayed, "{selected}");
            assert_eq!(selected.relay_protocol, Some(protocol), "{selected}");
            assert!(selected.is_relayed());
        }
    })
    .await;
}

#[tokio::test]
async fn servers_that_cannot_be_used_are_told_and_hold_up_nothing() {
    within(async {
        let server = TurnServer::start().await;
        let mut wrong = server.turn("udp");
        wrong.credential = "guessed".into();
        let servers = vec![
            server.stun(),
            IceServer::stun("stun:nobody.invalid"),
            wrong,
            // The certificate is nobody's that is trusted.
            server.turn("tls"),
        ];
        let (candidates, mut errors) = gather(Configuration { ice_servers: servers, ..local() }).await;
        assert!(
            candidates
                .iter()
                .any(|candidate| candidate.contains("127.0.0.1") && candidate.contains("typ host"))
        );
        errors.sort_by_key(|error| error.url.clone());
        errors.dedup_by_key(|error| error.url.clone());
        let codes: Vec<_> = errors
            .iter()
            .map(|error| (error.url.split(':').next().unwrap_or_default(), error.error_code))
            .collect();
        assert_eq!(codes, [("stun", 701), ("turn", 401), ("turns", 701)], "{errors:?}");
        assert!(errors[0].error_text.contains("nobody.invalid"), "{errors:?}");
    })
    .await;
}

#[tokio::test]
async fn a_public_address_stands_beside_or_in_place_of_a_private_one() {
    within(async {
        let public: IpAddr = [203, 0, 113, 7].into();
        let beside = Configuration { external_addresses: vec![ExternalAddress::beside(public)], ..local() };
        let (candidates, _) = gather(beside).await;
        let has = |candidates: &[String], parts: [&str; 2]| {
            candidates.iter().any(|candidate| parts.iter().all(|part| candidate.contains(part)))
        };
        assert!(has(&candidates, ["127.0.0.1", "typ host"]), "{candidates:?}");
        assert!(has(&candidates, [" 203.0.113.7 ", "typ srflx raddr 127.0.0.1"]), "{candidates:?}");
        let replacing = Configuration {
            external_addresses: vec![ExternalAddress::replacing(public)],
            ice_tcp: false,
            ..local()
        };
        let (candidates, _) = gather(replacing).await;
        assert!(has(&candidates, [" 203.0.113.7 ", "typ host"]), "{candidates:?}");
        assert!(!candidates.iter().any(|candidate| candidate.contains("127.0.0.1")), "{candidates:?}");
    })
    .await;
}

/// Ada tells none of her UDP candidates, and uses none of Bob's.
#[tokio::test]
async fn peers_connect_over_tcp_where_udp_is_of_no_use() {
    within(async {
        let ada = PeerConnection::new(local()).await.expect("sockets");
        let listening = Configuration { ice_tcp_listen: true, ..local() };
        let bob = PeerConnection::new(listening).await.expect("sockets");
        let mut pair =
            Pair::between(ada, bob, DataChannelOptions::default(), |candidate| candidate.contains(" tcp "))
                .await;
        talk(&mut pair).await;
        let selected = pair.ada.selected_candidate_pair().expect("connected");
        assert_eq!(selected.protocol, IceProtocol::Tcp, "{selected}");
    })
    .await;
}
