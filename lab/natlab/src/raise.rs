//! Building the namespaces, links, routes and rules of a lab.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::addresses::{
    self, Link, SECOND_SERVER, SECOND_SERVER_V6, SERVER, SERVER_V6, carrier_link, host_v6, internet_link,
};
use crate::router::Router;
use crate::running::{INTERNET, Running};
use crate::tool::{feed, run};
use crate::{Carrier, Error, Firewall, Home, Lab, Nat, skip, sweep};

/// Builds `lab`; with a `label` it outlives this process.
pub(crate) fn lab(lab: &Lab, label: Option<&str>) -> Result<Running, Error> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);

    skip::possible().map_err(Error::Missing)?;
    sweep::dead_runs()?;
    let prefix = label.map_or_else(
        || format!("{}{}-{}-", sweep::PREFIX, process::id(), COUNT.fetch_add(1, Ordering::Relaxed)),
        sweep::label_prefix,
    );
    if label.is_some() && !sweep::namespaces(&prefix)?.is_empty() {
        return Err(Error::Plan(format!("the lab {prefix} stands already: `natlab down` first")));
    }
    // From here on a failure drops `running`, which removes what was built so far.
    let mut running = Running::new(prefix);
    internet(&running, lab)?;
    for (index, (name, carrier)) in lab.carriers.iter().enumerate() {
        build_carrier(&running, lab, name, *carrier, lab.clients.len() + index)?;
    }
    for (index, (name, home)) in lab.clients.iter().enumerate() {
        let address = build_home(&running, lab, name, home, index)?;
        running.note(name, address, home);
    }
    if label.is_some() {
        running.detach();
    }
    Ok(running)
}

/// The name of the router before client `name`.
pub(crate) fn router_of(name: &str) -> String {
    format!("{name}-router")
}

fn internet(lab: &Running, plan: &Lab) -> Result<(), Error> {
    namespace(lab, plan, INTERNET)?;
    let ns = lab.namespace(INTERNET);
    // A default route to nowhere: a packet to an unknown address vanishes, as it would out there, and a
    // program that asks the kernel which address it would leave from gets an answer.
    feed(
        &format!("ip -n {ns} -batch -"),
        &format!(
            "addr add {SERVER}/32 dev lo
addr add {SECOND_SERVER}/32 dev lo
addr add {SERVER_V6}/128 dev lo nodad
addr add {SECOND_SERVER_V6}/128 dev lo nodad
link add nowhere type veth peer name hole
link set nowhere up
link set hole up
neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev nowhere
neigh add fe80::1 lladdr 02:00:00:00:00:01 dev nowhere
route add default via 192.0.2.1 dev nowhere onlink src {SERVER}
route add ::/0 via fe80::1 dev nowhere src {SERVER_V6}
"
        ),
    )?;
    forwarding(&ns)
}

fn build_carrier(lab: &Running, plan: &Lab, name: &str, carrier: Carrier, index: usize) -> Result<(), Error> {
    namespace(lab, plan, name)?;
    let ns = lab.namespace(name);
    let link = internet_link(index);
    connect(&lab.namespace(INTERNET), &format!("to{index}"), &ns, "wan", link)?;
    forwarding(&ns)?;
    rules(
        &ns,
        &Router {
            nat: Nat::PortRestricted,
            firewall: Firewall::Open,
            hairpin: carrier == Carrier::Hairpin,
            loss_per_mille: 0,
            outside: link.node,
            inside: "100.64.0.0/10",
        },
    )
}

/// Builds a client and its router; returns the client's address.
fn build_home(lab: &Running, plan: &Lab, name: &str, home: &Home, index: usize) -> Result<Ipv4Addr, Error> {
    let router = router_of(name);
    namespace(lab, plan, &router)?;
    namespace(lab, plan, name)?;
    let (client_ns, router_ns) = (lab.namespace(name), lab.namespace(&router));

    let (above, interface, link) = match &home.carrier {
        Some(carrier) => (lab.namespace(carrier), format!("lan{index}"), carrier_link(index)),
        None => (lab.namespace(INTERNET), format!("to{index}"), internet_link(index)),
    };
    connect(&above, &interface, &router_ns, "wan", link)?;
    let lan =
        if home.nat == Nat::None { addresses::public_lan(index) } else { addresses::private_lan(index) };
    connect(&router_ns, "lan", &client_ns, "eth0", lan)?;
    if home.nat == Nat::None {
        run(&format!("ip -n {above} route add {} via {}", lan.network(), link.node))?;
    }
    if home.ipv6 {
        connect_v6(&above, &interface, &router_ns, &client_ns, index)?;
    }
    forwarding(&router_ns)?;
    rules(
        &router_ns,
        &Router {
            nat: home.nat,
            firewall: home.firewall,
            hairpin: home.hairpin,
            loss_per_mille: home.loss_per_mille,
            outside: link.node,
            inside: &lan.network(),
        },
    )?;
    if home.kilobits_per_second.is_some() {
        limit(&router_ns, home.kilobits_per_second)?;
    }
    Ok(lan.node)
}

