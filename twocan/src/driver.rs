//! The task behind a peer connection: it owns the sockets and the state machine, and moves datagrams, time, calls and
//! events between them.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant, SystemTime};

use tokio::task::{AbortHandle, coop};
use tokio::time::Sleep;
use wire::Received;

use crate::asking::Asking;
use crate::budget::Budget;
use crate::configuration::Configuration;
use crate::port::Port;
use crate::queue::{Receiver, Sender};
use crate::streams::{StreamEvent, Streams, Tls};
use crate::{CandidatePair, Error, PeerEvent};

mod channels;
mod command;
mod gather;
mod media;
mod tell;
mod transmit;

use channels::Channels;
pub(crate) use command::{Command, Snapshot};
use gather::Gathering;
use media::Media;
pub(crate) use transmit::Unsent;

/// How many batches are read before everything else has its turn.
const READS: usize = 4;

/// How often this machine's addresses are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// How many calls are taken before everything else has its turn.
const CALLS: usize = 64;

/// How many rounds are done before other tasks have their turn.
const ROUNDS: usize = 32;

#[derive(Debug)]
pub(crate) struct Driver {
    /// Boxed, so that its 4 KiB are moved once and not with the driver each time.
    peer: Box<peer::PeerConnection>,
    port: Port,
    commands: Receiver<Command>,
    events: Sender<PeerEvent>,
    snapshot: Arc<Mutex<Snapshot>>,
    /// What was published last.
    told: Snapshot,
    channels: Channels,
    media: Media,
    budget: Arc<Budget>,
    /// Nothing else is done before it has left.
    unsent: Option<Unsent>,
    /// Events were left where they are for want of room.
    is_behind: bool,
    selected: Option<CandidatePair>,
    gathering: Gathering,
    streams: Streams,
    tls: Arc<Tls>,
    resolves_names: bool,
    /// Those that take connections from peers.
    listening: Vec<AbortHandle>,
    /// When this machine's addresses are looked at again; never where they are an endpoint's.
    next_look: Option<Instant>,
    /// The last wait was for something to happen: the timer is set, and nothing has changed since.
    rests: bool,
    /// When the timer goes off; it may be earlier than needed, as setting it costs more than a look at the time.
    armed: Option<Instant>,
}

/// The time. It is tokio's, so that whoever tests with a paused clock can do so with connections, too.
fn clock() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// What a round of work came to.
enum Round {
    /// Something was done.
    Worked,
    /// Nobody holds the connection any more.
    Ended,
}

impl Driver {
    pub(crate) fn new(
        configuration: &Configuration,
        port: Port,
        commands: Receiver<Command>,
        (events, budget): (Sender<PeerEvent>, Arc<Budget>),
        snapshot: Arc<Mutex<Snapshot>>,
        asking: Asking,
    ) -> Result<Self, Error> {
        let certificate = match configuration.certificates.first() {
            Some(certificate) => Arc::clone(certificate),
            None => {
                let made = dtls::Certificate::generate(random()?, SystemTime::now());
                Arc::new(made.map_err(Error::Certificate)?)
            }
        };
        let mut inner = peer::Configuration::with_dtls(certificate, random()?, configuration.dtls()?);
        inner.max_message_size = configuration.max_message_size;
        inner.ice_transport_policy = configuration.ice_transport_policy;
        inner.bundle_policy = configuration.bundle_policy;
        inner.media.clone_from(&configuration.media);
        if !port.may_fragment() {
            inner.max_datagram_size = configuration.max_datagram_size;
        }
        inner.unix_time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = clock();
        let next_look = (!port.is_shared()).then_some(now + LOOK);
        Ok(Self {
            peer: Box::new(peer::PeerConnection::new(now, inner)),
            port,
            commands,
            events,
            snapshot,
            told: Snapshot::default(),
            channels: Channels::new(Arc::clone(&budget)),
            media: Media::new(asking),
            budget,
            unsent: None,
            is_behind: false,
            selected: None,
            gathering: Gathering::new(configuration)?,
            streams: Streams::default(),
            tls: Arc::new(Tls::new(configuration)),
            resolves_names: configuration.resolve_mdns,
            listening: Vec::new(),
            next_look,
            rests: false,
            armed: None,
        })
    }

    /// Drives the connection until nobody holds it any more. Boxed, it is in the task once: what a future is given by value
    /// may be in it twice.
    pub(crate) async fn run(mut self: Box<Self>) {
        let timer = tokio::time::sleep_until(clock().into());
        tokio::pin!(timer);
        for listener in self.port.take_listeners() {
            let task = self.accept(listener);
            self.listening.push(task);
        }
        std::future::poll_fn(|context| self.poll_settle(context)).await;
        std::future::poll_fn(|context| self.poll(context, timer.as_mut())).await;
        self.peer.close(clock());
        std::future::poll_fn(|context| self.poll_transmit(context)).await;
        self.streams.close_all();
    }

