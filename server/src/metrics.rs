//! `/metrics`: the counters of every part, in Prometheus' text format (version 0.0.4).

use std::fmt::Write as _;

use crate::signaling::Counters;

/// Everything that this server counts.
pub(crate) fn render(signaling: &Counters) -> String {
    let mut page = Page(String::with_capacity(4_096));
    page.info(env!("CARGO_PKG_VERSION"));
    render_signaling(&mut page, signaling);
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
        values: impl IntoIterator<Item = (&'static str, u64)>,
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
