//! Over the loopback interface, which carries multicast where it is told to.

use std::net::{IpAddr, Ipv4Addr};

use super::responder::{OwnName, Responder, fresh_name};
use super::{GROUP_V4, PORT, group, message, resolve};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn name() -> Box<str> {
    let mut random = [0; 16];
    aws_lc_rs::rand::fill(&mut random).expect("randomness");
    fresh_name(random)
}

/// As Chromium does it, whatever the query asks for.
#[tokio::test]
async fn an_answer_to_everybody_is_heard() {
    let (name, socket) = (name(), group::open_v4().expect("the port can be shared"));
    group::join_v4(&socket, Ipv4Addr::LOCALHOST).expect("multicast");
    socket2::SockRef::from(&socket).set_multicast_if_v4(&Ipv4Addr::LOCALHOST).expect("multicast");
    let own = name.clone();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, _)) = socket.recv_from(&mut buffer).await {
            if message::reply(&buffer[..length], &own, OTHER, false).is_some() {
                let answer = message::announcement(&own, OTHER, message::TTL).expect("a name");
                socket.send_to(&answer, (GROUP_V4, PORT)).await.expect("sent");
            }
        }
    });
    assert_eq!(resolve(&name).await, [OTHER]);
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
