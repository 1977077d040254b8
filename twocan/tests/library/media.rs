//! Packets of media between connections on this machine.

use std::time::Duration;

use rtp::Timestamp;
use rtp::extension::AudioLevel;
use twocan::{
    Configuration, Direction, MediaCapabilities, MediaKind, OutgoingPacket, PeerConnection, PeerEvent,
    Prefix, SessionDescription, Transceiver, TransceiverInit,
};

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn connection() -> PeerConnection {
    with(MediaCapabilities::default()).await
}

async fn with(media: MediaCapabilities) -> PeerConnection {
    let media = Some(media.into());
    let configuration = Configuration { include_loopback: true, media, ..Configuration::default() };
    PeerConnection::new(configuration).await.expect("sockets")
}

/// Another number for everything.
fn renumbered() -> MediaCapabilities {
    let mut media = MediaCapabilities::default();
    media.audio.retain(|capability| capability.codec.is("opus"));
    media.audio.iter_mut().for_each(|capability| capability.payload_type = 99);
    media.audio_extensions.iter_mut().for_each(|extension| extension.id = 14 - extension.id);
    media
}

/// Carries candidates until both are connected.
pub(crate) async fn connect(ada: &mut PeerConnection, bob: &mut PeerConnection) {
    let connected =
        |connection: &PeerConnection| connection.connection_state() == twocan::PeerConnectionState::Connected;
    while !(connected(ada) && connected(bob)) {
        tokio::select! {
            Some(event) = ada.next_event() => if let PeerEvent::IceCandidate(candidate) = event {
                bob.add_ice_candidate(candidate).await.expect("taken");
            },
            Some(event) = bob.next_event() => if let PeerEvent::IceCandidate(candidate) = event {
                ada.add_ice_candidate(candidate).await.expect("taken");
            },
        }
    }
}

pub(crate) async fn offer(from: &PeerConnection, to: &PeerConnection) -> SessionDescription {
    let offer = from.set_local_description(None).await.expect("an offer");
    to.set_remote_description(offer.clone()).await.expect("taken");
    offer
}

pub(crate) async fn answer(from: &PeerConnection, to: &PeerConnection) {
    let answer = from.set_local_description(None).await.expect("an answer");
    to.set_remote_description(answer).await.expect("taken");
}

fn packet(one: &Transceiver, number: u32) -> OutgoingPacket {
    let agreement = one.sender.agreement().expect("agreed");
    OutgoingPacket {
        payload_type: agreement.preferred().expect("a codec").send,
        marker: number == 0,
        timestamp: Timestamp(number * 960),
        sequence_number: Some(100_000 + u64::from(number)),
        prefix: Prefix::default(),
        payload: number.to_be_bytes().to_vec().into(),
    }
}

/// Ada talks; Bob forwards her to Eve, who numbers payload types and extensions otherwise.
#[tokio::test]
async fn sound_goes_through_a_forwarder() {
    let (mut ada, mut bob) = (connection().await, connection().await);
    let (mut leg, mut eve) = (connection().await, with(renumbered()).await);
    let init = TransceiverInit { direction: Direction::SendOnly, ..TransceiverInit::default() };
    let mut voice = ada.add_transceiver(MediaKind::Audio, init.clone()).await.expect("made");
    offer(&ada, &bob).await;
    let mut heard = bob.take_transceivers().await.expect("there");
    let mut heard = heard.pop().expect("one");
    assert!(bob.take_transceivers().await.expect("there").is_empty());
    answer(&bob, &ada).await;
    connect(&mut ada, &mut bob).await;

    let init = TransceiverInit { direction: Direction::RecvOnly, ..TransceiverInit::default() };
    let mut listener = eve.add_transceiver(MediaKind::Audio, init).await.expect("made");
    offer(&eve, &leg).await;
    let mut out = leg.take_transceivers().await.expect("there").pop().expect("one");
    out.set_direction(Direction::SendOnly).await.expect("set");
    answer(&leg, &eve).await;
    connect(&mut leg, &mut eve).await;
    drop(out.agreed().await.expect("agreed"));

    voice.agreed().await.expect("agreed");
    let level = AudioLevel { level: 33, voice: true };
    for number in 0..50 {
        voice.sender.send_sound(packet(&voice, number), level).await.expect("sent");
        let came = tokio::time::timeout(PATIENCE, heard.receiver.recv_packet()).await.expect("in time");
        let came = came.expect("a packet");
        assert_eq!(came.read().unwrap().payload(), number.to_be_bytes());
        let from = heard.agreed().await.expect("agreed");
        out.sender.forward(0, &came, &from).await.expect("the same codec");
    }
    let agreement = listener.agreed().await.expect("agreed");
    for number in 0..50_u32 {
        let came = tokio::time::timeout(PATIENCE, listener.receiver.recv_packet()).await.expect("in time");
        let came = came.expect("a packet");
        let packet = came.read().unwrap();
        assert_eq!(packet.payload(), number.to_be_bytes());
        assert_eq!(packet.header().timestamp(), Timestamp(number * 960));
        assert_eq!(packet.header().payload_type().number(), 99);
        assert_eq!(packet.header().read(&agreement.extensions), Some(level));
    }
}

#[tokio::test]
async fn whoever_wants_no_media_says_so() {
    let ada = connection().await;
    let configuration = Configuration { media: None, ..Configuration::default() };
    let bob = PeerConnection::new(configuration).await.expect("sockets");
    let mut voice = ada.add_transceiver(MediaKind::Audio, TransceiverInit::default()).await.expect("made");
    offer(&ada, &bob).await;
    answer(&bob, &ada).await;
    assert!(voice.agreed().await.is_err(), "it was rejected");
    let error = bob.add_track(MediaKind::Audio, "voice", &[]).await.expect_err("none");
    assert!(error.to_string().contains("media"), "{error}");
}
