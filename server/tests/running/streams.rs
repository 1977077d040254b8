//! Live streams over HTTP: in by WHIP (RFC 9725), out by WHEP.

use std::ops::RangeFrom;
use std::time::Duration;

use rtp::Timestamp;
use tempfile::tempdir;
use tokio::time::timeout;
use twocan::{
    Codec, Configuration, Direction, MediaKind, OutgoingPacket, PeerConnection, PeerConnectionState,
    PeerEvent, Prefix, SessionDescription, Transceiver, TransceiverInit,
};

use crate::program::{Answer, DEADLINE, Program};

pub(crate) const SDP: &str = "Content-Type: application/sdp";
const FRAGMENT: &str = "Content-Type: application/trickle-ice-sdpfrag";

/// Sound and pictures of one direction.
pub(crate) struct End {
    pub(crate) peer: PeerConnection,
    pub(crate) media: Vec<Transceiver>,
}

impl End {
    pub(crate) async fn new(direction: Direction) -> Self {
        let configuration = Configuration { include_loopback: true, ..Configuration::default() };
        let peer = PeerConnection::new(configuration).await.unwrap();
        let mut media = Vec::new();
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let init = TransceiverInit { direction, ..TransceiverInit::default() };
            media.push(peer.add_transceiver(kind, init).await.unwrap());
        }
        Self { peer, media }
    }

    pub(crate) async fn offer(&self) -> String {
        self.peer.set_local_description(None).await.unwrap().sdp
    }

    /// Goes where a room's answer leads.
    pub(crate) async fn follow(&mut self, answer: &Answer) {
        assert_eq!(answer.status, 201, "{}", answer.body);
        let description = SessionDescription::answer(answer.body.clone());
        self.peer.set_remote_description(description).await.unwrap();
        let connected = async {
            while self.peer.connection_state() != PeerConnectionState::Connected {
                self.peer.next_event().await.unwrap();
            }
        };
        timeout(DEADLINE, connected).await.unwrap();
    }

    /// A packet of a medium; of pictures, a key frame of VP8.
    pub(crate) async fn send(&self, medium: usize, number: u32) {
        let payload = if medium == 0 {
            number.to_be_bytes().to_vec()
        } else {
            [&[0x10, 0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xF0, 0x00], &number.to_be_bytes()[..]]
                .concat()
        };
        self.send_payload(medium, number, payload).await;
    }

    /// A packet of sound of so many bytes.
    pub(crate) async fn send_long(&self, bytes: usize, number: u32) {
        self.send_payload(0, number, vec![0; bytes]).await;
    }

    async fn send_payload(&self, medium: usize, number: u32, payload: Vec<u8>) {
        let sender = &self.media[medium].sender;
        let codec = sender.agreement().unwrap().preferred().unwrap().send;
        let packet = OutgoingPacket {
            payload_type: codec,
            marker: true,
            timestamp: Timestamp(number * 3000),
            sequence_number: None,
            prefix: Prefix::default(),
            payload: payload.into(),
        };
        sender.send_packet(0, packet).await.unwrap();
    }
}

/// Sends sound until some of it has come out.
pub(crate) async fn flows(studio: &End, viewer: &mut End, numbers: &mut RangeFrom<u32>) {
    let came = async {
        let before = numbers.start;
        loop {
            studio.send(0, numbers.next().unwrap()).await;
            let soon = timeout(Duration::from_millis(20), viewer.media[0].receiver.recv_packet());
            let Ok(Some(packet)) = soon.await else { continue };
            let number = packet.read().unwrap().payload().try_into().map(u32::from_be_bytes);
            if number.is_ok_and(|number| number >= before) {
                return;
            }
        }
    };
    timeout(DEADLINE, came).await.unwrap();
}

fn ask(server: &Program, method: &str, path: &str, head: &[&str], body: &str) -> Answer {
    server.ask(method, path, head, body)
}

