//! Two peer connections on this machine, over its loopback interface.

use crate::DEADLINE;
use twocan::{Configuration, DataChannel, DataChannelOptions, Message, PeerConnection, PeerEvent};

/// More than calls that may wait for a driver.
const MANY: usize = 200;

async fn end() -> PeerConnection {
    let configuration = Configuration { include_loopback: true, ..Configuration::default() };
    PeerConnection::new(configuration).await.expect("sockets")
}

/// Exchanges descriptions and candidates until Bob has as many channels.
async fn introduce(ada: &mut PeerConnection, bob: &mut PeerConnection, count: usize) -> Vec<DataChannel> {
    let offer = ada.set_local_description(None).await.expect("an offer");
    bob.set_remote_description(offer).await.expect("taken");
    let answer = bob.set_local_description(None).await.expect("an answer");
    ada.set_remote_description(answer).await.expect("taken");
    let mut channels = Vec::new();
    while channels.len() < count {
        tokio::select! {
            Some(event) = ada.next_event() => if let PeerEvent::IceCandidate(candidate) = event {
                bob.add_ice_candidate(candidate).await.expect("taken");
            },
            Some(event) = bob.next_event() => match event {
                PeerEvent::IceCandidate(candidate) => ada.add_ice_candidate(candidate).await.expect("taken"),
                PeerEvent::DataChannel(channel) => channels.push(channel),
                _ => {}
            },
        }
    }
    channels
}

/// All on one thread: whoever drops handles leaves the driver no time in between.
#[tokio::test]
async fn channels_that_are_dropped_all_at_once_are_all_closed() {
    let test = async {
        let (mut ada, mut bob) = (end().await, end().await);
        let mut ours = Vec::new();
        for number in 0..MANY {
            let label = number.to_string();
            ours.push(
                ada.create_data_channel(&label, DataChannelOptions::default()).await.expect("a channel"),
            );
        }
        let theirs = introduce(&mut ada, &mut bob, MANY).await;
        for channel in &mut ours {
            channel.ready().await.expect("open");
            channel.send(channel.label()).await.expect("queued");
        }
        drop(ours);
        for mut channel in theirs {
            assert_eq!(channel.recv().await, Some(Message::text(channel.label())));
            assert_eq!(channel.recv().await, None, "channel {} is closed", channel.label());
        }
    };
    tokio::time::timeout(DEADLINE, test).await.expect("it ends in time");
}

#[tokio::test]
async fn a_connection_that_is_dropped_ends_the_peers_channels() {
    let test = async {
        let (mut ada, mut bob) = (end().await, end().await);
        let mut ours =
            ada.create_data_channel("chat", DataChannelOptions::default()).await.expect("a channel");
        let mut theirs = introduce(&mut ada, &mut bob, 1).await.remove(0);
        ours.ready().await.expect("open");
        drop(ada);
        assert_eq!(theirs.recv().await, None);
        assert_eq!(ours.recv().await, None);
        assert!(ours.send("hello").await.is_err());
    };
    tokio::time::timeout(DEADLINE, test).await.expect("it ends in time");
}
