//! Two ends of ours, of which one moves to another address: what is under way arrives, by new candidates alone or after
//! an ICE restart.

use std::time::Instant;

use natlab::{INTERNET, Lab, Nat, Running};
use serde_json::{Value, json};

use super::peer::Peer;

/// Bytes of a message, of which [`COUNT`] are sent at once: seconds' worth, and less than waits to be sent at most.
const LENGTH: usize = 1_000_000;
const COUNT: usize = 4;
/// Of Ada's link.
const KILOBITS_PER_SECOND: u32 = 8_000;

const ADA: usize = 0;
const BOB: usize = 1;

/// Ada behind a NAT, Bob in the internet.
struct World {
    lab: Running,
    ends: [Peer; 2],
}

impl World {
    fn new() -> Self {
        let home = Nat::PortRestricted.kilobits_per_second(KILOBITS_PER_SECOND);
        let lab = Lab::new().client("ada", home).up().unwrap_or_else(|why| panic!("{why}"));
        let mut ends = [Peer::start(&lab, "ada"), Peer::start(&lab, INTERNET)];
        for end in &mut ends {
            end.tell(&json!({ "begin": { "trickle": true } }));
        }
        Self { lab, ends }
    }

    /// Carries descriptions and candidates until `is_so`.
    #[track_caller]
    fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + twocan_interop::DEADLINE;
        while !is_so(self) {
            for from in [ADA, BOB] {
                while let Some(line) = self.ends[from].signal() {
                    self.ends[1 - from].tell(&line);
                }
            }
            let logs = [self.ends[ADA].log(), self.ends[BOB].log()];
            assert!(Instant::now() < end, "it never comes about that {what}: {logs:#?}");
        }
    }

    #[track_caller]
    fn connect(&mut self, from: usize) {
        self.ends[from].tell(&json!({ "offer": "chat" }));
        self.until("both are open", |world| world.ends.iter_mut().all(|end| end.has("open")));
    }

    fn flood(&mut self, from: usize) {
        for _ in 0..COUNT {
            self.ends[from].tell(&json!({ "bytes": LENGTH }));
        }
    }

    /// How many of the messages have come, none of them damaged.
    #[track_caller]
    fn come(&self, to: usize) -> usize {
        let log = self.ends[to].log().iter().filter(|line| line.get("bytes").is_some());
        log.inspect(|line| assert_eq!(**line, json!({ "bytes": LENGTH, "good": true }))).count()
    }

    /// What `ip` says in Ada's place.
    #[track_caller]
    fn ip(&self, arguments: &str) {
        let done = self.lab.command("ada", "ip").args(arguments.split(' ')).status().expect("ip runs");
        assert!(done.success(), "ip {arguments}");
    }

    /// Ada's address, and another one of her network's.
    fn addresses(&self) -> [String; 2] {
        let address = self.lab.address("ada");
        [address.to_string(), std::net::Ipv4Addr::from(u32::from(address) + 7).to_string()]
    }

    fn arrive(&self, address: &str) {
        self.ip(&format!("address add {address}/24 dev eth0"));
        let gateway = std::net::Ipv4Addr::from(u32::from(self.lab.address("ada")) - 1);
        self.ip(&format!("route replace default via {gateway}"));
    }

    fn leave(&self, address: &str) {
        self.ip(&format!("address del {address}/24 dev eth0"));
    }

    /// Whether Ada has chosen a path after she saw that her address was another.
    fn has_moved(&self) -> bool {
        let log = self.ends[ADA].log().iter();
        log.skip_while(|line| line.get("network").is_none()).any(|line| line.get("selected").is_some())
    }
}

fn skipped() -> bool {
    natlab::skipped("peers that move to another address")
}

/// Both at once, as most of the time is waiting.
fn for_both(test: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        let other = scope.spawn(|| test(ADA));
        test(BOB);
        other.join().expect("Ada's does not fail either");
    });
}

#[test]
fn a_transfer_goes_on_from_another_address() {
    if skipped() {
        return;
    }
    for_both(|offers| {
        let sends = 1 - offers;
        let mut world = World::new();
        let [before, after] = world.addresses();
        world.connect(offers);
        world.flood(sends);
        world.until("a message has come", |world| world.come(1 - sends) > 0);
        assert!(world.come(1 - sends) < COUNT, "it is too fast to be disturbed");
        world.leave(&before);
        world.arrive(&after);
        world.until("it goes on", |world| world.come(1 - sends) == COUNT);
        assert!(world.has_moved(), "{:#?}", world.ends[ADA].log());
        // Nobody has asked for a restart.
        for end in &world.ends {
            let described = end.log().iter().filter(|line| line.get("description").is_some()).count();
            assert_eq!(described, 1, "{:#?}", end.log());
        }
    });
}

#[test]
fn a_transfer_goes_on_after_a_time_without_any_address() {
    if skipped() {
        return;
    }
    for_both(|restarts| {
        let mut world = World::new();
        let [before, after] = world.addresses();
        world.connect(ADA);
        world.flood(BOB);
        world.until("a message has come", |world| world.come(ADA) > 0);
        world.leave(&before);
        let is = |state: &str, end: &mut Peer| end.last("state") == Some(Value::from(state));
        world.until("both miss the other", |world| world.ends.iter_mut().all(|end| is("Disconnected", end)));
        world.arrive(&after);
        world.ends[restarts].tell(&json!({ "restart": true }));
        world.until("it goes on", |world| world.come(ADA) == COUNT);
        assert!(world.has_moved(), "{:#?}", world.ends[ADA].log());
        world.until("both are connected", |world| world.ends.iter_mut().all(|end| is("Connected", end)));
    });
}
