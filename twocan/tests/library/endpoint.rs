//! Many connections on one port.

use std::time::Duration;

use twocan::{AddressFilter, Configuration, DataChannelOptions, Endpoint, Message};

use crate::pair::Pair;
use crate::within;

fn local() -> Configuration {
    let local = AddressFilter::new(|_, ip| ip.is_loopback());
    Configuration { include_loopback: true, address_filter: Some(local), ..Configuration::default() }
}

#[tokio::test]
async fn many_connections_share_one_port() {
    const COUNT: usize = 8;
    within(async {
        let endpoint = Endpoint::bind(0, &local()).await.expect("a port");
        let port = endpoint.local_addresses().next().expect("an address").port();
        let mut pairs = Vec::new();
        for _ in 0..COUNT {
            let client = twocan::PeerConnection::new(local()).await.expect("sockets");
            let server = endpoint.peer_connection(local()).await.expect("room");
            pairs.push(Pair::between(client, server, DataChannelOptions::default(), |_| true).await);
        }
        // All at once, each more than one batch.
        let talks = pairs.into_iter().enumerate().map(|(number, mut pair)| {
            tokio::spawn(async move {
                let selected = pair.bob.selected_candidate_pair().expect("connected");
                assert_eq!(selected.local.address.port(), port);
                let long = vec![number as u8; 200_000];
                for _ in 0..5 {
                    pair.ours.send(long.clone()).await.expect("open");
                    let received = pair.theirs.recv().await;
                    assert!(received.is_some_and(|received| received == Message::from(long.clone())));
                    pair.theirs.send("thanks").await.expect("open");
                    assert_eq!(pair.ours.recv().await, Some(Message::text("thanks")));
                }
                // All of it, so that none of its parts is dropped before.
                drop(pair);
            })
        });
        for talk in talks.collect::<Vec<_>>() {
            talk.await.expect("no panic");
        }
    })
    .await;
}

#[tokio::test]
async fn a_port_is_free_again_when_its_last_user_is_gone() {
    within(async {
        let endpoint = Endpoint::bind(0, &local()).await.expect("a port");
        let port = endpoint.local_addresses().next().expect("an address").port();
        let server = endpoint.peer_connection(local()).await.expect("room");
        drop(endpoint);
        let client = twocan::PeerConnection::new(local()).await.expect("sockets");
        let mut pair = Pair::between(client, server, DataChannelOptions::default(), |_| true).await;
        pair.ours.send("still there").await.expect("open");
        assert_eq!(pair.theirs.recv().await, Some(Message::text("still there")));
        assert!(Endpoint::bind(port, &local()).await.is_err(), "it is in use");
        drop(pair);
        while Endpoint::bind(port, &local()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
