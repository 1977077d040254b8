//! What a router refuses to forward.

use std::net::SocketAddr;

use crate::puppet::{Puppet, Server};
use twocan_natlab::{Home, Lab, Nat, SERVER, skipped};

#[test]
fn firewalls_refuse_what_they_say_before_every_nat() {
    if skipped("firewalls") {
        return;
    }
    let mut cases = Vec::new();
    for nat in [Nat::None, Nat::FullCone, Nat::AddressRestricted, Nat::PortRestricted, Nat::Symmetric] {
        //          firewall            UDP    TCP 3478
        cases.push((Home::from(nat), true, true));
        cases.push((nat.udp_blocked(), false, true));
        cases.push((nat.only_tcp_443(), false, false));
    }
    for (home, udp, tcp) in cases {
        let lab = Lab::new().client("ada", home.clone()).up().unwrap();
        let mut server = Server::of(&lab);
        let (turn, https): (SocketAddr, SocketAddr) = ((SERVER, 3478).into(), (SERVER, 443).into());
        server.puppet.listen(turn);
        server.puppet.listen(https);
        let mut ada = Puppet::at(&lab, "ada");
        let socket = ada.udp(&format!("{}:5000", lab.address("ada")));

        ada.send(socket, server.first.address, "hello");
        // The connection comes after the datagram on the same link.
        assert!(ada.connects(https), "{home}: TCP to 443");
        assert_eq!(ada.connects(turn), tcp, "{home}: TCP to 3478");
        if udp {
            server.puppet.got("hello");
        } else {
            assert!(!server.puppet.has("hello"), "{home}: a datagram came through");
        }
    }
}
