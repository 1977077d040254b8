//! Whether two who are behind the same NAT can meet at its outside (RFC 4787 §6), at home and at a carrier.

use crate::puppet::{Puppet, Server};
use twocan_natlab::{Carrier, Home, Lab, Nat, skipped};

#[test]
fn one_home() {
    if skipped("hairpin at home") {
        return;
    }
    for (home, hairpin) in [(Home::from(Nat::FullCone), false), (Nat::FullCone.hairpin(), true)] {
        let lab = Lab::new().client("ada", home).up().unwrap();
        let mut server = Server::of(&lab);
        let mut ada = Puppet::at(&lab, "ada");
        let sockets = [5000, 5001].map(|port| ada.udp(&format!("{}:{port}", lab.address("ada"))));
        let [first, second] = ["one", "two"];
        let first_seen = server.sees(&mut ada, sockets[0], first);
        let second_seen = server.sees(&mut ada, sockets[1], second);

        ada.send(sockets[0], second_seen, "around");
        server.puppet.send(server.first, second_seen, "mark");
        ada.got("mark");
        if hairpin {
            assert_eq!(ada.got("around"), first_seen, "it seems to come from outside");
        } else {
            assert!(!ada.has("around"));
        }
    }
}

#[test]
fn two_homes_behind_one_carrier() {
    if skipped("hairpin at a carrier") {
        return;
    }
    for (carrier, hairpin) in [(Carrier::NoHairpin, false), (Carrier::Hairpin, true)] {
        let lab = Lab::new()
            .carrier("isp", carrier)
            .client("ada", Nat::PortRestricted.behind("isp"))
            .client("bob", Nat::PortRestricted.behind("isp"))
            .up()
            .unwrap();
        let mut server = Server::of(&lab);
        let (mut ada, mut bob) = (Puppet::at(&lab, "ada"), Puppet::at(&lab, "bob"));
        // The same port in both homes: the carrier must tell them apart.
        let ada_socket = ada.udp(&format!("{}:5000", lab.address("ada")));
        let bob_socket = bob.udp(&format!("{}:5000", lab.address("bob")));
        let ada_seen = server.sees(&mut ada, ada_socket, "ada");
        let bob_seen = server.sees(&mut bob, bob_socket, "bob");
        assert_eq!(ada_seen.ip(), bob_seen.ip(), "one carrier, one address");
        assert_ne!(ada_seen.port(), bob_seen.port());

        ada.send(ada_socket, bob_seen, "opens the hole");
        bob.send(bob_socket, ada_seen, "hello");
        server.puppet.send(server.first, ada_seen, "mark");
        ada.got("mark");
        if hairpin {
            assert_eq!(ada.got("hello"), bob_seen);
            ada.send(ada_socket, bob_seen, "hello yourself");
            assert_eq!(bob.got("hello yourself"), ada_seen);
        } else {
            assert!(!ada.has("hello"));
        }
    }
}
