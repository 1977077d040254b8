//! ICE restarts.

use twocan::{Configuration, SessionDescription};

use crate::pair::Pair;

fn fragment(description: &SessionDescription) -> Option<&str> {
    description.sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"))
}

#[tokio::test]
async fn the_offer_that_follows_a_wish_to_restart_ice_does_so() {
    let test = async {
        let mut pair = Pair::new(Configuration::default()).await;
        // More than once: the wish and the request for an offer may reach the driver in one round.
        for _ in 0..5 {
            let before = pair.ada.local_description().await.expect("there is one");
            pair.ada.restart_ice();
            let offer = pair.ada.set_local_description(None).await.expect("an offer");
            assert_ne!(fragment(&before), fragment(&offer));
            pair.bob.set_remote_description(offer).await.expect("taken");
            let answer = pair.bob.set_local_description(None).await.expect("an answer");
            pair.ada.set_remote_description(answer).await.expect("taken");
        }
        pair.ours.send(vec![1; 1000]).await.expect("open");
        assert_eq!(pair.theirs.recv().await.map(|message| message.len()), Some(1000));
    };
    tokio::time::timeout(crate::DEADLINE, test).await.expect("it ends in time");
}
