//! `/metrics`: the counters of every part, in Prometheus' text format (version 0.0.4).

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{media, relay::Report, signaling::Counters};

/// Everything that this server counts.
pub(crate) fn render(signaling: &Counters, relay: &[Report], media: &[media::Report]) -> String {
    let mut page = Page(String::with_capacity(4_096));
    page.info(env!("CARGO_PKG_VERSION"));
    #[cfg(feature = "count-heap")]
    page.counter("heap_blocks_total", "How often memory was taken from the heap.", crate::heap::blocks());
    render_signaling(&mut page, signaling);
    if !relay.is_empty() {
        render_relay(&mut page, relay);
    }
    if !media.is_empty() {
        render_media(&mut page, media);
    }
    page.0
}

fn render_signaling(page: &mut Page, counters: &Counters) {
    let now = |number: usize| number as u64;
    page.gauge("signaling_connections", "WebSockets open now.", now(counters.connections));
    page.gauge(
        "signaling_sessions",
        "People in rooms and lobbies, those away included.",
        now(counters.sessions),
    );
    page.gauge("signaling_rooms", "Rooms, matches of lobbies included.", now(counters.rooms));
    page.gauge("signaling_waiting", "People who wait in lobbies.", now(counters.waiting));
    page.counter("signaling_connections_total", "WebSockets opened.", counters.connections_total);
    page.counter("signaling_messages_received_total", "Messages from clients.", counters.messages_received);
    page.counter("signaling_messages_sent_total", "Messages to clients.", counters.messages_sent);
    page.counter("signaling_joined_total", "Sessions begun.", counters.joined);
    page.counter("signaling_resumed_total", "Sessions resumed after a lost connection.", counters.resumed);
    page.counter(
        "signaling_returned_total",
        "Peers back under their id in a new session.",
        counters.returned,
    );
    page.counter("signaling_matches_total", "Pairs made in lobbies.", counters.matches);
    page.counter("signaling_lost_total", "Sessions whose grace time ran out.", counters.lost);
    let dropped = [
        ("slow", counters.dropped_slow),
        ("abusive", counters.dropped_abusive),
        ("idle", counters.dropped_idle),
    ];
    page.labelled("signaling_dropped_total", "Connections closed by the server.", "reason", dropped);
    page.labelled("signaling_errors_total", "Requests refused.", "code", counters.errors());
}

/// The workers together.
fn render_relay(page: &mut Page, workers: &[Report]) {
    let sum = |part: fn(&Report) -> u64| workers.iter().map(part).sum::<u64>();
    page.gauge("relay_allocations", "Allocations now.", sum(|worker| worker.allocations as u64));
    page.counter("relay_allocated_total", "Allocations made.", sum(|worker| worker.counters.allocated));
    page.counter(
        "relay_expired_total",
        "Allocations that nobody refreshed.",
        sum(|worker| worker.counters.expired),
    );
    page.counter("stun_bindings_total", "Binding requests answered.", sum(|worker| worker.counters.bindings));
    let directions = |peers: fn(&Report) -> u64, clients: fn(&Report) -> u64| {
        [("to_peers", sum(peers)), ("to_clients", sum(clients))]
    };
    let datagrams = directions(
        |worker| worker.counters.to_peers.datagrams,
        |worker| worker.counters.to_clients.datagrams,
    );
    page.labelled("relay_datagrams_total", "Datagrams relayed.", "direction", datagrams);
    let bytes =
        directions(|worker| worker.counters.to_peers.bytes, |worker| worker.counters.to_clients.bytes);
    page.labelled("relay_bytes_total", "Bytes of application data relayed.", "direction", bytes);
    let errors = together(workers, |worker| worker.counters.errors().collect());
    page.labelled("turn_errors_total", "Requests answered with an error.", "code", errors);
    let faults = together(workers, |worker| {
        worker.counters.faults().map(|(fault, count)| (fault.label(), count)).collect()
    });
    page.labelled("relay_dropped_total", "What was dropped, and why.", "fault", faults);
    page.counter(
        "relay_send_errors_total",
        "Datagrams that could not be sent.",
        sum(|worker| worker.send_errors),
    );
    page.counter("relay_sends_total", "System calls that sent.", sum(|worker| worker.sends));
    page.counter("relay_sent_datagrams_total", "Datagrams in them.", sum(|worker| worker.sent_datagrams));
    page.counter("relay_receives_total", "System calls that received.", sum(|worker| worker.receives));
    page.counter(
        "relay_received_datagrams_total",
        "Datagrams in them.",
        sum(|worker| worker.received_datagrams),
    );
    let dropped = sum(|worker| worker.dropped_stream_bytes);
    page.counter("relay_dropped_stream_bytes_total", "Bytes that slow TCP clients lost.", dropped);
}

