//! A lab that stands: running programs in it, cutting and mending its links.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::Command;

use crate::tool::{feed, run};
use crate::{Error, Home, SERVER, addresses, raise, sweep};

/// The place where the server's addresses are.
pub const INTERNET: &str = "internet";

/// A lab that stands. Dropping it ends every process in it and removes it.
#[derive(Debug)]
pub struct Running {
    prefix: String,
    owned: bool,
    clients: BTreeMap<String, Client>,
}

#[derive(Debug)]
struct Client {
    address: Ipv4Addr,
    ipv6: Option<Ipv6Addr>,
}

impl Running {
    pub(crate) fn new(prefix: String) -> Self {
        Self { prefix, owned: true, clients: BTreeMap::new() }
    }

    /// From now on it stays when this value is dropped.
    pub(crate) fn detach(&mut self) {
        self.owned = false;
    }

    pub(crate) fn note(&mut self, name: &str, address: Ipv4Addr, home: &Home) {
        let index = self.clients.len();
        let ipv6 = home.ipv6.then(|| addresses::host_v6(addresses::lan_v6(index), 2));
        self.clients.insert(name.to_owned(), Client { address, ipv6 });
    }

    /// The name, for `ip netns`, of the namespace of a client, a carrier, `NAME-router` or [`INTERNET`].
    #[must_use]
    pub fn namespace(&self, place: &str) -> String {
        format!("{}{place}", self.prefix)
    }

    /// A command that will run `program` in that place, with the lab's names in its `/etc/hosts`.
    #[must_use]
    pub fn command(&self, place: &str, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace(place)]).arg(program);
        command
    }

    /// A client's own address: behind a NAT, one that means nothing outside.
    ///
    /// # Panics
    /// If the lab has no such client.
    #[must_use]
    pub fn address(&self, client: &str) -> Ipv4Addr {
        self.clients[client].address
    }

    /// A client's IPv6 address, if it has one.
    ///
    /// # Panics
    /// If the lab has no such client.
    #[must_use]
    pub fn address_v6(&self, client: &str) -> Option<Ipv6Addr> {
        self.clients[client].ipv6
    }

    /// From now on the router of `client` drops every packet, silently: the cable behind it was cut.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn cut(&self, client: &str) -> Result<(), Error> {
        let rules = "table inet cut {
    chain forward {
        type filter hook forward priority filter - 10; policy drop;
    }
}
";
        self.nft(client, rules)
    }

    /// Undoes [`Running::cut`].
    ///
    /// # Errors
    /// If nothing was cut.
    pub fn mend(&self, client: &str) -> Result<(), Error> {
        self.nft(client, "delete table inet cut")
    }

    /// From now on the link of `client` carries so many kilobits per second in each direction, with 50 ms of queue; none: as
    /// many as there are.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn limit(&self, client: &str, kilobits_per_second: Option<u32>) -> Result<(), Error> {
        let router = self.namespace(&raise::router_of(client));
        raise::limit(&router, kilobits_per_second)
    }

    /// From now on datagrams of `client` to this port of the server come to `to`, a port of the router before it, in whose
    /// namespace (`CLIENT-router`) a program may carry them on; what it answers with comes from where they were sent to.
    ///
    /// # Errors
    /// If the kernel refuses, or some are diverted already.
    pub fn divert(&self, client: &str, port: u16, to: u16) -> Result<(), Error> {
        let rules = format!(
            "table ip divert {{
    chain prerouting {{
        type nat hook prerouting priority dstnat - 10;
        iifname lan ip daddr {SERVER} udp dport {port} redirect to :{to}
    }}
}}
insert rule inet filter input ct state established accept
insert rule inet filter input iifname lan udp dport {to} accept
"
        );
        self.nft(client, &rules)
    }

    /// Pulls the client's own cable: its system sees the link go down.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn unplug(&self, client: &str) -> Result<(), Error> {
        run(&format!("ip -n {} link set eth0 down", self.namespace(client))).map(drop)
    }

    /// Undoes [`Running::unplug`].
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn plug(&self, client: &str) -> Result<(), Error> {
        let gateway = Ipv4Addr::from(u32::from(self.address(client)) - 1);
        feed(
            &format!("ip -n {} -batch -", self.namespace(client)),
            &format!("link set eth0 up\nroute replace default via {gateway}\n"),
        )
        .map(drop)
    }

    /// Moves clients into one network behind a switch, off their own ones: `192.168.77.2` and so on, in order, with the
    /// internet behind `192.168.77.1`. There is one such network.
    ///
    /// # Errors
    /// If the kernel refuses, or it is there already.
    pub fn gather(&self, clients: &[&str]) -> Result<Vec<Ipv4Addr>, Error> {
        let internet = self.namespace(INTERNET);
        feed(
            &format!("ip -n {internet} -batch -"),
            "link add switch type bridge\naddr add 192.168.77.1/24 dev switch\nlink set switch up\n",
        )?;
        let place = |(index, client): (usize, &&str)| {
            let namespace = self.namespace(client);
            let address = Ipv4Addr::new(192, 168, 77, u8::try_from(index + 2).unwrap_or(u8::MAX));
            run(&format!(
                "ip link add port{index} netns {internet} type veth peer name lan netns {namespace}"
            ))?;
            run(&format!("ip -n {internet} link set port{index} master switch up"))?;
            feed(
                &format!("ip -n {namespace} -batch -"),
                &format!(
                    "link set eth0 down\naddr add {address}/24 dev lan\nlink set lan up\n\
                     route replace default via 192.168.77.1\n"
                ),
            )?;
            Ok(address)
        };
        clients.iter().enumerate().map(place).collect()
    }

    /// The name, for `ip netns`, of a place in the detached lab `label`.
    #[must_use]
    pub fn detached_namespace(label: &str, place: &str) -> String {
        format!("{}{place}", sweep::label_prefix(label))
    }

    /// Ends every process of the detached lab `label`, and removes it.
    ///
    /// # Errors
    /// If no such lab stands, or the system's tools fail.
    pub fn take_down(label: &str) -> Result<(), Error> {
        let prefix = sweep::label_prefix(label);
        if sweep::namespaces(&prefix)?.is_empty() {
            return Err(Error::Plan(format!("no lab {prefix} stands")));
        }
        sweep::remove(&prefix)
    }

    fn nft(&self, client: &str, rules: &str) -> Result<(), Error> {
        let ns = self.namespace(&raise::router_of(client));
        feed(&format!("ip netns exec {ns} nft -f -"), rules).map(drop)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.owned {
            // What is left behind is collected by the next lab.
            let _ = sweep::remove(&self.prefix);
        }
    }
}
