//! Every pair of NATs: the connection forms, directly where that can be, through a relay where it cannot.

use std::time::Duration;

use ice::Kind;
use netsim::{Home, Link, Nat};
use twocan_peer::ServerTransport;

use crate::world::{ADA, BOB, World};

const PATIENCE: Duration = Duration::from_secs(30);

/// Where a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Open,
    Behind(Nat),
    Blocked,
}

pub(crate) const PLACES: [Place; 6] = [
    Place::Open,
    Place::Behind(Nat::FULL_CONE),
    Place::Behind(Nat::ADDRESS_RESTRICTED),
    Place::Behind(Nat::PORT_RESTRICTED),
    Place::Behind(Nat::SYMMETRIC),
    Place::Blocked,
];

impl Place {
    pub(crate) fn home(self, end: usize) -> Home {
        let (public, private) = [("198.51.100.1", "10.0.1.2"), ("198.51.100.2", "10.0.2.2")][end];
        let home = match self {
            Self::Open => Home::public(public),
            Self::Behind(nat) => Home::behind(nat, public, private),
            Self::Blocked => Home::behind(Nat::PORT_RESTRICTED, public, private).udp_blocked(),
        };
        home.link(Link::of(Duration::from_millis(10)))
    }

    /// Whether someone outside gets in at an address that no longer fits what was sent.
    fn is_strict(self) -> bool {
        self == Self::Behind(Nat::PORT_RESTRICTED) || self == Self::Behind(Nat::SYMMETRIC)
    }
}

/// Whether two places can reach each other without help.
pub(crate) fn is_direct(one: Place, other: Place) -> bool {
    let symmetric = Place::Behind(Nat::SYMMETRIC);
    let hopeless = |one: Place, other: Place| one == symmetric && other.is_strict();
    ![one, other].contains(&Place::Blocked) && !hopeless(one, other) && !hopeless(other, one)
}

pub(crate) fn world(seed: u64, places: [Place; 2]) -> World {
    let mut world = World::new(seed, [places[0].home(0), places[1].home(1)]);
    world.serve("203.0.113.1");
    for end in [ADA, BOB] {
        let server = &world.servers[0];
        let servers = [server.stun(), server.turn(ServerTransport::Udp), server.turn(ServerTransport::Tcp)];
        world.ends[end].ice_servers = servers.into();
    }
    world
}

/// The kinds of candidate that both ends' selected pair has: ours and the peer's, for either.
pub(crate) fn kinds(world: &World) -> Vec<(Kind, Kind)> {
    let selected = world.ends.iter().filter_map(|end| end.peer.ice().selected());
    selected.map(|selected| (selected.local.kind, selected.remote.kind)).collect()
}

#[test]
fn every_pair_of_nats_is_crossed_in_the_shortest_way() {
    for one in PLACES {
        for other in PLACES {
            let mut world = world(3, [one, other]);
            let (ada, _) = world.channel("chat");
            let settled = |world: &World| {
                world.ends.iter().all(|end| end.peer.ice_connection_state() == ice::State::Completed)
            };
            world.until(PATIENCE, settled);
            let kinds = kinds(&world);
            let relayed = kinds.iter().any(|(local, remote)| [local, remote].contains(&&Kind::Relayed));
            assert_eq!(relayed, !is_direct(one, other), "{one:?} to {other:?}: {kinds:?}");
            let now = world.now;
            world.ends[ADA].peer.send_copy(now, ada, twocan_peer::Kind::String, b"hello").unwrap();
            world.until(PATIENCE, |world| world.ends[BOB].messages.len() == 1);
        }
    }
}
