//! `twocan publish`: sends a file's frames as they become due.
//!
//! The file's time runs with the clock from the first connection on, whether the network is there or not: it is a live stream,
//! and whoever watches sees what is due now. After a break pictures go on with the next key frame.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use media::{Frame, Track};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, sleep_until};
use twocan::stats::Stats;
use twocan::{
    Codec, FrameCodec, FrameSender, MediaCapabilities, MediaFrame, MediaKind, PeerConnectionState, PeerEvent,
};

use crate::files::Code;

use super::budget::Budget;
use super::http::Client;
use super::options::PublishOptions;
use super::sealing::Sealer;
use super::session::{Endpoint, Failure, Role, Session};
use super::source::{Contents, STANDARD_INPUT, Source};
use super::ui::{Ui, clock, exit, rate};
use super::{Attempts, Media, until_interrupted};

/// A path that is lost may come back by itself within that.
const RESTART_AFTER: Duration = Duration::from_secs(2);
/// And a new one must come about within that, or a new session is asked for.
const GIVE_UP_AFTER: Duration = Duration::from_secs(12);
/// What was sent has gone when so much time has passed.
const DRAIN: Duration = Duration::from_millis(300);
/// A frame that is so late is left out.
const LATE: Duration = Duration::from_secs(1);
/// Whoever joins waits for a key frame: more than that is worth a word.
const LONG_WAIT: Duration = Duration::from_secs(5);

/// How it ends.
enum Ending {
    /// All was sent.
    Done,
    Interrupted,
    /// The source.
    Unreadable(String),
    Failed(Failure),
}

/// A track, and what sends it while there is a session.
struct Outlet {
    track: Track,
    sender: Option<FrameSender>,
    needs_key: bool,
    /// Whether one has been asked for.
    has_asked: bool,
    last: Option<Duration>,
    last_key: Option<Duration>,
    frames: u64,
    /// Frames that were due while there was no session, or no key frame.
    missed: u64,
    told_wait: bool,
}

struct Publishing<'a> {
    ui: &'a Ui,
    endpoint: Endpoint,
    media: Media,
    /// Where frames are encrypted from end to end.
    sealer: Option<Sealer>,
    /// Where a browser watches.
    link: Option<String>,
    source: Source,
    /// Whether pictures are made as they are sent, and how many bits in a second they have at most.
    is_made: bool,
    most: Option<u64>,
    outlets: Vec<Outlet>,
    session: Option<Session>,
    attempts: Attempts,
    /// When the path was lost, and whether a new one was asked for.
    lost: Option<(Instant, bool)>,
    budget: Budget,
    told_left_out: bool,
    /// When time zero is, by both clocks.
    start: Option<(Instant, SystemTime)>,
    figures: Figures,
}

/// What the line that changes is made of.
#[derive(Default)]
struct Figures {
    frames: u64,
    bytes: u64,
    at: Option<Instant>,
}

/// Streams until the end.
pub(super) async fn run(options: &PublishOptions, ui: &Ui) -> ExitCode {
    let mut to = options.to.clone();
    if options.seal {
        if to.code.is_some() {
            return ui.fail(exit::USAGE, "usage", "the room has a code already: leave out --seal");
        }
        match crate::serve::random() {
            Ok(bytes) => to.code = Some(Code::from_random(bytes)),
            Err(error) => return ui.fail(exit::FAILED, "failed", &error.to_string()),
        }
    }
    let uri = match to.endpoint(&options.common.server, "whip") {
        Ok(uri) => uri,
        Err(why) => return ui.fail(exit::USAGE, "usage", &why),
    };
    if options.repeats && options.source.as_os_str() == STANDARD_INPUT {
        return ui.fail(exit::USAGE, "usage", "standard input cannot be begun again: leave out --loop");
    }
    let (contents, source) = match Source::open(&options.source, options.repeats).await {
        Ok(opened) => opened,
        Err(why) => return ui.fail(exit::USAGE, "unreadable", &why),
    };
    let sealer = match to.code.as_ref().map(Sealer::new).transpose() {
        Ok(sealer) => sealer,
        Err(why) => return ui.fail(exit::FAILED, "failed", &why),
    };
    let media = match wanted(&contents, sealer.is_some()) {
        Ok(media) => media,
        Err(why) => {
            return ui.fail(exit::USAGE, "unreadable", &format!("{}: {why}", options.source.display()));
        }
    };
    tell_contents(ui, &contents);
    let client = Client::new(options.common.token.clone(), options.common.insecure);
    let endpoint = Endpoint { uri, client, role: Role::Publish, ice_servers: Vec::new() };
    let outlet = |track: &Track| Outlet {
        track: track.clone(),
        sender: None,
        needs_key: true,
        has_asked: false,
        last: None,
        last_key: None,
        frames: 0,
        missed: 0,
        told_wait: false,
    };
    let mut publishing = Publishing {
        ui,
        endpoint,
        media,
        sealer,
        link: to.link(&options.common.server),
        source,
        is_made: contents.is_made,
        most: contents.most,
        outlets: contents.tracks.iter().map(outlet).collect(),
        session: None,
        attempts: Attempts::new(),
        lost: None,
        budget: Budget::new(Instant::now().into_std()),
        told_left_out: false,
        start: None,
        figures: Figures::default(),
    };
    let ending = tokio::select! {
        ending = publishing.play(options.common.patience()) => ending,
        () = until_interrupted() => Ending::Interrupted,
    };
    if let Some(session) = &mut publishing.session {
        session.leave().await;
    }
    publishing.end(ending)
}