    /// Ready once nobody holds the connection any more. What waits is in the driver and not in the future, whose room each
    /// task has all its life.
    fn poll(&mut self, context: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<()> {
        let mut has_rested = std::mem::take(&mut self.rests);
        // All else was settled before the last wait.
        if self.unsent.is_some() || self.is_behind {
            has_rested = false;
            ready!(self.poll_settle(context));
        }
        for _ in 0..ROUNDS {
            let is_early = std::mem::take(&mut has_rested) && self.armed.is_some_and(|armed| clock() < armed);
            let Poll::Ready(round) = self.poll_round(context, timer.as_mut(), is_early) else {
                // Where the task has had its share, the timer may not have been heard either.
                self.rests = coop::has_budget_remaining();
                return Poll::Pending;
            };
            match round {
                Round::Worked => ready!(self.poll_settle(context)),
                Round::Ended => return Poll::Ready(()),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Does everything that can be done now; pending if there was nothing. `is_early`: the timer is set, and
    /// not due.
    fn poll_round(
        &mut self,
        context: &mut Context<'_>,
        timer: Pin<&mut Sleep>,
        is_early: bool,
    ) -> Poll<Round> {
        let now = clock();
        let mut any = !is_early && self.poll_timer(now, context, timer);
        for _ in 0..CALLS {
            match self.commands.poll_recv(context) {
                Poll::Ready(Some(command)) => self.obey(command),
                Poll::Ready(None) => return Poll::Ready(Round::Ended),
                Poll::Pending => break,
            }
            any = true;
        }
        while let Poll::Ready(Some(answer)) = self.gathering.poll_answer(context) {
            any = true;
            self.take(*answer);
        }
        self.channels.recycle(&mut self.peer);
        any |= self.poll_read(now, context);
        any |= self.poll_streams(now, context);
        any |= self.channels.poll_jobs(&mut self.peer, context);
        any |= self.media.poll_send(now, &mut self.peer, context);
        any |= self.budget.is_spent() && self.budget.poll_freed(context).is_ready();
        if any { Poll::Ready(Round::Worked) } else { Poll::Pending }
    }

    fn poll_timer(&mut self, now: Instant, context: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> bool {
        if let Some(look) = self.next_look.as_mut().filter(|look| **look <= now) {
            *look = now + LOOK;
            self.follow_network();
            return true;
        }
        let wanted = self.peer.poll_timeout().map(|(deadline, _)| deadline);
        if wanted.is_some_and(|deadline| deadline <= now) {
            self.peer.handle_timeout(now);
            return true;
        }
        let Some(deadline) = wanted.into_iter().chain(self.next_look).min() else { return false };
        if self.armed.is_none_or(|armed| deadline < armed || armed <= now) {
            self.armed = Some(deadline);
            timer.as_mut().reset(deadline.into());
        }
        if timer.poll(context).is_pending() {
            return false;
        }
        self.armed = None;
        // Too early, or just in time: the next round sees.
        context.waker().wake_by_ref();
        false
    }

    fn poll_read(&mut self, now: Instant, context: &mut Context<'_>) -> bool {
        let Self { port, peer, .. } = self;
        port.poll_read(context, READS, |source, destination, bytes| {
            // A fault is counted.
            let _ = peer.handle_datagram(now, Received { source, destination, bytes });
        })
    }

    fn poll_streams(&mut self, now: Instant, context: &mut Context<'_>) -> bool {
        let Self { streams, peer, .. } = self;
        streams.poll(context, |id, event| match event {
            // A fault is counted.
            StreamEvent::Bytes(bytes) => drop(peer.handle_stream(now, id, bytes)),
            StreamEvent::Ready => peer.set_stream_ready(id, true),
            StreamEvent::Closed => peer.handle_disconnected(now, id),
        })
    }

    /// Hands out what happened, then sends what is to be sent.
    fn poll_settle(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // What was just done may have something to be sent; from then on only what is heard of sending.
        let mut any = true;
        loop {
            while !self.budget.is_spent()
                && let Some(event) = self.peer.poll_event()
            {
                any = true;
                self.tell(event);
            }
            if self.budget.is_spent() {
                // That there is room to send again would be told behind what waits to be received, and who waits to
                // send may be who should receive.
                any |= self.channels.resume(&mut self.peer);
            }
            self.media.deliver(&mut self.peer);
            if !any || !ready!(self.poll_transmit(context)) {
                break;
            }
            any = false;
        }
        self.is_behind = self.budget.is_spent();
        self.channels.account(&self.peer);
        self.port.answer_to(self.peer.ice().credentials().ufrag.as_str());
        self.show_states();
        Poll::Ready(())
    }

    /// Has getters say how it is now. Whoever hears of a change may ask at once, so that this goes before any event and any
    /// answer.
    fn show_states(&mut self) {
        let snapshot = Snapshot {
            signaling: self.peer.signaling_state(),
            ice: self.peer.ice_connection_state(),
            connection: self.peer.connection_state(),
            selected: self.selected,
        };
        if self.told != snapshot {
            self.told = snapshot;
            *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = snapshot;
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.listening.iter().for_each(AbortHandle::abort);
    }
}

pub(crate) fn random() -> Result<[u8; 32], Error> {
    let mut seed = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).map_err(|_| Error::Randomness)?;
    Ok(seed)
}
