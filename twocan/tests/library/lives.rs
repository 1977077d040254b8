//! Connections come and go and leave nothing behind.

use twocan::{AddressFilter, Configuration, Message};

use crate::pair::Pair;

/// How many of each kind; `TWOCAN_LIVES=1000` for a long run.
fn lives() -> usize {
    std::env::var("TWOCAN_LIVES").ok().and_then(|count| count.parse().ok()).unwrap_or(10)
}

fn local() -> Configuration {
    let local = AddressFilter::new(|_, ip| ip.is_loopback());
    Configuration { include_loopback: true, address_filter: Some(local), ..Configuration::default() }
}

/// Open descriptors of this process that are sockets on this port: what else runs here has others.
fn is_open(port: u16) -> bool {
    let hex = format!(":{port:04X} ");
    ["udp", "udp6"].iter().any(|table| {
        let table = std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
        table
            .lines()
            .any(|line| line.split_whitespace().nth(1).is_some_and(|at| at.ends_with(hex.trim_end())))
    })
}

/// Resident memory of this process, in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

async fn live(is_closed: bool) -> u16 {
    let mut pair = Pair::new(local()).await;
    pair.ours.send(vec![1; 10_000]).await.expect("open");
    assert_eq!(pair.theirs.recv().await.map(|message| message.len()), Some(10_000));
    let port = pair.ada.selected_candidate_pair().expect("connected").local.address.port();
    if is_closed {
        pair.ours.close();
        pair.ours.closed().await;
        assert_eq!(pair.theirs.recv().await, None::<Message>);
        pair.ada.close();
        while pair.ada.next_event().await.is_some() {}
        pair.bob.close();
        while pair.bob.next_event().await.is_some() {}
    }
    port
}

#[tokio::test]
async fn sockets_and_memory_are_given_back() {
    let test = async {
        let mut ports = Vec::new();
        for is_closed in [true, false] {
            ports.push(live(is_closed).await);
            let before = memory();
            for _ in 1..lives() {
                ports.push(live(is_closed).await);
            }
            let grown = memory().saturating_sub(before);
            println!("{} lives, closed {is_closed}: {grown} KiB more", lives());
            assert!(grown < 32 << 10, "{grown} KiB more after {} lives", lives());
        }
        // A driver ends after its handle.
        while ports.iter().any(|port| is_open(*port)) {
            tokio::task::yield_now().await;
        }
    };
    let deadline = crate::DEADLINE * (1 + lives() as u32 / 100);
    tokio::time::timeout(deadline, test).await.expect("it ends in time");
}