/// What is in it.
fn tell_contents(ui: &Ui, contents: &Contents) {
    for what in &contents.left_out {
        ui.tell("left_out", json!({ "what": what }), &format!("Left out: {what}."));
    }
    let words: Vec<String> = contents
        .tracks
        .iter()
        .map(|track| match track.size {
            Some((width, height)) => format!("{} of {width}x{height}", track.codec.name()),
            None => track.codec.name().to_owned(),
        })
        .collect();
    let names: Vec<&str> = contents.tracks.iter().map(|track| track.codec.name()).collect();
    ui.tell("source", json!({ "codecs": names }), &format!("To be sent: {}.", words.join(", ")));
}

/// Each track in its codec; of H.264 in the profile that it has, if that may be offered.
fn wanted(contents: &Contents, is_sealed: bool) -> Result<Media, String> {
    let capabilities = MediaCapabilities::default();
    let mut media = Vec::new();
    for track in &contents.tracks {
        if is_sealed && !Sealer::takes(track.codec) {
            return Err(format!(
                "{} cannot be encrypted so that a server can forward it: encode it as VP8, VP9 or H.264, or leave the code out",
                track.codec.name()
            ));
        }
        if track.reorders {
            return Err(reorders());
        }
        let kind = if track.codec.is_audio() { MediaKind::Audio } else { MediaKind::Video };
        let all = capabilities.codecs(kind).iter().map(|capability| &capability.codec);
        let mut codecs: Vec<Codec> = all.filter(|codec| codec.is(track.codec.name())).cloned().collect();
        if track.codec == FrameCodec::H264 {
            // Packets are of mode 1. The profile is in the parameter set's second and third byte.
            codecs.retain(|codec| codec.parameter("packetization-mode") == Some("1"));
            let own = rtp::codec::NalUnits::new(&track.parameters).find(|unit| unit[0] & 0x1F == 7);
            let own = own.and_then(|unit| unit.get(1)).map(|profile| format!("{profile:02x}"));
            codecs.sort_by_key(|codec| {
                let profile = codec.parameter("profile-level-id").and_then(|id| id.get(..2));
                own.as_deref() != profile
            });
        }
        codecs.truncate(if track.codec == FrameCodec::H264 { codecs.len() } else { 1 });
        media.push((kind, codecs));
    }
    Ok(media)
}

fn reorders() -> String {
    "its pictures are shown in another order than they are sent in (B-frames), which live streams do not have: encode it \
     without, for example with ffmpeg's -c:v libx264 -bf 0"
        .to_owned()
}

