//! Which address and port a client's datagrams come from (RFC 4787 §4.1).

use crate::puppet::{Puppet, Server};
use twocan_natlab::{Lab, Nat, skipped};

#[test]
fn each_flavour_maps_as_it_says() {
    if skipped("NAT mapping") {
        return;
    }
    //  flavour                 translates  same for every destination
    for (nat, translates, same) in [
        (Nat::None, false, true),
        (Nat::FullCone, true, true),
        (Nat::AddressRestricted, true, true),
        (Nat::PortRestricted, true, true),
        (Nat::Symmetric, true, false),
    ] {
        let lab = Lab::new().client("ada", nat).up().unwrap();
        let mut server = Server::of(&lab);
        let mut ada = Puppet::at(&lab, "ada");
        let socket = ada.udp(&format!("{}:5000", lab.address("ada")));

        let seen =
            [("a", server.first), ("b", server.other_port), ("c", server.other_address)].map(|(text, to)| {
                ada.send(socket, to.address, text);
                server.puppet.got(text)
            });
        assert_eq!(seen[0] != socket.address, translates, "{nat}: {seen:?}");
        assert_eq!(seen.iter().all(|address| *address == seen[0]), same, "{nat}: {seen:?}");
        assert!(seen.iter().all(|address| address.ip() == seen[0].ip()), "{nat}: {seen:?}");
    }
}

#[test]
fn an_unsolicited_packet_does_not_spoil_the_mapping() {
    if skipped("NAT mapping after unsolicited packets") {
        return;
    }
    for nat in [Nat::FullCone, Nat::AddressRestricted, Nat::PortRestricted] {
        let lab = Lab::new().client("ada", nat).up().unwrap();
        let mut server = Server::of(&lab);
        let mut ada = Puppet::at(&lab, "ada");
        let socket = ada.udp(&format!("{}:5000", lab.address("ada")));

        let mapped = server.sees(&mut ada, socket, "here I am");
        for (knocking, text) in [(server.other_port, "knock b"), (server.other_address, "knock c")] {
            server.puppet.send(knocking, mapped, text);
        }
        server.puppet.send(server.first, mapped, "answer");
        ada.got("answer");
        for (to, text) in [(server.other_port, "to b"), (server.other_address, "to c")] {
            ada.send(socket, to.address, text);
            assert_eq!(server.puppet.got(text), mapped, "{nat}");
        }
    }
}
