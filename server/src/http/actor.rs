//! The task that owns the room machine. Connections send it commands; what it answers goes into each
//! connection's own queue, so that a slow reader holds up nobody but itself.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::sleep_until,
};

use crate::{
    clock,
    conference::{Notice, Problem, Request},
    media,
    signaling::{CloseCode, ConnectionId, Counters, Gone, Hub, Output, PeerId},
};

/// Commands that wait for the hub; a connection that cannot hand over its message reads no further one.
const COMMAND_QUEUE: usize = 4_096;

/// People who have left, of whom the media workers have not heard yet, while they have too much to do.
const LEAVERS: usize = 65_536;

/// How often to tell them again.
const AGAIN: Duration = Duration::from_millis(20);

/// Commands taken at once between two looks at the clock.
const BATCH: usize = 256;

/// How connections reach the hub. Cheap to clone.
#[derive(Clone)]
pub(crate) struct HubHandle {
    commands: mpsc::Sender<Command>,
    draining: Arc<AtomicBool>,
}

/// What the hub says to one connection.
pub(super) enum Outgoing {
    Text(Utf8Bytes),
    Close(CloseCode),
}

/// A connection's end of its queue.
pub(super) struct Inbox {
    pub(super) id: ConnectionId,
    pub(super) outgoing: mpsc::UnboundedReceiver<Outgoing>,
    pub(super) gauge: Arc<Gauge>,
}

/// How full a connection's queue is, and whether it ran over.
#[derive(Default)]
pub(super) struct Gauge {
    pub(super) bytes: AtomicUsize,
    pub(super) overflow: Notify,
}

enum Command {
    Connect { host: Box<str>, reply: oneshot::Sender<Inbox> },
    Text(ConnectionId, Utf8Bytes),
    Binary(ConnectionId),
    Gone(ConnectionId, Gone),
    Counters(oneshot::Sender<Counters>),
    Names(oneshot::Sender<HashMap<PeerId, String>>),
    Drain,
    CountConnections(oneshot::Sender<usize>),
}

/// The hub's end of a connection's queue.
struct Sink {
    queue: mpsc::UnboundedSender<Outgoing>,
    gauge: Arc<Gauge>,
}

/// The media workers, as the hub speaks to them.
pub(crate) struct Workers {
    pub(crate) handle: Arc<media::Handle>,
    pub(crate) notices: mpsc::Receiver<Notice>,
}

/// Starts the hub's task. It ends when the last handle is dropped.
pub(crate) fn start_hub(hub: Hub, queued_bytes: usize, workers: Option<Workers>) -> HubHandle {
    let (commands, receiver) = mpsc::channel(COMMAND_QUEUE);
    // A resumed session is given all that was kept for it at once, on top of what waits for any reader.
    let most_queued = queued_bytes.saturating_mul(2);
    let (media, notices) = workers.map(|workers| (workers.handle, workers.notices)).unzip();
    let (sinks, overflowed, leavers) = (HashMap::new(), Vec::new(), VecDeque::new());
    let actor = Actor { hub, media, leavers, sinks, most_queued, overflowed };
    tokio::spawn(actor.run(receiver, notices));
    HubHandle { commands, draining: Arc::default() }
}

impl HubHandle {
    /// Registers a connection. `None`: the server is stopping.
    pub(super) async fn connect(&self, host: &str) -> Option<Inbox> {
        let (reply, inbox) = oneshot::channel();
        self.commands.send(Command::Connect { host: host.into(), reply }).await.ok()?;
        inbox.await.ok()
    }

    pub(super) async fn text(&self, id: ConnectionId, text: Utf8Bytes) {
        // An error means that the hub is gone, and then so will be the connection's queue.
        let _ = self.commands.send(Command::Text(id, text)).await;
    }

    pub(super) async fn binary(&self, id: ConnectionId) {
        let _ = self.commands.send(Command::Binary(id)).await;
    }

    pub(super) async fn gone(&self, id: ConnectionId, why: Gone) {
        let _ = self.commands.send(Command::Gone(id, why)).await;
    }

    /// `None`: the server is stopping.
    pub(crate) async fn counters(&self) -> Option<Counters> {
        let (reply, counters) = oneshot::channel();
        self.commands.send(Command::Counters(reply)).await.ok()?;
        counters.await.ok()
    }

    /// What people are called. `None`: the server is stopping.
    pub(crate) async fn names(&self) -> Option<HashMap<PeerId, String>> {
        let (reply, names) = oneshot::channel();
        self.commands.send(Command::Names(reply)).await.ok()?;
        names.await.ok()
    }

    /// Tells every client that the server goes away, and admits nobody from now on.
    pub(crate) async fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        let _ = self.commands.send(Command::Drain).await;
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// How many connections the hub still has.
    pub(crate) async fn connections(&self) -> usize {
        let (reply, count) = oneshot::channel();
        let _ = self.commands.send(Command::CountConnections(reply)).await;
        count.await.unwrap_or(0)
    }
}

