//! Whose datagrams come in (RFC 4787 §5), and hole punching, which follows from it.

use crate::puppet::{Puppet, Server};
use twocan_natlab::{Lab, Nat, skipped};

#[test]
fn each_flavour_filters_as_it_says() {
    if skipped("NAT filtering") {
        return;
    }
    //  flavour                 from another port, from another address
    for (nat, other_port, other_address) in [
        (Nat::None, true, true),
        (Nat::FullCone, true, true),
        (Nat::AddressRestricted, true, false),
        (Nat::PortRestricted, false, false),
        (Nat::Symmetric, false, false),
    ] {
        let lab = Lab::new().client("ada", nat).up().unwrap();
        let mut server = Server::of(&lab);
        let mut ada = Puppet::at(&lab, "ada");
        let socket = ada.udp(&format!("{}:5000", lab.address("ada")));

        let mapped = server.sees(&mut ada, socket, "here I am");
        server.puppet.send(server.other_port, mapped, "other port");
        server.puppet.send(server.other_address, mapped, "other address");
        server.puppet.send(server.first, mapped, "answer");
        // Sent last over the same link: what has not come by then was dropped.
        assert_eq!(ada.got("answer"), server.first.address, "{nat}");
        assert_eq!(ada.has("other port"), other_port, "{nat}, another port");
        assert_eq!(ada.has("other address"), other_address, "{nat}, another address");
    }
}

#[test]
fn two_cones_punch_holes_and_a_symmetric_nat_meets_only_the_address_restricted() {
    if skipped("NAT hole punching") {
        return;
    }
    for (left, right, meet) in [
        (Nat::PortRestricted, Nat::PortRestricted, true),
        (Nat::FullCone, Nat::PortRestricted, true),
        (Nat::AddressRestricted, Nat::Symmetric, true),
        (Nat::PortRestricted, Nat::Symmetric, false),
    ] {
        let lab = Lab::new().client("ada", left).client("bob", right).up().unwrap();
        let mut server = Server::of(&lab);
        let (mut ada, mut bob) = (Puppet::at(&lab, "ada"), Puppet::at(&lab, "bob"));
        let ada_socket = ada.udp(&format!("{}:5000", lab.address("ada")));
        let bob_socket = bob.udp(&format!("{}:6000", lab.address("bob")));
        let ada_seen = server.sees(&mut ada, ada_socket, "ada");
        let bob_seen = server.sees(&mut bob, bob_socket, "bob");

        ada.send(ada_socket, bob_seen, "opens the hole");
        bob.send(bob_socket, ada_seen, "hello");
        // A datagram that is certain to arrive, as a mark in time.
        server.puppet.send(server.first, ada_seen, "mark");
        ada.got("mark");
        if meet {
            // A symmetric NAT shows another port than the server saw: peer reflexive.
            let from = ada.got("hello");
            ada.send(ada_socket, from, "hello yourself");
            bob.got("hello yourself");
        } else {
            assert!(!ada.has("hello"), "{left} let a datagram of {right} in");
        }
    }
}
