//! Which way two peers find behind each pair of NATs.

use twocan_ice::{Kind, State};

use crate::nat::Flavour::{self, AddressRestricted, FullCone, PortRestricted, Symmetric};
use crate::network::Conditions;
use crate::pair::{Pair, seconds};

fn connect(flavours: [Option<Flavour>; 2]) -> Pair {
    let mut pair = Pair::plain(3, Conditions::delay(20));
    for (side, flavour) in flavours.into_iter().enumerate() {
        pair.gather(side, flavour);
    }
    pair.introduce();
    pair.until(seconds(1), "paths", Pair::have_paths);
    pair.until_states(seconds(10), State::Completed);
    assert!(pair.paths_meet(), "{flavours:?}");
    pair
}

#[test]
fn every_pair_of_nats_gets_the_best_path_that_it_allows() {
    use Kind::{Host, PeerReflexive as Prflx, Relayed as Relay, ServerReflexive as Srflx};
    let (direct, relay) = (false, true);
    let table = [
        (None, None, direct),
        (None, Some(FullCone), direct),
        (None, Some(Symmetric), direct),
        (Some(FullCone), Some(FullCone), direct),
        (Some(FullCone), Some(PortRestricted), direct),
        (Some(AddressRestricted), Some(AddressRestricted), direct),
        (Some(PortRestricted), Some(PortRestricted), direct),
        (Some(FullCone), Some(Symmetric), direct),
        (Some(AddressRestricted), Some(Symmetric), direct),
        (Some(PortRestricted), Some(Symmetric), relay),
        (Some(Symmetric), Some(Symmetric), relay),
    ];
    let expected = |flavour| match flavour {
        None => Host,
        // It is another address for each peer, which only the peer sees.
        Some(Symmetric) => Prflx,
        Some(_) => Srflx,
    };
    for (one, other, relayed) in table {
        for (one, other) in [(one, other), (other, one)] {
            let pair = connect([one, other]);
            for (side, ours, theirs) in [(0, one, other), (1, other, one)] {
                let (local, remote) = pair.sides[side].kinds().unwrap();
                if relayed {
                    assert!([local, remote].contains(&Relay), "{one:?} {other:?}: {local:?} {remote:?}");
                } else {
                    assert_eq!(
                        (local, remote),
                        (expected(ours), expected(theirs)),
                        "{one:?} {other:?}, side {side}"
                    );
                }
            }
        }
    }
}

#[test]
fn without_hairpin_two_behind_one_nat_meet_in_their_lan() {
    let mut pair = Pair::plain(3, Conditions::delay(20));
    pair.network.places[1].lan = 0;
    pair.gather(0, Some(PortRestricted));
    pair.gather(1, Some(PortRestricted));
    pair.introduce();
    pair.until_states(seconds(10), State::Completed);
    assert_eq!(pair.sides[0].kinds(), Some((Kind::Host, Kind::Host)));
}

#[test]
fn where_udp_is_blocked_the_relay_carries() {
    let mut pair = Pair::plain(3, Conditions::delay(20));
    pair.gather(0, Some(PortRestricted));
    pair.gather(1, Some(FullCone));
    pair.network.places[0].udp_blocked = true;
    pair.introduce();
    pair.until_states(seconds(10), State::Completed);
    assert_eq!(pair.sides[0].kinds().map(|kinds| kinds.0), Some(Kind::Relayed));
    assert!(pair.paths_meet());
}
