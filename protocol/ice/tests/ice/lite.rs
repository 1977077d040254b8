//! Lite agents (RFC 8445 §2.5, §7.3.2, §8.2).

use stun::{Class, Message};
use twocan_ice::{Role, State};

use crate::nat::Flavour;
use crate::network::Conditions;
use crate::pair::{Pair, configs, ms, seconds};

fn pair(lite: [bool; 2], roles: [Role; 2]) -> Pair {
    let mut configs = configs(1, roles, false);
    for (config, lite) in configs.iter_mut().zip(lite) {
        config.lite = lite;
    }
    Pair::new(1, Conditions::delay(20), configs)
}

#[test]
fn a_full_agent_finds_a_lite_one_and_decides() {
    for loss_percent in [0, 20] {
        for role in [Role::Controlling, Role::Controlled] {
            let mut pair = pair([false, true], [role, role]);
            pair.network.conditions.loss_percent = loss_percent;
            pair.gather(0, Some(Flavour::Symmetric));
            pair.host(1, "192.0.2.1:1000");
            pair.gathered(1);
            pair.introduce();
            pair.until_states(seconds(20), State::Completed);
            assert!(pair.paths_meet());
            assert_eq!(pair.sides[0].agent.role(), Role::Controlling);
            assert_eq!(pair.sides[1].agent.role(), Role::Controlled);
            pair.run(seconds(120));
            assert!(pair.sides.iter().all(|side| side.agent.state() == State::Completed));
            let asked =
                |(.., bytes): &(_, _, Vec<u8>)| Message::parse(bytes).unwrap().class() == Class::Request;
            assert!(!pair.sides[1].sent.iter().any(asked), "a lite agent asks nothing");
        }
    }
}

#[test]
fn a_lite_agent_notices_silence() {
    let mut pair = pair([false, true], [Role::Controlling, Role::Controlled]);
    pair.host(0, "192.0.2.2:1000");
    pair.host(1, "192.0.2.1:1000");
    pair.gathered(0);
    pair.gathered(1);
    pair.introduce();
    let took = pair.until(seconds(1), "paths", Pair::have_paths);
    assert_eq!(took, ms(60), "the nomination goes out with the first answer");
    pair.until_states(seconds(1), State::Completed);
    pair.run(seconds(60));
    pair.network.dead.insert("192.0.2.2".parse().unwrap());
    pair.until_states(seconds(11), State::Disconnected);
    pair.until_states(seconds(40), State::Failed);
    assert_eq!(pair.sides[1].lost.len(), 1);
}

#[test]
fn two_lite_agents_take_their_only_pair() {
    let mut pair = pair([true, true], [Role::Controlling, Role::Controlled]);
    pair.host(0, "192.0.2.2:1000");
    pair.host(1, "192.0.2.1:1000");
    pair.introduce();
    pair.until_states(seconds(1), State::Completed);
    assert!(pair.have_paths());
    pair.run(seconds(100));
    assert!(pair.sides.iter().all(|side| side.agent.state() == State::Completed));
}
