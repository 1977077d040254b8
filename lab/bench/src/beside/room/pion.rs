//! The way into the room that is written with Pion (`lab/rivals/pion/room.go`): one request for what is sent, and one for what is
//! received, which names the size of each.

use std::io;

use twocan::SessionDescription;

use super::line::Line;
use super::{Size, Wish};
use crate::beside::server::Server;

pub(super) async fn publish(server: &Server, line: &mut Line, name: &str) -> io::Result<()> {
    line.publish(name).await?;
    let offer = line.offer().await?;
    let answer = server.post(&format!("/room/publish?name={name}"), "", &offer)?;
    line.take(SessionDescription::answer(answer)).await
}

pub(super) async fn watch(server: &Server, line: &mut Line, wishes: &[Wish<'_>]) -> io::Result<()> {
    line.watch(wishes.len()).await?;
    let offer = line.offer().await?;
    let word = |wish: &Wish<'_>| format!("{}:{}", wish.name, if wish.size == Size::Full { "f" } else { "q" });
    let wanted: Vec<String> = wishes.iter().map(word).collect();
    let answer = server.post(&format!("/room/watch?wanted={}", wanted.join(",")), "", &offer)?;
    line.take(SessionDescription::answer(answer)).await
}
