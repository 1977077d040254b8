//! Sound and pictures between stacks that we did not write and ours: each sends a film and gets one, over one connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use twocan::{
    Configuration, Direction, FrameCodec, FrameReceiver, FrameSender, MediaFrame, MediaKind, PeerConnection,
    PeerConnectionState, PeerEvent, SdpType, SessionDescription, Transceiver, TransceiverInit,
};
use twocan_rivals::{DEADLINE, End, aiortc, pion};

use crate::film::{Count, Film, PICTURE, SOUND};

/// Pictures that each end is to get, one behind another: two seconds of them.
pub(crate) const WANTED: usize = 60;
/// Packets of sound, or frames.
const HEARD: u64 = 50;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Film,
    /// Its pictures alone, and silence.
    SilentFilm,
    /// Pictures that somebody else encodes, so that of what is not decoded only the order is known; and a tone.
    Anew,
}

/// What an end that is no program of ours says of what comes.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pictures: Count,
    timestamp: Option<u64>,
    heard: u64,
    loudest: u64,
}

impl Seen {
    /// Takes a line; whether enough has come.
    #[track_caller]
    pub(crate) fn take(&mut self, name: &str, line: &Value, sent: Sent) -> bool {
        assert!(line.get("error").is_none(), "{name}: {line}");
        if let Some(number) = line.get("video") {
            match number.as_u64() {
                Some(number) => self.pictures.take(number as usize, name),
                // Of a picture that was encoded by someone else only its place is known.
                None => {
                    assert!(sent == Sent::Anew, "{name}: no picture of the film: {line}");
                    let timestamp = line["timestamp"].as_u64().unwrap_or_default();
                    let before = self.timestamp.replace(timestamp);
                    let is_next = before.is_none_or(|before| {
                        ((timestamp + (1 << 32) - before) % (1 << 32)).abs_diff(3000) <= 2
                    });
                    assert!(
                        is_next,
                        "{name}: {timestamp} follows {before:?}, after {}",
                        self.pictures.so_far
                    );
                    assert!(before.is_some() || line["key"] == true, "{name}: it begins with {line}");
                    self.pictures.so_far += 1;
                }
            }
            assert!(line["lost"].as_u64().unwrap_or_default() == 0, "{name}: {line}");
        } else if let Some(count) = line["audio"].as_u64() {
            self.heard = count;
            self.loudest = self.loudest.max(line["loudest"].as_u64().unwrap_or(u64::MAX));
        }
        // Of 32,767: a beep, or a tone.
        let is_heard = self.loudest > 1000 || sent == Sent::SilentFilm;
        self.pictures.so_far >= WANTED && self.heard >= HEARD && is_heard
    }
}

/// Hears these until each has seen and heard enough.
#[track_caller]
pub(crate) fn all_see(ends: &mut [&mut End], sent: Sent) {
    let mut seen: Vec<(Seen, bool)> = ends.iter().map(|_| Default::default()).collect();
    let deadline = Instant::now() + DEADLINE;
    while seen.iter().any(|(_, is_done)| !is_done) {
        assert!(Instant::now() < deadline, "only this came: {seen:#?}");
        for (end, (seen, is_done)) in ends.iter_mut().zip(&mut seen) {
            while let Some(line) = end.hear(Instant::now() + Duration::from_millis(2)) {
                *is_done |= seen.take(end.name(), &line, sent);
            }
        }
    }
}

/// What an end is told of the film.
pub(crate) fn plan(film: &Film, send: bool, receive: bool, lose: u64) -> Value {
    json!({ "media": { "send": send, "receive": receive, "film": film.ivf(), "lose": lose } })
}

pub(crate) fn description(kind: SdpType, sdp: &str) -> Value {
    json!({ "description": { "type": kind.as_str(), "sdp": sdp } })
}

/// With all our addresses in it.
async fn described(us: &mut PeerConnection) -> SessionDescription {
    us.set_local_description(None).await.expect("described");
    while let Some(event) = us.next_event().await {
        if matches!(event, PeerEvent::IceCandidate(None)) {
            break;
        }
    }
    us.local_description().await.expect("described")
}

fn theirs(them: &mut End) -> String {
    them.expect("description")["sdp"].as_str().expect("text").to_owned()
}

