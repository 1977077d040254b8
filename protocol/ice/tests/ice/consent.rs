//! What happens once there is a path: consent (RFC 7675), loss of it, other paths, keepalives (RFC 8445 §11).

use std::time::Duration;

use stun::{Class, Message};
use twocan_ice::{Config, Kind, PairState, Role, State};

use crate::nat::Flavour;
use crate::network::Conditions;
use crate::pair::{Pair, configs, ms, seconds};
use crate::rolls::Rolls;

/// Two hosts in the open, with so many addresses each, connected.
fn connected(addresses: usize, configs: [Config; 2]) -> Pair {
    let mut pair = unconnected(addresses, configs);
    pair.introduce();
    pair.until_states(seconds(5), State::Completed);
    pair
}

fn unconnected(addresses: usize, configs: [Config; 2]) -> Pair {
    let mut pair = Pair::new(1, Conditions::delay(20), configs);
    for side in [0, 1] {
        for number in 0..addresses {
            pair.host(side, &format!("192.0.{}.{number}:1000", side + 2));
        }
        pair.gathered(side);
    }
    pair
}

fn plain(addresses: usize) -> Pair {
    connected(addresses, configs(1, [Role::Controlling, Role::Controlled], false))
}

fn cut(pair: &mut Pair, side: usize, number: usize) {
    pair.network.dead.insert(format!("192.0.{}.{number}", side + 2).parse().unwrap());
}

/// When which class of message was sent by a side, since a moment.
fn times(pair: &Pair, side: usize, since: Duration, class: Class) -> Vec<Duration> {
    let sent = pair.sides[side].sent.iter().filter(|(at, ..)| *at >= since);
    sent.filter(|(.., bytes)| Message::parse(bytes).unwrap().class() == class).map(|(at, ..)| *at).collect()
}

#[test]
fn consent_is_asked_for_every_four_to_six_seconds() {
    let mut pair = plain(1);
    let from = pair.elapsed();
    pair.run(seconds(600));
    for side in [0, 1] {
        let times = times(&pair, side, from, Class::Request);
        assert!((100..=150).contains(&times.len()), "{}", times.len());
        let gaps: Vec<_> = times.windows(2).map(|two| two[1] - two[0]).collect();
        assert!(gaps.iter().all(|gap| (seconds(4)..=seconds(6)).contains(gap)), "{gaps:?}");
        assert!(gaps.iter().max() > gaps.iter().min(), "each differs");
        let mut ids: Vec<_> = pair.sides[side].sent.iter().map(|(.., bytes)| &bytes[8..20]).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(pair.sides[side].agent.state(), State::Completed);
        let stats = pair.sides[side].agent.pairs().next().unwrap().stats;
        assert_eq!(stats.consent_requests_sent, times.len() as u64);
        assert_eq!(stats.responses_received, stats.requests_sent + stats.consent_requests_sent);
        assert_eq!(stats.current_round_trip, Some(ms(40)));
        assert_eq!(stats.total_round_trip, ms(40) * stats.round_trips as u32);
    }
}

#[test]
fn a_peer_that_is_gone_is_disconnected_in_seconds_and_lost_after_thirty() {
    for seed in 0..50 {
        let mut pair = connected(1, configs(seed, [Role::Controlling, Role::Controlled], seed % 2 == 0));
        pair.run(ms(Rolls::new(seed).below(20_000)));
        let answered = pair.elapsed();
        cut(&mut pair, 1, 0);
        let took = pair.until_states(seconds(20), State::Disconnected);
        assert!((seconds(2)..=seconds(9)).contains(&took), "seed {seed}: {took:?}");
        assert!(pair.have_paths(), "consent has not ended");
        pair.until_states(seconds(60), State::Failed);
        for side in &mut pair.sides {
            // The last answer came up to six seconds before the cut.
            let lost = side.lost[0] - answered;
            assert!((seconds(23)..=seconds(31)).contains(&lost), "seed {seed}: {lost:?}");
            assert_eq!(side.agent.path(), None);
            let ends: Vec<_> = side.states.iter().map(|(_, state)| *state).rev().take(2).collect();
            assert_eq!(ends, [State::Failed, State::Disconnected], "seed {seed}: {:?}", side.states);
            assert_eq!(side.agent.poll_timeout(), None);
        }
    }
}