/// The media workers together.
fn render_media(page: &mut Page, workers: &[media::Report]) {
    let sum = |part: fn(&media::Report) -> u64| workers.iter().map(part).sum::<u64>();
    page.gauge(
        "media_connections",
        "Peer connections of this server.",
        sum(|worker| worker.connections as u64),
    );
    page.counter(
        "media_restarts_total",
        "How often a worker has failed and begun anew.",
        sum(|worker| worker.restarts),
    );
    page.gauge("media_rooms", "Rooms that are forwarded in.", sum(|worker| worker.rooms as u64));
    let parts = sum(|worker| worker.parts as u64);
    page.gauge("media_room_parts", "Further workers that rooms have gone to.", parts);
    let (passed_on, lost) = (sum(|worker| worker.passed_on), sum(|worker| worker.passed_on_lost));
    page.counter("media_passed_on_packets_total", "Packets that went from worker to worker.", passed_on);
    page.counter("media_passed_on_lost_total", "Those that a worker with too much to do lost.", lost);
    let publications = sum(|worker| worker.publications as u64);
    page.gauge("media_publications", "What people and programs send into them.", publications);
    let subscriptions = sum(|worker| worker.subscriptions as u64);
    page.gauge("media_subscriptions", "What of it goes to somebody.", subscriptions);
    page.counter(
        "media_forwarded_packets_total",
        "Packets of media, once for each who got them.",
        sum(|worker| worker.forwarded),
    );
    page.counter(
        "media_overtaken_packets_total",
        "Of those, packets that still waited when a key frame made them useless: they were dropped.",
        sum(|worker| worker.overtaken),
    );
    page.counter(
        "media_left_out_packets_total",
        "Packets of voices that were not forwarded, as others in the room were louder: each once.",
        sum(|worker| worker.left_out),
    );
    let received = sum(|worker| worker.received_datagrams);
    page.gauge(
        "media_tcp_connections",
        "Connections over TCP that media goes by.",
        sum(|worker| worker.tcp_connections as u64),
    );
    page.counter(
        "media_tcp_received_bytes_total",
        "Bytes that came over TCP.",
        sum(|worker| worker.tcp_received),
    );
    page.counter("media_tcp_sent_bytes_total", "Bytes sent over TCP.", sum(|worker| worker.tcp_sent));
    page.counter(
        "media_tcp_blocked_total",
        "How often a connection over TCP took no more for the moment.",
        sum(|worker| worker.tcp_blocked),
    );
    page.counter("media_received_datagrams_total", "Datagrams that came.", received);
    page.counter(
        "media_strangers_total",
        "Those that belong to no connection.",
        sum(|worker| worker.strangers),
    );
    page.counter("media_sent_datagrams_total", "Datagrams sent.", sum(|worker| worker.sent_datagrams));
    page.counter("media_sends_total", "System calls that sent them.", sum(|worker| worker.sends));
    page.counter(
        "media_send_errors_total",
        "Datagrams that could not be sent.",
        sum(|worker| worker.send_errors),
    );
}

/// With what goes on in each room: only on request, as there may be many, and their names are nobody else's business.
pub(crate) fn with_rooms(page: String, wanted: bool, rooms: &[media::RoomState]) -> String {
    if !wanted {
        return page;
    }
    let mut page = Page(page);
    let mut of_rooms = |name: &str, help: &str, value: fn(&media::RoomState) -> u64| {
        page.head(name, help, "gauge");
        for room in rooms {
            let (kind, name_of) = (room.kind, escaped(&room.name));
            let _ = writeln!(page.0, "twocan_{name}{{kind=\"{kind}\",room=\"{name_of}\"}} {}", value(room));
        }
    };
    of_rooms("media_room_connections", "Peer connections of a room, 200 at most.", |room| {
        room.people.len() as u64
    });
    of_rooms("media_room_publications", "What is sent into it.", |room| room.tracks.len() as u64);
    of_rooms("media_room_subscriptions", "What of it goes to somebody.", |room| {
        room.tracks.iter().map(|track| track.watchers as u64).sum()
    });
    of_rooms("media_room_bits_per_second", "What comes into it.", |room| {
        room.tracks.iter().map(media::TrackState::bitrate).sum()
    });
    page.0
}

/// A label's value, as the format wants it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The sums of a counter with a label over all workers, which count the same things.
fn together<L: Ord>(workers: &[Report], part: fn(&Report) -> Vec<(L, u64)>) -> BTreeMap<L, u64> {
    let mut sums = BTreeMap::new();
    for (label, count) in workers.iter().flat_map(part) {
        *sums.entry(label).or_default() += count;
    }
    sums
}

/// The text so far.
pub(crate) struct Page(String);

impl Page {
    fn info(&mut self, version: &str) {
        self.head("info", "The version that runs.", "gauge");
        let _ = writeln!(self.0, "twocan_info{{version=\"{version}\"}} 1");
    }

    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "gauge");
        let _ = writeln!(self.0, "twocan_{name} {value}");
    }

    pub(crate) fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "counter");
        let _ = writeln!(self.0, "twocan_{name} {value}");
    }

    /// One counter for each value of a label, whose values are plain words of ours.
    pub(crate) fn labelled(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (impl std::fmt::Display, u64)>,
    ) {
        self.head(name, help, "counter");
        for (value, count) in values {
            let _ = writeln!(self.0, "twocan_{name}{{{label}=\"{value}\"}} {count}");
        }
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.0, "# HELP twocan_{name} {help}\n# TYPE twocan_{name} {kind}");
    }
}
