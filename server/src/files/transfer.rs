//! What both sides of a transfer do alike: wait for whatever comes, the link's words and those of one's own tasks, give up
//! when nobody comes back, and leave so that the other side knows.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use twocan::DataChannel;

use super::link::{Event, Failure, Link};
use super::message::FileMessage;
use super::ui::Ui;

/// At the end the other side has so long to hear of it.
const LEAVE_PATIENCE: Duration = Duration::from_secs(3);

/// And our own tasks to put away what they have; a disk may hang.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// Whoever finds nobody is told after that long what may be the reason.
const HINT_AFTER: Duration = Duration::from_secs(5);

/// When to tell that nobody is there: once, unless somebody is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hint {
    Unset,
    At(Instant),
    Over,
}

impl Hint {
    fn at(self) -> Option<Instant> {
        match self {
            Self::At(at) => Some(at),
            Self::Unset | Self::Over => None,
        }
    }
}

/// How a transfer may end.
#[derive(Debug)]
pub(super) enum Ending {
    Done,
    /// So many files did not arrive.
    Partly(usize),
    Declined,
    Failed(Failure),
    /// Nobody came back in time.
    GivenUp,
    DiskFull(String),
    /// Ctrl-C.
    Interrupted,
}

/// The sender or the receiver: a machine and the tasks that do what it orders.
pub(super) trait Side {
    /// What its tasks say.
    type Report;

    fn ui(&mut self) -> &mut Ui;

    /// Does all that the machine has ordered. How the transfer ends, if it does.
    async fn work(&mut self, link: &Link) -> Option<Ending>;

    /// What a task has done.
    fn heed(&mut self, report: Self::Report);

    /// Nobody has come for a while.
    fn alone(&mut self);

    /// The other side is there, for the first time or again.
    fn linked(&mut self);

    /// It is gone.
    fn unlinked(&mut self);

    /// It says something.
    fn said(&mut self, message: FileMessage);

    /// It has opened a channel.
    fn opened(&mut self, channel: DataChannel);

    /// Has the tasks end, and what they hold put away.
    async fn stop(&mut self, reports: &mut mpsc::Receiver<Self::Report>);
}

/// Runs a transfer to its end. `patience`: so long somebody who was there may be away.
pub(super) async fn run<S: Side>(
    mut side: S,
    mut link: Link,
    mut reports: mpsc::Receiver<S::Report>,
    patience: Duration,
) -> Ending {
    // Whatever is being waited for: the other side may take nothing, and let us wait for ever.
    let ending = tokio::select! {
        ending = drive(&mut side, &mut link, &mut reports, patience) => ending,
        () = until_interrupted() => Ending::Interrupted,
    };
    if link.ignored() > 0 {
        side.ui().line(&format!(
            "{} messages that came through the server were not sealed with this code; they had no effect.",
            link.ignored()
        ));
    }
    // What is not put away in time comes once more when the transfer goes on.
    let _ = timeout(STOP_PATIENCE, side.stop(&mut reports)).await;
    link.leave(LEAVE_PATIENCE).await;
    ending
}

async fn drive<S: Side>(
    side: &mut S,
    link: &mut Link,
    reports: &mut mpsc::Receiver<S::Report>,
    patience: Duration,
) -> Ending {
    // Before the first connection one waits as long as it takes.
    let mut give_up_at = None;
    let mut hint = Hint::Unset;
    loop {
        if let Some(ending) = side.work(link).await {
            return ending;
        }
        let wake = tokio::select! {
            wake = link.wait() => wake,
            Some(report) = reports.recv() => {
                side.heed(report);
                continue;
            }
            () = until(give_up_at) => return Ending::GivenUp,
            () = until(hint.at()) => {
                hint = Hint::Over;
                side.alone();
                continue;
            }
        };
        if let Err(failure) = link.handle(wake).await {
            return Ending::Failed(failure);
        }
        while let Some(event) = link.poll_event() {
            match event {
                Event::Open => {
                    give_up_at = None;
                    side.ui().open();
                    side.linked();
                }
                event @ (Event::Lost | Event::Bye) => {
                    give_up_at = Some(Instant::now() + patience);
                    side.ui().lost(patience, matches!(event, Event::Bye));
                    side.unlinked();
                }
                Event::File(message) => side.said(message),
                Event::Channel(channel) => side.opened(channel),
                event => {
                    match event {
                        Event::InRoom if hint == Hint::Unset => hint = Hint::At(Instant::now() + HINT_AFTER),
                        Event::Found => hint = Hint::Over,
                        _ => {}
                    }
                    side.ui().link(&event);
                }
            }
        }
    }
}

/// Ctrl-C, or the system's wish that we end.
async fn until_interrupted() {
    #[cfg(unix)]
    if let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
        return;
    }
    // Without a handler the signal ends the process, as everywhere.
    let _ = tokio::signal::ctrl_c().await;
}

/// Never where there is no deadline.
pub(super) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
