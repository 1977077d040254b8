//! What must hold whatever the network does: over many seeds, each of which says what it was.

use std::time::Duration;

use twocan_ice::{Role, State};

use crate::nat::Flavour;
use crate::network::Conditions;
use crate::pair::{Pair, configs, ms, seconds};
use crate::rolls::Rolls;

fn flavour(rolls: &mut Rolls) -> Option<Flavour> {
    let all = [Flavour::FullCone, Flavour::AddressRestricted, Flavour::PortRestricted, Flavour::Symmetric];
    all.get(rolls.below(5) as usize).copied()
}

/// A pair whose roles, NATs, network and signaling come from the seed.
pub(crate) fn roll(seed: u64) -> Pair {
    let mut rolls = Rolls::new(seed);
    let mut role = || if rolls.chance(50) { Role::Controlling } else { Role::Controlled };
    let roles = [role(), role()];
    let conditions = Conditions {
        delay: ms(rolls.below(150)),
        jitter: ms(rolls.below(60)),
        loss_percent: rolls.below(4) * 7,
    };
    let mut pair = Pair::new(seed, conditions, configs(seed, roles, rolls.chance(50)));
    pair.shuffled = rolls.chance(50);
    pair.signaling = ms(rolls.below(300));
    for side in [0, 1] {
        let flavour = flavour(&mut rolls);
        pair.gather(side, flavour);
    }
    pair.introduce();
    pair
}

#[test]
fn both_sides_end_with_the_same_pair_and_opposite_roles() {
    for seed in 0..400 {
        let mut pair = roll(seed);
        pair.until(seconds(30), &format!("seed {seed}: completed on one path"), |pair| {
            pair.sides.iter().all(|side| side.agent.state() == State::Completed)
        });
        // Nothing changes any more, but for what a renomination may still improve.
        pair.network.conditions.loss_percent = 0;
        pair.run(seconds(60));
        assert!(pair.paths_meet(), "seed {seed}");
        let roles = pair.sides.each_ref().map(|side| side.agent.role());
        assert_ne!(roles[0], roles[1], "seed {seed}");
        for side in &pair.sides {
            assert_eq!(side.agent.state(), State::Completed, "seed {seed}: {:?}", side.states);
            assert_eq!(side.agent.pairs().filter(|pair| pair.nominated).count(), 1, "seed {seed}");
            let nominated = side.agent.pairs().find(|pair| pair.nominated).unwrap();
            assert_eq!(Some(nominated.path), side.agent.path(), "seed {seed}");
            assert!(side.lost.is_empty(), "seed {seed}");
            assert!(side.roles.len() <= 1, "seed {seed}: roles changed {:?}", side.roles);
        }
    }
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    let run = || {
        let mut pair = roll(17);
        pair.run(seconds(40));
        pair.sides.map(|side| side.sent)
    };
    assert!(run() == run());
}

#[test]
fn those_who_cannot_meet_fail_when_patience_ends_and_not_before() {
    for seed in 0..20 {
        let mut pair = Pair::plain(seed, Conditions::delay(10));
        pair.host(0, "10.0.0.1:1000");
        pair.host(1, "10.0.1.1:1000");
        pair.gathered(0);
        pair.gathered(1);
        pair.introduce();
        let took = pair.until_states(seconds(60), State::Failed);
        assert!(took >= Duration::from_millis(39_500), "{took:?}");
        for side in &mut pair.sides {
            let states: Vec<_> = side.states.iter().map(|(_, state)| *state).collect();
            assert_eq!(states, [State::Checking, State::Failed]);
            assert_eq!(side.agent.poll_timeout(), None, "a failed agent waits for nothing");
        }
    }
}

/// The second has a candidate, and does not tell.
fn hidden() -> Pair {
    let mut pair = Pair::plain(5, Conditions::delay(10));
    pair.host(0, "192.0.2.1:1000");
    pair.gathered(0);
    let socket = "192.0.2.2:1000".parse().unwrap();
    pair.network.places[1].addresses.push("192.0.2.2".parse().unwrap());
    let now = pair.now;
    let hidden = twocan_ice::LocalCandidate::host(socket);
    pair.sides[1].agent.add_local(now, hidden).unwrap();
    pair.introduce();
    pair
}

#[test]
fn a_peer_without_candidates_is_found_by_its_checks() {
    // RFC 8863 §3.1.
    let mut pair = hidden();
    pair.gathered(1);
    pair.until_states(seconds(2), State::Completed);
    assert_eq!(pair.sides[0].kinds().map(|kinds| kinds.1), Some(twocan_ice::Kind::PeerReflexive));
    assert!(pair.paths_meet());
}

/// RFC 8445 §7.3.1.3.
#[test]
fn a_path_is_told_again_once_it_is_known_what_it_leads_to() {
    let mut pair = hidden();
    pair.run(ms(500));
    let [told] = &pair.sides[0].selected[..] else { panic!("one path") };
    let told = told.1.clone();
    assert_eq!(told.remote.kind, twocan_ice::Kind::PeerReflexive);
    // A second time there is nothing new.
    for _ in 0..2 {
        let candidate = "candidate:1 1 udp 41885439 192.0.2.2 1000 typ relay raddr 0.0.0.0 rport 0";
        pair.sides[0].agent.add_remote(pair.now, candidate.parse().unwrap()).unwrap();
        pair.run(ms(1));
    }
    let [_, again] = &pair.sides[0].selected[..] else { panic!("told once more") };
    assert_eq!((again.1.pair, again.1.path), (told.pair, told.path));
    assert_eq!(again.1.remote.kind, twocan_ice::Kind::Relayed);
}