impl Publishing<'_> {
    async fn play(&mut self, patience: Duration) -> Ending {
        self.attempts.begin(&self.endpoint, &self.media, Duration::ZERO);
        let mut next: Option<Frame> = None;
        let mut is_over = false;
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if is_over {
                tokio::time::sleep(DRAIN).await;
                return Ending::Done;
            }
            let due = next.as_ref().and_then(|frame| Some(self.start?.0 + frame.time));
            let has_started = self.start.is_some();
            tokio::select! {
                read = self.source.next(), if next.is_none() && has_started => match read {
                    Ok(Some(frame)) => next = Some(frame),
                    Ok(None) => is_over = true,
                    Err(why) => return Ending::Unreadable(why),
                },
                () = until(due), if due.is_some() => {
                    if let Some(frame) = next.take()
                        && let Err(why) = self.send(frame).await
                    {
                        return Ending::Unreadable(why);
                    }
                }
                outcome = self.attempts.outcome() => match outcome {
                    Ok(session) => {
                        if let Err(failure) = self.begin(session).await {
                            return Ending::Failed(failure);
                        }
                    }
                    Err(failure) => if let Some(ending) = self.retry(failure, patience) {
                        return ending;
                    },
                },
                event = next_event(&mut self.session) => self.hear(event.as_ref()),
                _ = ticks.tick() => {
                    self.mend().await;
                    self.show().await;
                }
            }
        }
    }

    /// A session stands.
    async fn begin(&mut self, mut session: Session) -> Result<(), Failure> {
        let is_again = self.start.is_some();
        for one in &mut session.media {
            let is_audio = one.kind() == MediaKind::Audio;
            let Some(outlet) =
                self.outlets.iter_mut().find(|outlet| outlet.track.codec.is_audio() == is_audio)
            else {
                continue;
            };
            let sender = FrameSender::with_codec(one, outlet.track.codec).await;
            outlet.sender =
                Some(sender.map_err(|error| Failure::Refused { status: 201, why: error.to_string() })?);
            outlet.needs_key = !is_audio;
            outlet.has_asked = false;
        }
        let now = Instant::now();
        self.budget.clear(now.into_std());
        self.start.get_or_insert((now, SystemTime::now()));
        if let Some(most) = self.most {
            session.peer.set_wanted_bitrate(most);
        }
        session.ice_servers.clone_into(&mut self.endpoint.ice_servers);
        self.session = Some(session);
        self.attempts.succeed();
        self.lost = None;
        let to = self.endpoint.uri.to_string();
        let words = match &self.link {
            _ if is_again => "Connected again.".to_owned(),
            Some(link) => format!("Streaming, to be watched at {link}. Ctrl-C ends it."),
            None => "Streaming. Ctrl-C ends it.".to_owned(),
        };
        self.ui.tell("connected", json!({ "to": to, "link": self.link, "again": is_again }), &words);
        Ok(())
    }

    /// Whether to try again, and when.
    fn retry(&mut self, failure: Failure, patience: Duration) -> Option<Ending> {
        let since = *self.attempts.since.get_or_insert_with(Instant::now);
        let (why, pause) = match &failure {
            Failure::Refused { .. } => return Some(Ending::Failed(failure)),
            Failure::Later { why, after, .. } => (why.clone(), *after),
            Failure::Unreachable(why) => (why.clone(), self.attempts.pause()),
        };
        // A wrong address is told at once; a server that was there may come back.
        let is_first = self.start.is_none();
        let is_hopeless = is_first && matches!(failure, Failure::Unreachable(_));
        if is_hopeless || since.elapsed() > patience {
            return Some(Ending::Failed(failure));
        }
        if self.attempts.last.as_ref() != Some(&failure) {
            self.ui.tell("waiting", json!({ "reason": why }), &format!("{why} Trying again …"));
        }
        self.attempts.last = Some(failure);
        self.attempts.begin(&self.endpoint, &self.media, pause);
        None
    }

    fn hear(&mut self, event: Option<&PeerEvent>) {
        match event {
            Some(PeerEvent::KeyFrameRequested { .. }) => {
                self.source.want_key_frame();
                self.tell_wait();
            }
            Some(PeerEvent::TargetBitrate(target)) => {
                self.budget.set_target(Instant::now().into_std(), *target);
                if let Some(bitrate) = self.budget.for_frames() {
                    self.source.set_bitrate(bitrate);
                }
            }
            Some(PeerEvent::ConnectionState(state)) => match state {
                PeerConnectionState::Connected => self.lost = None,
                PeerConnectionState::Disconnected => {
                    self.lost.get_or_insert((Instant::now(), false));
                }
                PeerConnectionState::Failed | PeerConnectionState::Closed => self.lose(),
                _ => {}
            },
            Some(_) => {}
            None => self.lose(),
        }
    }

    /// Whoever joins has to wait for a key frame, if there is none to be made.
    fn tell_wait(&mut self) {
        if self.is_made {
            return;
        }
        let now = self.start.map(|(start, _)| start.elapsed()).unwrap_or_default();
        for outlet in self.outlets.iter_mut().filter(|outlet| !outlet.track.codec.is_audio()) {
            let wait = outlet.last_key.map(|last| now.saturating_sub(last)).unwrap_or_default();
            if wait > LONG_WAIT && !std::mem::replace(&mut outlet.told_wait, true) {
                let seconds = wait.as_secs();
                self.ui.tell(
                    "few_key_frames",
                    json!({ "seconds": seconds }),
                    &format!(
                        "Somebody waits for a key frame, and the last one was {seconds} s ago: encode with more of them, for example \
                         with ffmpeg's -g 60, for those who join to see something soon."
                    ),
                );
            }
        }
    }

    /// The session is gone: another one is asked for.
    fn lose(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        self.outlets.iter_mut().for_each(|outlet| outlet.sender = None);
        self.lost = None;
        self.ui.tell("lost", json!({}), "The connection is lost: connecting again …");
        tokio::spawn(async move { session.leave().await });
        let pause = self.attempts.pause();
        self.attempts.begin(&self.endpoint, &self.media, pause);
    }

    /// A path that is lost is looked for anew: first within the session, then with another one.
    async fn mend(&mut self) {
        let Some((since, has_restarted)) = self.lost else { return };
        if since.elapsed() >= GIVE_UP_AFTER {
            return self.lose();
        }
        if since.elapsed() >= RESTART_AFTER && !has_restarted {
            self.lost = Some((since, true));
            self.ui.tell("restarting", json!({}), "The path is lost: looking for another …");
            if let Some(session) = &mut self.session
                && !session.restart().await
            {
                self.lose();
            }
        }
    }

    async fn send(&mut self, frame: Frame) -> Result<(), String> {
        let Some((start, wall)) = self.start else { return Ok(()) };
        let Some(outlet) = self.outlets.get_mut(frame.track) else { return Ok(()) };
        let is_audio = outlet.track.codec.is_audio();
        if frame.bytes.is_empty() {
            // The encoder had no bits for it.
            outlet.missed += 1;
            return Ok(());
        }
        if !is_audio && outlet.last.is_some_and(|last| frame.time < last) {
            return Err(reorders());
        }
        outlet.last = Some(frame.time);
        if frame.key {
            outlet.last_key = Some(frame.time);
        }
        let now = Instant::now();
        let Some(sender) = &mut outlet.sender else {
            outlet.missed += 1;
            return Ok(());
        };
        outlet.needs_key &= !frame.key;
        // What is late already is of no use to anybody: this computer was busy, or asleep.
        let is_late = now > start + frame.time + LATE;
        if is_late && !is_audio && !outlet.needs_key {
            (outlet.needs_key, outlet.has_asked) = (true, false);
        }
        if outlet.needs_key || is_late {
            outlet.missed += 1;
            // One that had to be left out as well would have cost as much as many other pictures.
            if outlet.needs_key && self.budget.has_room(now.into_std()) && !outlet.has_asked {
                outlet.has_asked = true;
                self.source.want_key_frame();
            }
            return Ok(());
        }
        if !self.budget.admits(now.into_std(), frame.bytes.len(), frame.key, is_audio) {
            // What follows depends on it.
            (outlet.needs_key, outlet.has_asked) = (true, false);
            if !std::mem::replace(&mut self.told_left_out, true) {
                let target = self.budget.target().unwrap_or(0);
                self.ui.tell(
                    "leaving_out",
                    json!({ "target": target }),
                    &format!(
                        "The path carries {}, and the pictures need more: some are left out. Encode them with less for all to go.",
                        rate(target)
                    ),
                );
            }
            return Ok(());
        }
        let captured = wall.checked_add(frame.time);
        let bytes = match &mut self.sealer {
            Some(sealer) => sealer.seal(outlet.track.codec, frame.bytes),
            None => Some(frame.bytes),
        };
        let Some(bytes) = bytes else {
            outlet.missed += 1;
            return Ok(());
        };
        let frame = MediaFrame { bytes, time: frame.time, key: frame.key, captured };
        match sender.send(&frame).await {
            Ok(()) => outlet.frames += 1,
            // A connection that is closed is heard of; a frame that is none is left out.
            Err(twocan::FrameError::Send(_)) => {}
            Err(twocan::FrameError::Packetize(_)) => outlet.missed += 1,
        }
        Ok(())
    }

    /// The line that changes.
    async fn show(&mut self) {
        let (Some((start, _)), Some(session)) = (self.start, &self.session) else { return };
        let mut loss = 0.0_f64;
        let mut round_trip = None;
        let stats = session.peer.get_stats().await;
        for one in stats.iter().flat_map(|report| report.stats.iter()) {
            if let Stats::RemoteInboundRtp(remote) = one {
                loss = loss.max(remote.fraction_lost);
                round_trip = remote.round_trip_time.or(round_trip);
            }
        }
        let bytes: u64 = self.outlets.iter().filter_map(|outlet| Some(outlet.sender.as_ref()?.bytes())).sum();
        let pictures: u64 = self
            .outlets
            .iter()
            .filter(|outlet| !outlet.track.codec.is_audio())
            .map(|outlet| outlet.frames)
            .sum();
        let now = Instant::now();
        let passed = self.figures.at.map_or(1.0, |at| (now - at).as_secs_f64()).max(0.001);
        let bitrate = (bytes.saturating_sub(self.figures.bytes) as f64 * 8.0 / passed) as u64;
        let fps = pictures.saturating_sub(self.figures.frames) as f64 / passed;
        self.figures = Figures { frames: pictures, bytes, at: Some(now) };
        let time = start.elapsed();
        let target = self.budget.target();
        let mut parts = vec![clock(time), format!("{fps:.0} fps"), rate(bitrate)];
        parts.extend(target.map(|target| format!("{} there", rate(target))));
        parts.extend(round_trip.map(|time| format!("{} ms", time.as_millis())));
        parts.push(format!("{:.1} % lost", loss * 100.0));
        if self.budget.leaves_out() {
            parts.push("leaving pictures out".to_owned());
        }
        let fields = json!({
            "seconds": time.as_secs_f64(),
            "fps": fps,
            "bitrate": bitrate,
            "target": target,
            "round_trip": round_trip.map(|time| time.as_secs_f64()),
            "loss": loss,
            "left_out": self.left_out(),
        });
        self.ui.progress(fields, parts.join(" · "));
    }

    /// Frames that were due and did not go.
    fn left_out(&self) -> u64 {
        self.outlets.iter().map(|outlet| outlet.missed).sum::<u64>() + self.budget.left_out
    }

    fn end(&self, ending: Ending) -> ExitCode {
        let time = self.start.map(|(start, _)| start.elapsed()).unwrap_or_default();
        let frames: u64 = self.outlets.iter().map(|outlet| outlet.frames).sum();
        let missed = self.left_out();
        let ui = self.ui;
        ui.end();
        let sent = |event: &str, words: &str| {
            let left_out = if missed > 0 { format!(", {missed} left out") } else { String::new() };
            let fields = json!({ "seconds": time.as_secs_f64(), "frames": frames, "left_out": missed });
            ui.tell(event, fields, &format!("{words} {} of it: {frames} frames{left_out}.", clock(time)));
            ExitCode::SUCCESS
        };
        match ending {
            Ending::Done => sent("done", "All was sent,"),
            Ending::Interrupted => sent("stopped", "Stopped after"),
            Ending::Unreadable(why) => ui.fail(exit::USAGE, "unreadable", &why),
            Ending::Failed(Failure::Refused { why, status }) => {
                ui.fail(exit::REFUSED, "refused", &format!("the server refuses: {why}{}", advice(status)))
            }
            Ending::Failed(Failure::Later { why, status, .. }) => {
                let code = if status == 409 { exit::REFUSED } else { exit::FAILED };
                ui.fail(code, "refused", &format!("the server refuses: {why}"))
            }
            Ending::Failed(Failure::Unreachable(why)) => ui.fail(exit::FAILED, "unreachable", &why),
        }
    }
}

/// What to do about a refusal.
pub(super) fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 => " Name the token with --token.",
        _ => "",
    }
}

/// Never where there is no session.
async fn next_event(session: &mut Option<Session>) -> Option<PeerEvent> {
    match session {
        Some(session) => session.peer.next_event().await,
        None => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
