//! Whole frames from one connection to another: a test picture that is encoded as it goes, and how late it comes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use media::{FrameSource as _, Pattern, Wishes};
use tokio::time::Instant;
use twocan::{
    Configuration, Direction, FrameReceiver, FrameSender, MediaFrame, MediaKind, PeerConnection, PeerEvent,
    TransceiverInit,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let configuration = || Configuration { include_loopback: true, ..Configuration::default() };
    let mut ada = PeerConnection::new(configuration()).await?;
    let mut bob = PeerConnection::new(configuration()).await?;
    let init = TransceiverInit { direction: Direction::SendOnly, ..TransceiverInit::default() };
    let mut camera = ada.add_transceiver(MediaKind::Video, init).await?;

    // Signaling: here the two are in one program.
    bob.set_remote_description(ada.set_local_description(None).await?).await?;
    let screen = bob.take_transceivers().await?.pop().ok_or("the offer has a section of pictures")?;
    ada.set_remote_description(bob.set_local_description(None).await?).await?;

    // Whoever encodes heeds what the connection says: here, that a key frame is wanted.
    let wishes = Arc::<Wishes>::default();
    let mut pattern = Pattern::new(Arc::clone(&wishes));
    let mut sender = FrameSender::new(&mut camera).await?;
    let mut receiver = FrameReceiver::new(screen);
    let (start, wall) = (Instant::now(), SystemTime::now());
    let mut next = pattern.next_frame()?.ok_or("it has no end")?;
    let mut frames = 0;
    while frames < 90 {
        tokio::select! {
            event = ada.next_event() => match event {
                Some(PeerEvent::IceCandidate(candidate)) => bob.add_ice_candidate(candidate).await?,
                Some(PeerEvent::KeyFrameRequested { .. }) => wishes.want_key_frame(),
                Some(PeerEvent::TargetBitrate(bits)) => println!("the path carries {} kbit/s", bits / 1000),
                _ => {}
            },
            event = bob.next_event() => if let Some(PeerEvent::IceCandidate(candidate)) = event {
                ada.add_ice_candidate(candidate).await?;
            },
            () = tokio::time::sleep_until(start + next.time) => {
                if next.track == 0 {
                    let captured = Some(wall + next.time);
                    let frame = MediaFrame { bytes: next.bytes, time: next.time, key: next.key, captured };
                    sender.send(&frame).await?;
                }
                next = pattern.next_frame()?.ok_or("it has no end")?;
            }
            frame = receiver.recv_frame() => {
                let frame = frame.ok_or("the connection has ended")?;
                frames += 1;
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)? + Duration::from_secs(2_208_988_800);
                let late = frame.captured.map(|captured| now.saturating_sub(captured.to_duration()));
                println!("{} bytes, key frame: {}, late by {late:?}", frame.bytes.len(), frame.key);
            }
        }
    }
    Ok(())
}