struct Actor {
    hub: Hub,
    media: Option<Arc<media::Handle>>,
    leavers: VecDeque<Request>,
    sinks: HashMap<ConnectionId, Sink>,
    /// Bytes that may wait in one connection's queue.
    most_queued: usize,
    /// Found while outputs were handed out; told to the hub afterwards.
    overflowed: Vec<ConnectionId>,
}

impl Actor {
    async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        mut notices: Option<mpsc::Receiver<Notice>>,
    ) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut told = Vec::with_capacity(BATCH);
        loop {
            let deadline = self.hub.poll_timeout();
            let timer = async {
                match deadline {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            let listen = async {
                match &mut notices {
                    Some(notices) => notices.recv_many(&mut told, BATCH).await,
                    None => std::future::pending().await,
                }
            };
            let has_leavers = !self.leavers.is_empty();
            tokio::select! {
                count = listen => {
                    if count == 0 {
                        notices = None;
                    }
                    for notice in told.drain(..) {
                        self.hub.handle_media(clock::now(), notice);
                        self.hand_out();
                    }
                }
                () = tokio::time::sleep(AGAIN), if has_leavers => self.tell_leavers(),
                count = commands.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    for command in batch.drain(..) {
                        self.handle(command);
                    }
                }
                () = timer => self.hub.handle_timeout(clock::now()),
            }
            self.hand_out();
        }
    }

    fn handle(&mut self, command: Command) {
        let now = clock::now();
        match command {
            Command::Connect { host, reply } => self.connect(&host, reply),
            Command::Text(id, text) => self.hub.handle_message(now, id, &text),
            Command::Binary(id) => self.hub.handle_binary(now, id),
            Command::Gone(id, why) => {
                self.sinks.remove(&id);
                self.hub.handle_disconnect(now, id, why);
            }
            Command::Counters(reply) => drop(reply.send(self.hub.counters())),
            Command::Names(reply) => drop(reply.send(self.hub.names().collect())),
            Command::CountConnections(reply) => drop(reply.send(self.hub.connections())),
            Command::Drain => self.hub.drain(now),
        }
        // After each command, so that queues are bounded by what one command can cause.
        self.hand_out();
    }

    fn connect(&mut self, host: &str, reply: oneshot::Sender<Inbox>) {
        let id = self.hub.connect(clock::now(), host);
        let (queue, outgoing) = mpsc::unbounded_channel();
        let gauge = Arc::<Gauge>::default();
        self.sinks.insert(id, Sink { queue, gauge: Arc::clone(&gauge) });
        if reply.send(Inbox { id, outgoing, gauge }).is_err() {
            self.sinks.remove(&id);
            self.hub.handle_disconnect(clock::now(), id, Gone::Closed);
        }
    }

    fn hand_out(&mut self) {
        loop {
            while let Some(output) = self.hub.poll_output() {
                match output {
                    Output::Send { connection, text } => self.send(connection, text),
                    Output::Close { connection, code } => self.close(connection, code),
                    Output::Media(request) => self.ask(request),
                }
            }
            let Some(id) = self.overflowed.pop() else { return };
            self.hub.handle_disconnect(clock::now(), id, Gone::TooSlow);
        }
    }

    /// Hands a request to the media workers. Where they have too much to do, whoever asks is told so; that somebody has
    /// left is told them later.
    fn ask(&mut self, request: Request) {
        let Some(media) = &self.media else { return };
        let is_leaving = matches!(request, Request::Leave { .. });
        if is_leaving && !self.leavers.is_empty() {
            return self.leavers.push_back(request);
        }
        let Err(request) = media.request(request) else { return };
        let (leg, request) = match *request {
            Request::Offer(offer) => (offer.leg, offer.request),
            Request::Watch { leg, request, .. } => (leg, request),
            Request::Close { leg } => (leg, None),
            leaving @ Request::Leave { .. } if self.leavers.len() < LEAVERS => {
                return self.leavers.push_back(leaving);
            }
            Request::Leave { .. } => return,
        };
        let why = "There is too much to do for now. Try again in a moment.".to_owned();
        self.hub.handle_media(clock::now(), Notice::Refused { leg, request, problem: Problem::Busy, why });
    }

    fn tell_leavers(&mut self) {
        let Some(media) = &self.media else { return };
        while let Some(request) = self.leavers.pop_front() {
            if let Err(request) = media.request(request) {
                return self.leavers.push_front(*request);
            }
        }
    }

    fn send(&mut self, id: ConnectionId, text: Bytes) {
        let Some(sink) = self.sinks.get(&id) else { return };
        let Ok(text) = Utf8Bytes::try_from(text) else { return };
        let queued = sink.gauge.bytes.fetch_add(text.len(), Ordering::Relaxed) + text.len();
        if queued > self.most_queued {
            sink.gauge.overflow.notify_one();
            self.sinks.remove(&id);
            self.overflowed.push(id);
        } else {
            // The receiver is gone only if the connection is, and then it says so itself.
            let _ = sink.queue.send(Outgoing::Text(text));
        }
    }

    fn close(&mut self, id: ConnectionId, code: CloseCode) {
        if let Some(sink) = self.sinks.remove(&id) {
            let _ = sink.queue.send(Outgoing::Close(code));
        }
    }
}
