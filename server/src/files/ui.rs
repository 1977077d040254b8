//! What a person, or a script, is told: lines and bars on the terminal, or one JSON object per line on standard output.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use tokio::time::Instant;
use twocan::{CandidatePair, IceCandidateType, RelayProtocol};

use super::digest::{Digest, to_hex};
use super::link::Event;
use super::message::Id;
use super::question::{self, Answer, Existing};
use super::receiving::Question;

/// Bars of files that are shown at once.
const BARS: usize = 6;

/// A script hears of a file's progress so often.
const JSON_INTERVAL: Duration = Duration::from_millis(500);

/// A file under way.
struct Row {
    size: u64,
    bytes: u64,
    bar: Option<ProgressBar>,
    told: Instant,
    digest: Option<Digest>,
}

/// Where words go.
pub(crate) struct Ui {
    json: bool,
    bars: MultiProgress,
    total: Option<ProgressBar>,
    rows: BTreeMap<Id, Row>,
    /// Bytes of files that are over.
    finished: u64,
    expected: u64,
    skipped: u64,
    is_away: bool,
    was_open: bool,
    /// The present one.
    way: String,
    way_untold: bool,
}

impl Ui {
    pub(crate) fn new(json: bool) -> Self {
        let bars = MultiProgress::new();
        if json || !std::io::stderr().is_terminal() {
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self {
            json,
            bars,
            total: None,
            rows: BTreeMap::new(),
            finished: 0,
            expected: 0,
            skipped: 0,
            is_away: false,
            was_open: false,
            way: String::new(),
            way_untold: false,
        }
    }

    /// A line for a person, on standard error.
    pub(crate) fn line(&self, text: &str) {
        if !self.json {
            self.bars.suspend(|| eprintln!("{text}"));
        }
    }

    /// A result: on standard output, so that a script can take it.
    pub(crate) fn result(&self, text: &str) {
        if !self.json {
            // Whoever closed the pipe has read enough.
            self.bars.suspend(|| drop(writeln!(std::io::stdout(), "{text}")));
        }
    }

    /// An event for a script.
    pub(crate) fn event(&self, event: &str, mut fields: Value) {
        if self.json {
            fields["event"] = event.into();
            let _ = writeln!(std::io::stdout(), "{fields}");
        }
    }

    /// So many more bytes are expected.
    pub(crate) fn begin(&mut self, bytes: u64) {
        self.expected += bytes;
        if let Some(total) = &self.total {
            total.set_length(self.expected);
        }
    }

    /// What happens on the way to a connection.
    pub(crate) fn link(&mut self, event: &Event) {
        match event {
            Event::InRoom => {
                self.event("waiting", json!({}));
                if std::mem::take(&mut self.is_away) && !self.was_open {
                    self.line("The server is there again.");
                }
            }
            Event::ServerAway(why) => {
                self.event("server_away", json!({ "reason": why }));
                // Once connected, nothing of it is needed.
                if !std::mem::replace(&mut self.is_away, true) && !self.was_open {
                    self.line(&format!("The server cannot be reached ({why}): trying again."));
                }
            }
            Event::Found => {
                self.event("found", json!({}));
                self.line("Somebody with the code is there: connecting …");
            }
            Event::NoWay => {
                self.event("no_way", json!({}));
                self.line(
                    "No way to the other side was found: a firewall may block it. Trying again; a server with a relay helps.",
                );
            }
            Event::Path(pair) => {
                let words = way(pair);
                if self.way == words {
                    return;
                }
                self.way.clone_from(&words);
                self.event(
                    "path",
                    json!({ "words": words, "pair": pair.to_string(), "relayed": pair.is_relayed() }),
                );
                self.way_untold = true;
                // Whose address nobody told yet may be at their relay: it is said when files go there.
                if pair.remote.kind != IceCandidateType::PeerReflexive {
                    self.tell_way();
                }
            }
            _ => {}
        }
    }

    fn tell_way(&mut self) {
        if std::mem::take(&mut self.way_untold) {
            self.line(&format!("The way: {}.", self.way));
        }
    }

    /// The connection stands.
    pub(crate) fn open(&mut self) {
        self.event("connected", json!({}));
        let is_again = std::mem::replace(&mut self.was_open, true);
        self.line(if is_again { "Connected again: going on." } else { "Connected." });
    }

    /// Nobody with the code is there.
    pub(crate) fn nobody(&self) {
        self.event("nobody", json!({}));
        self.line(
            "Nobody with this code is there yet. Compare the code, and the server that the sender uses; or they have stopped: a \
             code is good for as long as they wait. Waiting on; Ctrl-C ends it.",
        );
    }

    /// It is gone, for the moment: the other side has left, or can only not be reached.
    pub(crate) fn lost(&mut self, patience: Duration, has_left: bool) {
        let seconds = patience.as_secs();
        self.event("interrupted", json!({ "patience": seconds, "left": has_left }));
        self.line(&if has_left {
            format!(
                "The other side has stopped. Waiting up to {seconds} s for it to go on, by the same code …"
            )
        } else {
            format!("The connection is lost. Waiting up to {seconds} s for it to come back …")
        });
    }

    /// A file begins, or goes on.
    pub(crate) fn file(&mut self, id: Id, path: &str, size: u64, offset: u64) {
        self.event("file", json!({ "id": id, "path": path, "size": size, "offset": offset }));
        self.tell_way();
        let total = self.total.get_or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::new(self.expected));
            bar.set_style(style(
                "{wide_bar} {percent:>3} % · {bytes} of {total_bytes} · {bytes_per_sec} · {eta} left",
            ));
            bar
        });
        total.set_length(self.expected);
        let shown = self.rows.values().filter(|row| row.bar.is_some()).count();
        let bar = (shown < BARS).then(|| {
            let bar = self.bars.insert_before(total, ProgressBar::new(size));
            bar.set_style(style("  {msg:30!} {bar:20} {percent:>3} %"));
            bar.set_message(path.to_owned());
            bar
        });
        let row = Row { size, bytes: offset, bar, told: Instant::now(), digest: None };
        if let Some(Row { bar: Some(bar), .. }) = self.rows.insert(id, row) {
            self.bars.remove(&bar);
        }
        if offset > 0 {
            // What was there before is no speed.
            total.reset_eta();
        }
        self.draw_total();
    }

    /// So much of a file is stored.
    pub(crate) fn progress(&mut self, id: Id, bytes: u64) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.bytes = bytes;
        if let Some(bar) = &row.bar {
            bar.set_position(bytes);
        }
        let now = Instant::now();
        if now - row.told >= JSON_INTERVAL || bytes == row.size {
            row.told = now;
            let size = row.size;
            self.event("progress", json!({ "id": id, "bytes": bytes, "size": size }));
        }
        self.draw_total();
    }

    /// The digest that the sender has told.
    pub(crate) fn digest(&mut self, id: Id, digest: &Digest) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.digest = Some(*digest);
        }
    }

    /// A file is whole and checked.
    pub(crate) fn done(&mut self, id: Id, path: &str, size: u64, digest: Option<&Digest>) {
        let row = self.remove(id);
        self.finished += size;
        let digest = digest.copied().or(row.and_then(|row| row.digest)).map(|digest| to_hex(&digest));
        self.event("file_done", json!({ "id": id, "path": path, "size": size, "digest": digest }));
        let size = HumanBytes(size);
        match digest {
            Some(digest) => self.result(&format!("{path}  {size}  checksum equal: {}…", &digest[..16])),
            None => self.result(&format!("{path}  {size}  was there already")),
        }
        self.draw_total();
    }

    /// A file will not arrive.
    pub(crate) fn not_done(&mut self, id: Id, path: &str, why: &str) {
        self.remove(id);
        self.event("file_failed", json!({ "id": id, "path": path, "reason": why }));
        self.line(&format!("{path}: {why}"));
    }

    /// Everything is over.
    pub(crate) fn all_done(&mut self, files: u64, elapsed: Duration) {
        if let Some(total) = self.total.take() {
            total.finish_and_clear();
        }
        let seconds = elapsed.as_secs_f64();
        self.event(
            "done",
            json!({ "files": files, "bytes": self.finished, "skipped": self.skipped, "seconds": seconds }),
        );
        let bytes = HumanBytes(self.finished);
        let what = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
        let skipped = if self.skipped > 0 { format!(" Skipped: {}.", self.skipped) } else { String::new() };
        self.line(&format!("{what}, {bytes}, complete.{skipped}"));
    }

    /// A file is not taken, because something of its name is there.
    pub(crate) fn skipped(&mut self, id: Id, path: &str) {
        self.remove(id);
        self.skipped += 1;
        self.event("file_skipped", json!({ "id": id, "path": path }));
        self.line(&format!("{path}: skipped, one of this name is there"));
    }

    /// Whether what is offered is wanted: asks a person where one `can` be asked, else the answer is yes.
    pub(crate) fn ask(
        &mut self,
        question: &Question,
        can: bool,
    ) -> impl Future<Output = bool> + Send + use<> {
        let Question { id, files, size, name } = question;
        self.event("offered", json!({ "id": id, "files": files, "bytes": size, "name": name }));
        let size = HumanBytes(*size);
        let what =
            if *files == 1 { format!("{name} ({size})") } else { format!("{name}: {files} files ({size})") };
        if can {
            show(&self.bars, &format!("Receive {what}? [Y/n] "));
        } else {
            self.line(&format!("Receiving {what}."));
        }
        async move {
            if !can {
                return true;
            }
            let line = question::read_line().await;
            line.is_some_and(|line| matches!(line.trim().to_lowercase().as_str(), "" | "y" | "yes"))
        }
    }

    /// What to do with a file whose name is taken.
    pub(crate) fn ask_existing(
        &self,
        id: Id,
        path: &str,
        [new, old]: [u64; 2],
    ) -> impl Future<Output = Answer> + Send + use<> {
        self.tell_existing(id, path, [new, old], Existing::Ask);
        let [is_new, is_old] = [new, old].map(HumanBytes);
        let prompt = format!(
            "{path} is there already ({is_old}; the new one has {is_new}).\n\
             [k]eep both, [o]verwrite or [s]kip? With an a behind it for all that follow, such as ka. [k] "
        );
        let (bars, json) = (self.bars.clone(), self.json);
        let show = move || {
            if !json {
                show(&bars, &prompt);
            }
        };
        async move {
            loop {
                show();
                let Some(line) = question::read_line().await else { return Answer::NOBODY };
                if let Some(answer) = Answer::parse(&line) {
                    return answer;
                }
            }
        }
    }

    /// A script hears what becomes of a file whose name is taken.
    pub(crate) fn tell_existing(&self, id: Id, path: &str, [size, existing]: [u64; 2], what: Existing) {
        let event =
            json!({ "id": id, "path": path, "size": size, "existing": existing, "what": what.name() });
        self.event("exists", event);
    }

    fn remove(&mut self, id: Id) -> Option<Row> {
        let row = self.rows.remove(&id)?;
        if let Some(bar) = &row.bar {
            bar.finish_and_clear();
            self.bars.remove(bar);
        }
        Some(row)
    }

    fn draw_total(&self) {
        if let Some(total) = &self.total {
            let under_way: u64 = self.rows.values().map(|row| row.bytes).sum();
            total.set_position(self.finished + under_way);
        }
    }
}

/// A question, at whose end the answer is typed.
fn show(bars: &MultiProgress, text: &str) {
    bars.suspend(|| {
        eprint!("{text}");
        let _ = std::io::stderr().flush();
    });
}

/// The path in words.
fn way(pair: &CandidatePair) -> String {
    let over = match pair.relay_protocol {
        Some(RelayProtocol::Tcp) => "TCP",
        Some(RelayProtocol::Tls) => "TLS",
        Some(RelayProtocol::Udp) | None => "UDP",
    };
    let is_mapped =
        |kind| matches!(kind, IceCandidateType::ServerReflexive | IceCandidateType::PeerReflexive);
    if pair.local.kind == IceCandidateType::Relayed {
        format!("through the server's relay, over {over}; it sees ciphertext only")
    } else if pair.remote.kind == IceCandidateType::Relayed {
        "through the server's relay, which the other side needs; it sees ciphertext only".to_owned()
    } else if is_mapped(pair.local.kind) || is_mapped(pair.remote.kind) {
        "directly, through the routers between".to_owned()
    } else {
        "directly".to_owned()
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("━━─")
}