#[test]
fn a_peer_that_comes_back_in_time_is_connected_again() {
    let mut pair = plain(1);
    cut(&mut pair, 1, 0);
    pair.until_states(seconds(20), State::Disconnected);
    pair.run(seconds(5));
    pair.network.dead.clear();
    pair.until_states(seconds(20), State::Completed);
    assert!(pair.sides.iter().all(|side| side.lost.is_empty() && side.selected.len() == 1));
    pair.run(seconds(120));
    assert!(pair.sides.iter().all(|side| side.agent.state() == State::Completed));
}

#[test]
fn one_lost_answer_is_no_disconnection() {
    let mut pair = plain(1);
    pair.network.conditions.loss_percent = 5;
    pair.run(seconds(1200));
    for side in &pair.sides {
        assert!(!side.states.iter().any(|(_, state)| *state == State::Disconnected), "{:?}", side.states);
        let unanswered = side.agent.pairs().next().unwrap().stats;
        let asked = unanswered.requests_sent + unanswered.consent_requests_sent;
        assert!(unanswered.responses_received + 10 < asked, "many were lost");
    }
}

#[test]
fn when_the_selected_pair_dies_another_takes_its_place() {
    for renomination in [false, true] {
        for seed in 0..100 {
            let roles = [Role::Controlling, Role::Controlled];
            let mut pair = unconnected(2, configs(seed, roles, renomination));
            pair.sides.iter_mut().for_each(|side| side.ice2 = seed % 2 == 0);
            pair.introduce();
            pair.until_states(seconds(5), State::Completed);
            pair.run(ms(Rolls::new(seed).below(60_000)));
            let before = pair.sides[0].agent.path().unwrap();
            pair.network.dead.insert(before.remote.ip());
            let took = pair.until(seconds(20), "another path", |pair| {
                pair.sides.iter().all(|side| {
                    side.agent.path().is_some_and(|path| {
                        path.remote.ip() != before.remote.ip() && path.local.ip() != before.remote.ip()
                    })
                })
            });
            assert!(took <= seconds(12), "seed {seed}: {took:?}");
            pair.until_states(seconds(10), State::Completed);
            pair.run(seconds(100));
            assert!(pair.paths_meet(), "seed {seed}");
            assert!(pair.sides.iter().all(|side| side.lost.is_empty()), "data always had a path");
            assert_eq!(pair.sides[0].agent.state(), State::Completed);
        }
    }
}

#[test]
fn an_interface_that_goes_away_is_left_at_once() {
    // After a minute nobody knows whether the other pairs still work.
    for since in [seconds(0), seconds(60)] {
        let mut pair = plain(2);
        pair.run(since);
        let before = pair.sides[0].agent.path().unwrap();
        pair.network.dead.insert(before.local.ip());
        let now = pair.now;
        pair.sides[0].agent.remove_local(now, before.local);
        let took = pair.until(seconds(5), "another path", |pair| {
            pair.sides[0].agent.path().is_some_and(|path| path.local != before.local)
        });
        assert!(took <= ms(40), "{took:?}");
        pair.run(seconds(1));
        assert!(pair.paths_meet());
        assert!(pair.sides.iter().all(|side| side.agent.state() == State::Completed));
        let mut locals = pair.sides[0].agent.local_candidates();
        assert!(locals.find(|local| local.address == before.local).unwrap().removed);
    }
}

