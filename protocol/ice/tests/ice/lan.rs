//! Where nothing is in the way, a path takes a round trip and no timer (RFC 8445 §6.1.4.2).

use std::time::Duration;

use twocan_ice::{Kind, PairState, State};

use crate::network::Conditions;
use crate::pair::{Pair, Step, ms, seconds};

/// Both in one LAN, with so many addresses each; all known to both at once.
fn lan(delay: u64, addresses: usize) -> Pair {
    let mut pair = Pair::plain(1, Conditions::delay(delay));
    pair.network.places[1].lan = 0;
    for side in [0, 1] {
        for number in 0..addresses {
            pair.host(side, &format!("10.0.{number}.{}:1000", side + 1));
        }
        pair.gathered(side);
    }
    pair.introduce();
    pair
}

#[test]
fn a_path_takes_one_round_trip() {
    for delay in [0, 1, 50] {
        let mut pair = lan(delay, 1);
        let took = pair.until(seconds(1), "paths", Pair::have_paths);
        assert_eq!(took, ms(2 * delay));
        assert!(pair.paths_meet());
    }
}

#[test]
fn agreement_takes_another() {
    let mut pair = lan(10, 1);
    pair.until_states(seconds(1), State::Completed);
    let completed: Vec<_> = pair.sides.iter().map(|side| *side.states.last().unwrap()).collect();
    // That there are no more candidates was known after five delays; to agree takes a round trip.
    assert!(completed.iter().all(|(at, _)| *at <= ms(71)), "{completed:?}");
    for side in &pair.sides {
        let states: Vec<_> = side.states.iter().map(|(_, state)| *state).collect();
        assert_eq!(states, [State::Checking, State::Connected, State::Completed]);
        assert_eq!(side.selected.len(), 1, "the first pair was the best one");
        assert_eq!(side.kinds(), Some((Kind::Host, Kind::Host)));
    }
}

#[test]
fn many_addresses_do_not_delay_the_best_one() {
    let mut pair = lan(10, 6);
    let took = pair.until(seconds(1), "paths", Pair::have_paths);
    assert_eq!(took, ms(20));
    pair.until_states(seconds(1), State::Completed);
    assert!(pair.paths_meet());
}

#[test]
fn a_peer_that_learns_late_is_found_all_the_same() {
    // The answerer's description takes a second to reach the offerer, whose own came at once.
    let mut pair = Pair::plain(1, Conditions::delay(10));
    pair.network.places[1].lan = 0;
    pair.host(0, "10.0.0.1:1000");
    pair.host(1, "10.0.0.2:1000");
    let parameters =
        [0, 1].map(|side| twocan_ice::RemoteParameters::new(pair.sides[side].agent.credentials().clone()));
    let [ours, theirs] = parameters;
    pair.later(1, Duration::ZERO, Step::Remote(ours));
    pair.later(0, ms(1000), Step::Remote(theirs));
    // It answers checks before it knows whose they are, and checks back at once when it does.
    pair.until(ms(100), "the answerer's path", |pair| pair.sides[1].agent.path().is_some());
    assert!(pair.sides[0].agent.path().is_none());
    let took = pair.until(seconds(2), "paths", Pair::have_paths);
    assert_eq!(took + ms(20), ms(1020), "one round trip after the description");
}

#[test]
fn checks_are_paced() {
    let mut pair = lan(500, 8);
    pair.run(ms(300));
    let mut times: Vec<_> = pair.sides[0].sent.iter().map(|(at, ..)| at.as_millis()).collect();
    assert_eq!(times.len(), 8 * 8);
    assert_eq!(times.iter().filter(|at| **at == 0).count(), 5, "the first few at once");
    times.drain(..5);
    assert!(times.windows(2).all(|two| two[1] - two[0] == 5), "{times:?}");
}

#[test]
fn a_reflexive_candidate_adds_no_pair() {
    let mut pair = Pair::plain(1, Conditions::delay(10));
    pair.gather(0, Some(crate::nat::Flavour::FullCone));
    pair.gather(1, Some(crate::nat::Flavour::FullCone));
    pair.introduce();
    pair.run(ms(200));
    // From host and relay, each to host, reflexive and relayed.
    let ends = |side: usize| {
        let mut ends: Vec<_> =
            pair.sides[side].agent.pairs().map(|pair| (pair.path.local, pair.path.remote)).collect();
        ends.sort();
        let count = ends.len();
        ends.dedup();
        assert_eq!(ends.len(), count, "no two pairs are alike");
        count
    };
    assert_eq!((ends(0), ends(1)), (6, 6));
    assert!(pair.sides[0].agent.pairs().any(|pair| pair.state == PairState::Succeeded));
}
