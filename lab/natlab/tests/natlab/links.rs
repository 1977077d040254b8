//! The quality of a client's link: loss, rate, a cut cable, IPv6.

use crate::puppet::{Puppet, Server};
use twocan_natlab::{Home, Lab, Nat, SERVER_V6, skipped};

#[test]
fn a_lossy_link_loses_about_what_it_says() {
    if skipped("loss") {
        return;
    }
    let lab = Lab::new().client("ada", Nat::PortRestricted.loss_per_mille(300)).up().unwrap();
    let mut server = Server::of(&lab);
    let mut ada = Puppet::at(&lab, "ada");
    let socket = ada.udp(&format!("{}:5000", lab.address("ada")));
    for number in 0..1000 {
        ada.send(socket, server.first.address, &format!("packet {number}"));
    }
    ada.send_until(socket, server.first.address, &mut server.puppet, "end");
    let arrived = server.puppet.count("packet");
    // Ten standard deviations (of 14.5) about 700.
    assert!((555..=845).contains(&arrived), "{arrived} of 1000");
}

#[test]
fn a_slow_link_carries_only_its_rate() {
    if skipped("rate") {
        return;
    }
    let flood = |home: Home| {
        let lab = Lab::new().client("ada", home).up().unwrap();
        let mut server = Server::of(&lab);
        let mut ada = Puppet::at(&lab, "ada");
        let socket = ada.udp(&format!("{}:5000", lab.address("ada")));
        let padding = "x".repeat(1200);
        // As many as the receiver's buffer holds, should it be slow to read.
        for _ in 0..80 {
            ada.send(socket, server.first.address, &format!("packet {padding}"));
        }
        ada.send_until(socket, server.first.address, &mut server.puppet, "end");
        server.puppet.count("packet")
    };
    assert_eq!(flood(Nat::PortRestricted.into()), 80);
    // 64 kbit/s carry 80 such packets in 12 s, and hold 14 at once.
    let arrived = flood(Nat::PortRestricted.kilobits_per_second(64));
    assert!((1..40).contains(&arrived), "{arrived} of 80");
}

#[test]
fn a_cut_cable_is_silent_and_can_be_mended() {
    if skipped("cut links") {
        return;
    }
    let lab = Lab::new().client("ada", Nat::PortRestricted).client("bob", Nat::PortRestricted).up().unwrap();
    let mut server = Server::of(&lab);
    let (mut ada, mut bob) = (Puppet::at(&lab, "ada"), Puppet::at(&lab, "bob"));
    let socket = ada.udp(&format!("{}:5000", lab.address("ada")));
    let bob_socket = bob.udp(&format!("{}:5000", lab.address("bob")));

    let before = server.sees(&mut ada, socket, "before");
    lab.cut("ada").unwrap();
    ada.send(socket, server.first.address, "lost");
    server.sees(&mut bob, bob_socket, "bob is well");
    assert!(!server.puppet.has("lost"));
    lab.mend("ada").unwrap();
    assert_eq!(server.sees(&mut ada, socket, "after"), before, "the mapping outlives the cut");

    lab.unplug("ada").unwrap();
    ada.send(socket, server.first.address, "lost too");
    server.sees(&mut bob, bob_socket, "bob is still well");
    assert!(!server.puppet.has("lost too"));
    lab.plug("ada").unwrap();
    ada.send_until(socket, server.first.address, &mut server.puppet, "back");
}

#[test]
fn ipv6_is_global_and_guarded() {
    if skipped("IPv6") {
        return;
    }
    for (home, open) in [(Nat::None.ipv6(), true), (Nat::PortRestricted.ipv6(), false)] {
        let lab = Lab::new().client("ada", home.clone()).up().unwrap();
        let mut server = Server::of(&lab);
        let asked = server.puppet.udp(&format!("[{SERVER_V6}]:7001"));
        let stranger = server.puppet.udp(&format!("[{SERVER_V6}]:7002"));
        let mut ada = Puppet::at(&lab, "ada");
        let socket = ada.udp(&format!("[{}]:5000", lab.address_v6("ada").unwrap()));

        ada.send(socket, asked.address, "hello");
        assert_eq!(server.puppet.got("hello"), socket.address, "{home}: no translation");
        server.puppet.send(stranger, socket.address, "knock");
        server.puppet.send(asked, socket.address, "answer");
        ada.got("answer");
        assert_eq!(ada.has("knock"), open, "{home}");
    }
}

#[test]
fn no_address_comes_by_itself() {
    if skipped("addresses that come by themselves") {
        return;
    }
    let lab = Lab::new().client("ada", Nat::PortRestricted).client("bob", Nat::None.ipv6()).up().unwrap();
    let shown = |client| {
        let output = lab.command(client, "ip").args(["-o", "addr", "show", "dev", "eth0"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(shown("ada").lines().count(), 1, "{}", shown("ada"));
    assert!(!shown("bob").contains("tentative"), "{}", shown("bob"));
    // Whether the kernel would give one later, once the link has settled.
    let mode = lab.command("ada", "cat").arg("/proc/sys/net/ipv6/conf/eth0/addr_gen_mode").output().unwrap();
    assert_eq!(String::from_utf8(mode.stdout).unwrap().trim(), "1");
}