#[tokio::test]
async fn what_is_streamed_in_comes_out() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let mut viewer = End::new(Direction::RecvOnly).await;
    let watching = viewer.offer().await;
    let early = ask(&server, "POST", "/whep/show", &[SDP], &watching);
    assert_eq!((early.status, early.header("retry-after")), (404, "3"), "{}", early.body);
    assert!(early.body.contains("Nobody sends into this room yet"));

    let mut studio = End::new(Direction::SendOnly).await;
    let answer = ask(&server, "POST", "/whip/show", &[SDP], &studio.offer().await);
    studio.follow(&answer).await;
    let session = answer.header("location").to_owned();
    assert!(session.starts_with("/whip/show/"), "{session}");
    assert_eq!(answer.header("content-type"), "application/sdp");
    assert!(answer.header("etag").starts_with('"') && answer.body.contains("a=ice-lite"));
    assert_eq!(answer.header("access-control-allow-origin"), "*");

    let rival = End::new(Direction::SendOnly).await;
    assert_eq!(ask(&server, "POST", "/whip/show", &[SDP], &rival.offer().await).status, 409);

    viewer.follow(&ask(&server, "POST", "/whep/show", &[SDP], &watching)).await;
    // Sent until it is there: a viewer begins with the next key frame.
    let mut came = [0_u32; 2];
    let mut number = 0;
    let all = async {
        while came.iter().any(|count| *count < 20) {
            number += 1;
            for medium in 0..2 {
                studio.send(medium, number).await;
            }
            for (medium, one) in viewer.media.iter_mut().enumerate() {
                let soon = timeout(Duration::from_millis(20), one.receiver.recv_packet());
                let Ok(Some(packet)) = soon.await else { continue };
                let packet = packet.read().unwrap();
                let payload = packet.payload();
                assert!(payload.len() == if medium == 0 { 4 } else { 15 }, "{payload:?}");
                came[medium] += 1;
            }
        }
    };
    timeout(DEADLINE, all).await.unwrap();
    let metrics = server.get("/metrics", &[]).body;
    assert!(metrics.contains("twocan_media_connections 2\n"), "{metrics}");

    // The end of it, for everybody.
    assert_eq!(ask(&server, "DELETE", &session, &[], "").status, 200);
    let gone = async {
        while studio.peer.connection_state() == PeerConnectionState::Connected {
            if studio.peer.next_event().await.is_none() {
                return;
            }
        }
    };
    timeout(DEADLINE, gone).await.unwrap();
    assert_eq!(ask(&server, "DELETE", &session, &[], "").status, 404);
}

