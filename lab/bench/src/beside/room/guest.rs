//! One who is in the room: sends, and receives what all the others send.

use std::io;

use super::camera::Camera;
use super::line::{Arrived, Line, Sent};
use super::livekit::LiveKit;
use super::ours::Ours;
use super::{Wish, pion};
use crate::beside::server::{Server, Stack};

pub(super) struct Guest {
    pub(super) name: String,
    way: Way,
    publisher: Line,
    /// None where one connection does both.
    watcher: Option<Line>,
    others: usize,
    seed: usize,
    pub(super) camera: Option<Camera>,
}

enum Way {
    Ours(Ours),
    LiveKit(LiveKit),
    Pion,
}

impl Guest {
    pub(super) async fn enter(server: &Server, place: usize, others: usize) -> io::Result<Self> {
        let name = format!("guest{place}");
        let way = match server.stack {
            Stack::Twocan => Way::Ours(Ours::enter(server, &name).await?),
            Stack::Livekit => Way::LiveKit(LiveKit::enter(server, &name).await?),
            Stack::Pion => Way::Pion,
        };
        let watcher = if server.stack == Stack::Twocan { None } else { Some(Line::new().await?) };
        Ok(Self { name, way, publisher: Line::new().await?, watcher, others, seed: place, camera: None })
    }

    pub(super) fn is_in(&self) -> bool {
        match &self.way {
            Way::Ours(ours) => ours.is_in(),
            Way::LiveKit(livekit) => livekit.is_in(),
            Way::Pion => true,
        }
    }

    pub(super) async fn publish(&mut self, server: &Server) -> io::Result<()> {
        let (line, name) = (&mut self.publisher, self.name.as_str());
        match &mut self.way {
            Way::Ours(ours) => ours.publish(line, name, self.others).await?,
            Way::LiveKit(livekit) => livekit.publish(line, name).await?,
            Way::Pion => pion::publish(server, line, name).await?,
        }
        if let [sound, pictures, ..] = line.media.as_slice() {
            self.camera = Some(Camera::new(pictures.sender.clone(), sound.sender.clone(), self.seed));
        }
        Ok(())
    }

    /// Whether what we send goes out.
    pub(super) fn is_publishing(&self) -> bool {
        self.publisher.is_connected()
    }

    /// Whether all others can be watched.
    pub(super) fn sees_all(&self) -> bool {
        match &self.way {
            Way::Ours(ours) => ours.sees(self.others),
            Way::LiveKit(livekit) => livekit.sees(&self.name, self.others),
            Way::Pion => true,
        }
    }

    /// How others know us in what they wish for.
    pub(super) fn id(&self) -> &str {
        if let Way::Ours(ours) = &self.way { ours.id() } else { "" }
    }

    pub(super) async fn watch(&mut self, server: &Server, wishes: &[Wish<'_>]) -> io::Result<()> {
        match (&mut self.way, &mut self.watcher) {
            (Way::Ours(ours), _) => ours.watch(&self.publisher, &self.name, wishes).await,
            (Way::LiveKit(livekit), _) => livekit.watch(wishes).await,
            (Way::Pion, Some(line)) => pion::watch(server, line, wishes).await,
            (Way::Pion, None) => Ok(()),
        }
    }

    /// Whether all that was wished for was agreed on.
    pub(super) fn is_watching(&self) -> bool {
        let line = self.watcher.as_ref().unwrap_or(&self.publisher);
        line.is_connected() && line.receiving() == 2 * self.others
    }

    /// Hears what happened, as an application would.
    pub(super) async fn hear(&mut self) -> io::Result<()> {
        match (&mut self.way, &mut self.watcher) {
            (Way::Ours(ours), _) => ours.hear(&mut self.publisher).await?,
            (Way::LiveKit(livekit), Some(watcher)) => livekit.hear(&mut self.publisher, watcher).await?,
            _ => {}
        }
        if let Some(watcher) = &mut self.watcher {
            watcher.hear();
        }
        self.publisher.hear();
        let keys = self.publisher.keys.drain(..);
        if let Some(camera) = &mut self.camera {
            keys.for_each(|layer| camera.begin_anew(layer));
        }
        Ok(())
    }

    pub(super) async fn sent(&self) -> io::Result<Sent> {
        self.publisher.sent().await
    }

    /// Packets that came of each of the others' media.
    pub(super) async fn arrived(&self) -> io::Result<Vec<Arrived>> {
        self.watcher.as_ref().unwrap_or(&self.publisher).arrived().await
    }
}
