//! Over the loopback interface, which carries multicast where it is told to.

use std::net::{IpAddr, Ipv4Addr};

use super::responder::{OwnName, Responder, fresh_name};
use super::resolve;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn name() -> Box<str> {
    let mut random = [0; 16];
    aws_lc_rs::rand::fill(&mut random).expect("randomness");
    fresh_name(random)
}

#[tokio::test]
async fn our_own_names_are_found() {
    let names = [name(), name()];
    let responder = Responder::start();
    for name in &names {
        responder.add(OwnName { name: name.clone(), address: LOCALHOST, interface: 1 });
    }
    for name in &names {
        assert_eq!(resolve(name).await, [LOCALHOST]);
    }
}