#[tokio::test]
async fn a_request_that_is_wrong_is_told_what_is_wrong() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--publish-token", "open-sesame", "--watch-token", "tea-is-ready"]);
    let studio = End::new(Direction::SendOnly).await;
    let offer = studio.offer().await;
    let token = "Authorization: Bearer open-sesame";

    for head in
        [&[SDP][..], &[SDP, "Authorization: Bearer tea-is-ready"], &[SDP, "Authorization: Basic open-sesame"]]
    {
        let answer = ask(&server, "POST", "/whip/show", head, &offer);
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"));
    }
    let answer = ask(&server, "POST", "/whip/show", &[token, "Content-Type: text/plain"], &offer);
    assert_eq!((answer.status, answer.header("accept-post")), (415, "application/sdp"));
    let answer = ask(&server, "POST", "/whip/show", &[token, SDP], "v=1");
    assert_eq!((answer.status, answer.header("content-type")), (400, "application/problem+json"));
    let no_codec = offer.replace("opus", "speex").replace("VP8", "XP8").replace("VP9", "XP9");
    let no_codec = no_codec.replace("H264", "X264").replace("H265", "X265").replace("AV1", "AV0");
    let no_codec = no_codec.replace("PCM", "XCM").replace("G722", "X722");
    assert_eq!(ask(&server, "POST", "/whip/show", &[token, SDP], &no_codec).status, 406);
    let long = format!("/whip/{}", "a".repeat(65));
    assert_eq!(ask(&server, "POST", &long, &[token, SDP], &offer).status, 400);
    assert_eq!(ask(&server, "GET", "/whip/show", &[], "").status, 405);
    let options = ask(&server, "OPTIONS", "/whip/show", &[], "");
    assert_eq!((options.status, options.header("accept-post")), (204, "application/sdp"));
    assert!(options.header("access-control-allow-headers").contains("authorization"));

    let answer = ask(&server, "POST", "/whip/show", &[token, SDP], &offer);
    assert_eq!(answer.status, 201, "{}", answer.body);
    let session = answer.header("location").to_owned();
    let tag = format!("If-Match: {}", answer.header("etag"));
    let candidate = "m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 UDP 1 192.0.2.1 5000 typ host\r\n";
    let patch = |head: &[&str], body: &str| ask(&server, "PATCH", &session, head, body).status;
    assert_eq!(patch(&[FRAGMENT, &tag], candidate), 401);
    assert_eq!(patch(&[FRAGMENT, token, &tag], candidate), 204);
    assert_eq!(patch(&[FRAGMENT, token, "If-Match: \"other\""], candidate), 412);
    assert_eq!(patch(&[SDP, token, &tag], candidate), 415);
    assert_eq!(patch(&[FRAGMENT, token, &tag], "nothing of the kind"), 400);
    let unknown = format!("/whip/show/{:032x}", 7);
    assert_eq!(ask(&server, "PATCH", &unknown, &[FRAGMENT, token], candidate).status, 404);
    assert_eq!(ask(&server, "DELETE", "/whip/show/7", &[token], "").status, 404);

    // New credentials are answered with new ones, under a new tag.
    let restart = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n";
    let answer = ask(&server, "PATCH", &session, &[FRAGMENT, token, "If-Match: *"], restart);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("a=ice-ufrag:") && answer.body.contains("a=candidate:"), "{}", answer.body);
    assert_ne!(format!("If-Match: {}", answer.header("etag")), tag);
    assert_eq!(patch(&[FRAGMENT, token, &tag], candidate), 412, "that session is over");
}

/// The one codec for pictures.
async fn in_codec(direction: Direction, name: &str, parameters: &str) -> End {
    let end = End::new(direction).await;
    end.media[1].set_codec_preferences(vec![Codec::video(name, parameters)]).await.unwrap();
    end
}

#[tokio::test]
async fn the_next_streams_codec_ends_whoever_has_it_not() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let mut studio = in_codec(Direction::SendOnly, "VP8", "").await;
    let answer = ask(&server, "POST", "/whip/show", &[SDP], &studio.offer().await);
    let session = answer.header("location").to_owned();
    studio.follow(&answer).await;
    let mut both = End::new(Direction::RecvOnly).await;
    both.follow(&ask(&server, "POST", "/whep/show", &[SDP], &both.offer().await)).await;
    let mut sound = End::new(Direction::RecvOnly).await;
    sound.media[1].stop().await.unwrap();
    sound.follow(&ask(&server, "POST", "/whep/show", &[SDP], &sound.offer().await)).await;
    let without = in_codec(Direction::RecvOnly, "VP9", "profile-id=0").await;
    let refused = ask(&server, "POST", "/whep/show", &[SDP], &without.offer().await);
    assert_eq!(refused.status, 406, "pictures that it wants cannot be: {}", refused.body);

    assert_eq!(ask(&server, "DELETE", &session, &[], "").status, 200);
    let mut next = in_codec(Direction::SendOnly, "VP9", "profile-id=0").await;
    next.follow(&ask(&server, "POST", "/whip/show", &[SDP], &next.offer().await)).await;
    let ends = async {
        while both.peer.connection_state() == PeerConnectionState::Connected {
            if both.peer.next_event().await.is_none() {
                return;
            }
        }
    };
    timeout(DEADLINE, ends).await.unwrap();
    // Who asks anew gets it, as does who has no section for pictures.
    let mut again = End::new(Direction::RecvOnly).await;
    again.follow(&ask(&server, "POST", "/whep/show", &[SDP], &again.offer().await)).await;
    let all = async {
        let mut number = 0;
        let mut came = [false; 2];
        while came != [true; 2] {
            number += 1;
            next.send(0, number).await;
            for (came, one) in came.iter_mut().zip([&mut again, &mut sound]) {
                let soon = timeout(Duration::from_millis(20), one.media[0].receiver.recv_packet());
                *came |= soon.await.is_ok_and(|packet| packet.is_some());
            }
        }
    };
    timeout(DEADLINE, all).await.unwrap();
    assert_eq!(sound.peer.connection_state(), PeerConnectionState::Connected);
}