/// Sends a medium of the film, again and again.
async fn play(mut sender: FrameSender, film: Arc<Film>, kind: MediaKind) {
    let every = if kind == MediaKind::Video { PICTURE } else { SOUND };
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for at in 0_u32.. {
        ticks.tick().await;
        let place = at as usize;
        let (bytes, key) = match kind {
            MediaKind::Video => film.pictures[place % film.pictures.len()].clone(),
            MediaKind::Audio => (film.sound[place % film.sound.len()].clone(), true),
        };
        let frame = MediaFrame { bytes, time: every * at, key, captured: None };
        if sender.send(&frame).await.is_err() {
            return;
        }
    }
}

/// Enough frames of a medium, in order.
async fn enough(mut receiver: FrameReceiver, film: Arc<Film>, (sent, loses): (Sent, bool)) {
    let mut count = Count::default();
    let mut before = None;
    for at in 0..WANTED {
        let came = timeout(DEADLINE, receiver.recv_frame()).await;
        let came = came.unwrap_or_else(|_| panic!("{at} came")).expect("it goes on");
        if came.codec == FrameCodec::Opus && loses {
            // Sound is not asked for again.
            continue;
        }
        assert!(at > 0 || came.key, "it begins with a key frame");
        assert_eq!(came.lost, 0, "after {at} of {}", came.codec.name());
        let apart: u64 = if came.codec == FrameCodec::Opus { 960 } else { 3000 };
        assert!(before.is_none_or(|before| came.timestamp.abs_diff(before + apart) <= 2), "after {at}");
        before = Some(came.timestamp);
        if came.codec == FrameCodec::Vp8 && sent != Sent::Anew {
            count.take(film.number(&came.bytes, count.next()).expect("a picture of the film"), "ours");
        }
    }
}

async fn begin(us: &mut PeerConnection, them: &mut End, they_offer: bool) -> Vec<Transceiver> {
    if they_offer {
        them.tell(json!({ "offer": "" }));
        us.set_remote_description(SessionDescription::offer(theirs(them))).await.expect("taken");
        let media = us.take_transceivers().await.expect("there");
        for one in &media {
            one.set_direction(Direction::SendRecv).await.expect("set");
        }
        them.tell(description(SdpType::Answer, &described(us).await.sdp));
        return media;
    }
    let mut media = Vec::new();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        media.push(us.add_transceiver(kind, TransceiverInit::default()).await.expect("made"));
    }
    them.tell(description(SdpType::Offer, &described(us).await.sdp));
    us.set_remote_description(SessionDescription::answer(theirs(them))).await.expect("taken");
    media
}

/// A call of sound and pictures, both ways.
fn call(mut them: End, they_offer: bool, lose: u64, sent: Sent) {
    println!("{}: they offer: {they_offer}, lost: one of {lose}", them.name());
    let film = Arc::new(Film::new());
    them.tell(json!({ "begin": { "trickle": false } }));
    them.tell(plan(&film, true, true, lose));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let (us, came) = runtime.block_on(async {
        let configuration = Configuration { include_loopback: true, ..Configuration::default() };
        let mut us = PeerConnection::new(configuration).await.expect("sockets");
        let mut media = begin(&mut us, &mut them, they_offer).await;
        while us.connection_state() != PeerConnectionState::Connected {
            timeout(DEADLINE, us.next_event()).await.expect("in time").expect("it connects");
        }
        let mut came: Vec<JoinHandle<()>> = Vec::new();
        assert_eq!(media.len(), 2);
        for mut one in media.drain(..) {
            let kind = one.kind();
            let codec = if kind == MediaKind::Video { FrameCodec::Vp8 } else { FrameCodec::Opus };
            let sender = FrameSender::with_codec(&mut one, codec).await.expect("agreed");
            tokio::spawn(play(sender, Arc::clone(&film), kind));
            let how = (sent, lose > 0);
            came.push(tokio::spawn(enough(FrameReceiver::new(one), Arc::clone(&film), how)));
        }
        (us, came)
    });
    // What they see of ours is the film, decoded by aiortc.
    all_see(&mut [&mut them], Sent::Film);
    runtime.block_on(async {
        for one in came {
            one.await.expect("all came");
        }
    });
    drop(us);
}

fn calls(name: &str, theirs: impl Fn() -> Result<End, String>, sent: Sent) {
    for (they_offer, lose) in [(true, 0), (false, 20)] {
        match theirs() {
            Ok(them) => call(them, they_offer, lose, sent),
            Err(why) => return println!("skipped: sound and pictures with {name}: {why}"),
        }
    }
}

#[test]
fn aiortc_and_we_see_each_other() {
    calls("aiortc", aiortc::end, Sent::Anew);
}

#[test]
fn pion_and_we_see_each_other() {
    calls("Pion", pion::end, Sent::SilentFilm);
}