/// Has the link of a router carry so much in each direction; none: whatever comes.
pub(crate) fn limit(router: &str, kilobits_per_second: Option<u32>) -> Result<(), Error> {
    for interface in ["wan", "lan"] {
        let rule = match kilobits_per_second {
            Some(rate) => format!("replace dev {interface} root tbf rate {rate}kbit burst 16kb latency 50ms"),
            None => format!("del dev {interface} root"),
        };
        run(&format!("tc -n {router} qdisc {rule}"))?;
    }
    Ok(())
}

/// Makes a namespace with a loopback interface and its own `/etc/hosts` and `/etc/resolv.conf`.
fn namespace(lab: &Running, plan: &Lab, name: &str) -> Result<(), Error> {
    let ns = lab.namespace(name);
    let folder = Path::new("/etc/netns").join(&ns);
    fs::create_dir_all(&folder)?;
    let has_ipv6 =
        |(client, home): &(String, Home)| home.ipv6 && (client == name || router_of(client) == name);
    let ipv6 = name == INTERNET || plan.clients.iter().any(has_ipv6);
    let mut hosts = String::from("127.0.0.1 localhost\n::1 localhost\n");
    for host in &plan.hosts {
        hosts.push_str(&format!("{SERVER} {host}\n"));
        if ipv6 {
            hosts.push_str(&format!("{SERVER_V6} {host}\n"));
        }
    }
    fs::write(folder.join("hosts"), hosts)?;
    // Nobody answers there, at once: a look-up fails instead of waiting.
    fs::write(folder.join("resolv.conf"), "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")?;
    run(&format!("ip netns add {ns}"))?;
    // No address but those we give, and no waiting whether another has it: one that came or changed state a second
    // later would look to programs as if the network had changed, and a browser then drops its connections.
    let no_link_local = u8::from(!ipv6);
    feed(
        &format!("ip netns exec {ns} sh"),
        &format!(
            "set -e
cd /proc/sys/net/ipv6/conf/default
echo {no_link_local} > addr_gen_mode
echo 0 > accept_dad
echo 0 > accept_ra
"
        ),
    )?;
    run(&format!("ip -n {ns} link set lo up")).map(drop)
}

/// Connects two namespaces; the node's default route leads to the gateway.
fn connect(gateway: &str, downward: &str, node: &str, upward: &str, link: Link) -> Result<(), Error> {
    run(&format!("ip link add {downward} netns {gateway} type veth peer name {upward} netns {node}"))?;
    let Link { gateway: gateway_address, node: node_address, prefix } = link;
    feed(
        &format!("ip -n {gateway} -batch -"),
        &format!("addr add {gateway_address}/{prefix} dev {downward}\nlink set {downward} up\n"),
    )?;
    feed(
        &format!("ip -n {node} -batch -"),
        &format!(
            "addr add {node_address}/{prefix} dev {upward}\nlink set {upward} up\n\
             route add default via {gateway_address}\n"
        ),
    )
    .map(drop)
}

fn connect_v6(above: &str, interface: &str, router: &str, client: &str, index: usize) -> Result<(), Error> {
    let (link, lan) = (addresses::link_v6(index), addresses::lan_v6(index));
    let (gateway, node) = (host_v6(link, 1), host_v6(link, 2));
    let (inner, guest) = (host_v6(lan, 1), host_v6(lan, 2));
    feed(
        &format!("ip -n {above} -batch -"),
        &format!(
            "addr add {gateway}/64 dev {interface} nodad\nroute add {lan}/64 via {node} dev {interface}\n"
        ),
    )?;
    feed(
        &format!("ip -n {router} -batch -"),
        &format!(
            "addr add {node}/64 dev wan nodad\naddr add {inner}/64 dev lan nodad\n\
             route add ::/0 via {gateway} dev wan\n"
        ),
    )?;
    feed(
        &format!("ip -n {client} -batch -"),
        &format!("addr add {guest}/64 dev eth0 nodad\nroute add ::/0 via {inner} dev eth0\n"),
    )
    .map(drop)
}

/// Makes a namespace route, and not question where a packet came from.
fn forwarding(ns: &str) -> Result<(), Error> {
    feed(
        &format!("ip netns exec {ns} sh"),
        "set -e
cd /proc/sys/net
echo 1 > ipv4/ip_forward
echo 1 > ipv6/conf/all/forwarding
for filter in ipv4/conf/*/rp_filter; do echo 0 > $filter; done
",
    )
    .map(drop)
}

fn rules(ns: &str, router: &Router<'_>) -> Result<(), Error> {
    feed(&format!("ip netns exec {ns} nft -f -"), &router.ruleset()).map(drop)
}
