//! ICE restarts (RFC 8445 §9): data goes on, whatever is lost.

use twocan_ice::{NeedsRestart, RemoteParameters, State};

use crate::network::Conditions;
use crate::pair::{Pair, Step, ms, seconds};

fn connected(seed: u64) -> Pair {
    let mut pair = Pair::plain(seed, Conditions::delay(20));
    candidates(&mut pair);
    pair.introduce();
    pair.until_states(seconds(5), State::Completed);
    pair
}

fn candidates(pair: &mut Pair) {
    for side in [0, 1] {
        pair.host(side, &format!("192.0.2.{}:1000", side + 1));
        pair.gathered(side);
    }
}

fn restart(pair: &mut Pair, side: usize) {
    let now = pair.now;
    let agent = &mut pair.sides[side].agent;
    let credentials = agent.fresh_credentials();
    agent.restart(now, credentials);
}

#[test]
fn data_never_lacks_a_path_while_the_credentials_change() {
    for seed in 0..60 {
        let mut pair = connected(seed);
        pair.run(ms(seed * 300));
        pair.network.conditions.loss_percent = seed % 4 * 10;
        pair.signaling = ms(seed * 7);
        let old = pair.sides.each_ref().map(|side| side.agent.credentials().clone());
        // The offerer begins; the answerer follows when the offer comes.
        restart(&mut pair, 0);
        pair.run(pair.signaling);
        restart(&mut pair, 1);
        candidates(&mut pair);
        pair.introduce();
        let end = pair.now + seconds(40);
        while pair.sides.iter().any(|side| side.agent.state() != State::Completed) {
            assert!(pair.step(end), "seed {seed}: completed again");
            assert!(pair.have_paths(), "seed {seed}: data has a path at any time");
        }
        pair.network.conditions.loss_percent = 0;
        pair.run(seconds(60));
        for (side, old) in pair.sides.iter().zip(&old) {
            assert_ne!(side.agent.credentials(), old);
            assert_eq!(side.agent.state(), State::Completed, "seed {seed}");
            assert!(side.lost.is_empty(), "seed {seed}");
            let states: Vec<_> = side.states.iter().map(|(_, state)| *state).collect();
            assert!(!states.contains(&State::Failed), "{states:?}");
        }
        assert!(pair.paths_meet(), "seed {seed}");
    }
}

#[test]
fn the_old_pair_is_asked_for_consent_as_long_as_the_new_one_takes() {
    let mut pair = connected(1);
    restart(&mut pair, 0);
    let asked = |pair: &Pair, side: usize| pair.sides[side].sent.len();
    let before = asked(&pair, 0);
    // The answer takes its time.
    pair.run(seconds(100));
    assert!(asked(&pair, 0) >= before + 2 * 16, "checks of its own, and answers to the peer's");
    assert_eq!(pair.sides[0].agent.state(), State::Connected);
    assert_eq!(pair.sides[1].agent.state(), State::Completed, "the peer saw nothing");
    assert!(pair.have_paths());
    pair.network.dead.insert("192.0.2.2".parse().unwrap());
    pair.run(seconds(40));
    assert_eq!(pair.sides[0].agent.path(), None, "without consent nothing is sent by it either");
    assert_eq!(pair.sides[0].lost.len(), 1);
}

#[test]
fn a_restart_that_is_taken_back_never_was() {
    let mut pair = connected(1);
    let credentials = pair.sides[0].agent.credentials().clone();
    restart(&mut pair, 0);
    pair.run(seconds(3));
    let now = pair.now;
    pair.sides[0].agent.abandon_restart(now);
    assert_eq!(*pair.sides[0].agent.credentials(), credentials);
    pair.run(seconds(60));
    assert!(pair.sides.iter().all(|side| side.agent.state() == State::Completed && side.lost.is_empty()));
    assert!(pair.paths_meet());
}

#[test]
fn a_failed_agent_is_revived() {
    let mut pair = connected(1);
    pair.network.dead.insert("192.0.2.2".parse().unwrap());
    pair.until_states(seconds(60), State::Failed);
    pair.network.dead.clear();
    pair.run(seconds(60));
    assert_eq!(pair.sides[0].agent.state(), State::Failed, "nothing but a restart helps");
    restart(&mut pair, 0);
    restart(&mut pair, 1);
    candidates(&mut pair);
    pair.introduce();
    pair.until_states(seconds(5), State::Completed);
    assert!(pair.paths_meet());
}

#[test]
fn the_peers_new_credentials_want_ours() {
    let mut pair = connected(1);
    let now = pair.now;
    let known = RemoteParameters::new(pair.sides[1].agent.credentials().clone());
    let fresh = RemoteParameters::new(pair.sides[1].agent.fresh_credentials());
    let agent = &mut pair.sides[0].agent;
    assert_eq!(agent.set_remote(now, &known), Ok(()), "a description without a restart");
    assert_eq!(agent.set_remote(now, &fresh), Err(NeedsRestart));
}

#[test]
fn candidates_of_the_other_generation_are_refused() {
    let mut pair = connected(1);
    let late = pair.sides[1].agent.local_candidates().next().unwrap().candidate;
    let late = twocan_ice::Candidate { ufrag: Some(pair.sides[1].agent.credentials().ufrag.clone()), ..late };
    restart(&mut pair, 0);
    restart(&mut pair, 1);
    let now = pair.now;
    let agent = &mut pair.sides[0].agent;
    assert_eq!(agent.add_remote(now, late.clone()), Ok(()), "kept until the description says whose it is");
    pair.introduce();
    pair.run(ms(1));
    assert_eq!(pair.sides[0].agent.remote_candidates().count(), 0);
    let now = pair.now;
    assert_eq!(pair.sides[0].agent.add_remote(now, late), Err(twocan_ice::Refused::OtherGeneration));
    pair.later(0, ms(0), Step::End);
    pair.run(ms(1));
}

#[test]
fn the_old_credentials_are_understood_a_while_longer() {
    let mut pair = connected(1);
    pair.run(seconds(10));
    // A check of the peer's from before.
    let is_check = |(.., bytes): &&(_, _, Vec<u8>)| bytes[0] == 0;
    let (_, transmit, old) = pair.sides[1].sent.iter().rfind(is_check).unwrap().clone();
    restart(&mut pair, 0);
    restart(&mut pair, 1);
    candidates(&mut pair);
    pair.introduce();
    pair.until_states(seconds(5), State::Completed);
    let give = |pair: &mut Pair| {
        let (source, destination) = (transmit.source, transmit.destination);
        let received = wire::Received { source, destination, bytes: &mut old.clone() };
        let now = pair.now;
        pair.sides[0].agent.handle_datagram(now, received)
    };
    assert_eq!(give(&mut pair), Ok(twocan_ice::Incoming::Stun));
    pair.run(seconds(20));
    assert_eq!(give(&mut pair), Ok(twocan_ice::Incoming::Stun));
    pair.run(seconds(20));
    assert_eq!(give(&mut pair), Err(twocan_ice::Fault::UnknownUfrag));
}
