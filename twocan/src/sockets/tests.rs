use std::time::Duration;

use super::*;

const DEADLINE: Duration = Duration::from_secs(30);

fn sockets(configuration: Configuration) -> Sockets {
    let only = AddressFilter::new(|_, ip| ip.is_loopback());
    let configuration = Configuration { include_loopback: true, address_filter: Some(only), ..configuration };
    Sockets::open(&configuration).expect("sockets")
}

fn ipv4(sockets: &Sockets) -> &Socket {
    sockets.sockets.iter().find(|socket| socket.local.is_ipv4()).expect("127.0.0.1")
}

async fn send(socket: &Socket, transmit: &wire::Transmit, contents: &[u8]) {
    let left = socket.send(transmit, contents);
    if left > 0 {
        socket.send_rest(transmit, &contents[contents.len() - left..]).await;
    }
}

/// How many datagrams of this size arrive, until there are enough.
async fn count(sockets: &mut Sockets, size: usize, enough: usize) -> usize {
    let mut arrived = 0;
    let reading = async {
        while arrived < enough {
            let index = std::future::poll_fn(|context| sockets.poll_readable(context)).await;
            sockets.receive(index, |_, _, stride, bytes| {
                arrived += bytes.chunks(stride).filter(|bytes| bytes.len() == size).count();
            });
        }
    };
    // Less than enough is for the caller to see.
    let _ = tokio::time::timeout(DEADLINE, reading).await;
    arrived
}

#[tokio::test]
async fn what_the_kernel_does_not_segment_is_sent_one_by_one() {
    const SIZE: usize = 50;
    const COUNT: usize = 600;
    let (from, mut to) = (sockets(Configuration::default()), sockets(Configuration::default()));
    let socket = ipv4(&from);
    // More than any kernel takes at once: it answers EINVAL, as it does for a driver without checksum offload.
    socket.most_segments.store(COUNT, Ordering::Relaxed);
    let destination = ipv4(&to).local;
    let transmit = wire::Transmit { source: socket.local, destination, segment_size: Some(SIZE) };
    send(socket, &transmit, &[7; SIZE * COUNT]).await;
    assert_eq!(count(&mut to, SIZE, COUNT).await, COUNT);
    assert_eq!(socket.most_segments.load(Ordering::Relaxed), 1, "it is not tried again");
}

#[tokio::test]
async fn ports_stay_within_their_range() {
    let ports = 47_000..=47_063;
    let one = sockets(Configuration { ports: Some(ports.clone()), ..Configuration::default() });
    let other = sockets(Configuration { ports: Some(ports.clone()), ..Configuration::default() });
    for (address, _) in one.addresses().chain(other.addresses()) {
        assert!(ports.contains(&address.port()), "{address}");
    }
    assert_ne!(ipv4(&one).local, ipv4(&other).local);
}

#[tokio::test]
async fn a_flooded_socket_leaves_the_others_their_turns() {
    let (from, mut to) = (sockets(Configuration::default()), sockets(Configuration::default()));
    // A second one on the same address: machines without IPv6 have one of loopback only.
    let second = Socket::bind(ipv4(&to).local.ip(), 0, &to.options).expect("a socket");
    let first = Arc::new(Socket::bind(ipv4(&to).local.ip(), 0, &to.options).expect("a socket"));
    to.sockets = vec![first, Arc::new(second)];
    for (destination, _) in to.addresses().collect::<Vec<_>>() {
        let transmit = wire::Transmit { source: ipv4(&from).local, destination, segment_size: None };
        send(ipv4(&from), &transmit, &[7; 100]).await;
    }
    // Nothing is read: both go on having something.
    let turns = async {
        let mut seen = [0; 2];
        while seen.iter().any(|count| *count < 3) {
            seen[std::future::poll_fn(|context| to.poll_readable(context)).await] += 1;
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, turns).await.expect("each has its turn");
}