/// As GStreamer offers it before its encoder has begun (RFC 6184 §8.1: Baseline, in single NAL units).
#[tokio::test]
async fn h264_of_which_nothing_is_said_is_taken_and_goes_to_whoever_takes_more() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let mut studio = in_codec(Direction::SendOnly, "H264", "profile-level-id=42001f").await;
    let offer = studio.offer().await;
    let bare: Vec<&str> = offer.lines().filter(|line| !line.contains("profile-level-id")).collect();
    assert!(bare.len() + 1 == offer.lines().count(), "{offer}");
    let answer = ask(&server, "POST", "/whip/show", &[SDP], &(bare.join("\r\n") + "\r\n"));
    studio.follow(&answer).await;
    let fmtp = answer.body.lines().find(|line| line.contains("profile-level-id")).unwrap();
    assert!(fmtp.contains("packetization-mode=0") && fmtp.contains("profile-level-id=42001f"), "{fmtp}");

    let more = in_codec(Direction::RecvOnly, "H264", "packetization-mode=1;profile-level-id=42001f").await;
    let answer = ask(&server, "POST", "/whep/show", &[SDP], &more.offer().await);
    assert!(answer.status == 201 && answer.body.contains("packetization-mode=1"), "{}", answer.body);
    let other = in_codec(Direction::RecvOnly, "H264", "packetization-mode=1;profile-level-id=64001f").await;
    assert_eq!(ask(&server, "POST", "/whep/show", &[SDP], &other.offer().await).status, 406);
}

#[tokio::test]
async fn whoever_is_gone_makes_room() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let mut studio = End::new(Direction::SendOnly).await;
    let answer = ask(&server, "POST", "/whip/show", &[SDP], &studio.offer().await);
    studio.follow(&answer).await;
    studio.peer.close();
    let mut next = End::new(Direction::SendOnly).await;
    let offer = next.offer().await;
    let again = async {
        loop {
            let answer = ask(&server, "POST", "/whip/show", &[SDP], &offer);
            if answer.status != 409 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let answer = timeout(DEADLINE, again).await.unwrap();
    next.follow(&answer).await;
    while let Ok(Some(event)) = timeout(Duration::from_millis(1), next.peer.next_event()).await {
        assert!(!matches!(event, PeerEvent::Failed(_)));
    }
}

#[test]
fn whoever_vanishes_makes_room_before_long() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let vanishing = runtime();
    let studio = vanishing.block_on(async {
        let mut studio = End::new(Direction::SendOnly).await;
        let answer = ask(&server, "POST", "/whip/show", &[SDP], &studio.offer().await);
        studio.follow(&answer).await;
        studio
    });
    // As if its power had failed: nobody says goodbye.
    vanishing.shutdown_timeout(DEADLINE);
    drop(studio);
    let start = std::time::Instant::now();
    runtime().block_on(async {
        let next = End::new(Direction::SendOnly).await;
        let offer = next.offer().await;
        while ask(&server, "POST", "/whip/show", &[SDP], &offer).status == 409 {
            assert!(start.elapsed() < DEADLINE, "the room is never free again");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    println!("free after {:?}", start.elapsed());
}