/// W3C webrtc-pc §5.6.4: "losing the network interface for the connection in use" is a disconnection.
#[test]
fn without_any_interface_a_new_one_is_waited_for_as_long_as_for_a_silent_peer() {
    for since in [seconds(0), seconds(60)] {
        for comes in [true, false] {
            let mut pair = plain(1);
            pair.run(since);
            let before = pair.sides[0].agent.path().unwrap();
            pair.network.dead.insert(before.local.ip());
            let now = pair.now;
            pair.sides[0].agent.remove_local(now, before.local);
            pair.run(ms(1));
            assert_eq!(pair.sides[0].agent.state(), State::Disconnected);
            pair.run(seconds(15));
            assert_eq!(pair.sides[0].agent.state(), State::Disconnected);
            if comes {
                pair.host(0, "192.0.2.99:1000");
                pair.until(seconds(5), "a path", Pair::have_paths);
                pair.run(seconds(30));
                assert!(pair.paths_meet());
                assert!(pair.sides.iter().all(|side| side.agent.state() == State::Completed));
            } else {
                let took =
                    pair.until(seconds(60), "failure", |pair| pair.sides[0].agent.state() == State::Failed);
                assert!((seconds(14)..seconds(16)).contains(&took), "{took:?}");
            }
        }
    }
}

#[test]
fn a_router_that_was_restarted_is_found_again() {
    // Its bindings are gone: the peer's checks must come from a new address.
    for seed in 0..10 {
        let mut pair = Pair::plain(seed, Conditions::delay(20));
        pair.gather(0, Some(Flavour::PortRestricted));
        pair.gather(1, None);
        pair.introduce();
        pair.until_states(seconds(5), State::Completed);
        pair.network.places[0].nat.as_mut().unwrap().reboot();
        pair.run(seconds(60));
        assert!(pair.paths_meet(), "seed {seed}");
        assert_eq!(pair.sides[1].kinds().map(|kinds| kinds.1), Some(Kind::PeerReflexive));
        assert!(pair.sides.iter().all(|side| side.agent.state() == State::Completed), "seed {seed}");
    }
}

#[test]
fn without_consent_the_way_is_kept_open() {
    let mut both = configs(1, [Role::Controlling, Role::Controlled], false);
    both.iter_mut().for_each(|config| config.consent = false);
    let mut pair = connected(1, both);
    let from = pair.elapsed();
    pair.run(seconds(300));
    for side in [0, 1] {
        assert_eq!(times(&pair, side, from, Class::Request), []);
        let times = times(&pair, side, from, Class::Indication);
        assert!((300 / 18..=300 / 12).contains(&times.len()), "{times:?}");
    }
}

#[test]
fn a_better_path_that_appears_later_is_taken_by_renomination_only() {
    for renomination in [false, true] {
        let roles = [Role::Controlling, Role::Controlled];
        let mut pair = Pair::new(1, Conditions::delay(20), configs(1, roles, renomination));
        // First only relays; the hosts come when those have been agreed on.
        for side in [0, 1] {
            pair.relay(side);
        }
        pair.introduce();
        pair.run(seconds(5));
        assert_eq!(pair.sides[0].kinds(), Some((Kind::Relayed, Kind::Relayed)));
        assert_eq!(pair.sides[0].agent.state(), State::Connected, "more candidates may come");
        for side in [0, 1] {
            pair.host(side, &format!("192.0.2.{}:1000", side + 1));
            pair.gathered(side);
        }
        pair.run(seconds(5));
        let kind = if renomination { Kind::Host } else { Kind::Relayed };
        for side in [0, 1] {
            assert_eq!(pair.sides[side].kinds(), Some((kind, kind)), "{renomination}");
            assert_eq!(pair.sides[side].agent.state(), State::Completed);
            let nominated = pair.sides[side].agent.pairs().filter(|pair| pair.nominated);
            assert_eq!(nominated.map(|pair| pair.state).collect::<Vec<_>>(), [PairState::Succeeded]);
        }
        assert!(pair.paths_meet());
    }
}
