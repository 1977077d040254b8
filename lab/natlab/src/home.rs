//! What stands between one client and the internet: a NAT, a firewall, a link of some quality.

use std::fmt;
use std::str::FromStr;

/// How a router translates UDP (RFC 4787 §4.1, §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nat {
    /// The client has a public address of its own.
    None,
    /// Endpoint-independent mapping, endpoint-independent filtering.
    FullCone,
    /// Endpoint-independent mapping, address-dependent filtering.
    AddressRestricted,
    /// Endpoint-independent mapping, address and port-dependent filtering: most home routers.
    PortRestricted,
    /// Address and port-dependent mapping and filtering: mobile carriers and companies.
    Symmetric,
}

/// What the router refuses to forward, whatever its NAT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Firewall {
    /// Nothing.
    #[default]
    Open,
    /// All UDP, silently.
    UdpBlocked,
    /// All but TCP to port 443, silently.
    OnlyTcp443,
}

/// One client's way to the internet. Made from a [`Nat`] and refined: `Nat::Symmetric.udp_blocked()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    pub(crate) nat: Nat,
    pub(crate) firewall: Firewall,
    pub(crate) hairpin: bool,
    pub(crate) carrier: Option<String>,
    pub(crate) loss_per_mille: u16,
    pub(crate) kilobits_per_second: Option<u32>,
    pub(crate) ipv6: bool,
}

impl From<Nat> for Home {
    fn from(nat: Nat) -> Self {
        Self {
            nat,
            firewall: Firewall::Open,
            hairpin: false,
            carrier: None,
            loss_per_mille: 0,
            kilobits_per_second: None,
            ipv6: false,
        }
    }
}

/// The same refinements, begun from the bare flavour.
impl Nat {
    /// See [`Home::udp_blocked`].
    #[must_use]
    pub fn udp_blocked(self) -> Home {
        Home::from(self).udp_blocked()
    }

    /// See [`Home::only_tcp_443`].
    #[must_use]
    pub fn only_tcp_443(self) -> Home {
        Home::from(self).only_tcp_443()
    }

    /// See [`Home::hairpin`].
    #[must_use]
    pub fn hairpin(self) -> Home {
        Home::from(self).hairpin()
    }

    /// See [`Home::behind`].
    #[must_use]
    pub fn behind(self, carrier: &str) -> Home {
        Home::from(self).behind(carrier)
    }

    /// See [`Home::loss_per_mille`].
    #[must_use]
    pub fn loss_per_mille(self, packets: u16) -> Home {
        Home::from(self).loss_per_mille(packets)
    }

    /// See [`Home::kilobits_per_second`].
    #[must_use]
    pub fn kilobits_per_second(self, rate: u32) -> Home {
        Home::from(self).kilobits_per_second(rate)
    }

    /// See [`Home::ipv6`].
    #[must_use]
    pub fn ipv6(self) -> Home {
        Home::from(self).ipv6()
    }
}

impl Home {
    /// What its router refuses to forward.
    #[must_use]
    pub fn firewall(&self) -> Firewall {
        self.firewall
    }

    /// The router forwards no UDP.
    #[must_use]
    pub fn udp_blocked(mut self) -> Self {
        self.firewall = Firewall::UdpBlocked;
        self
    }

    /// The router forwards nothing but TCP to port 443.
    #[must_use]
    pub fn only_tcp_443(mut self) -> Self {
        self.firewall = Firewall::OnlyTcp443;
        self
    }

    /// Datagrams from inside to a mapped address of the router come back in (RFC 4787 §6).
    #[must_use]
    pub fn hairpin(mut self) -> Self {
        self.hairpin = true;
        self
    }

    /// The router's own address is behind the named carrier's NAT.
    #[must_use]
    pub fn behind(mut self, carrier: &str) -> Self {
        self.carrier = Some(carrier.to_owned());
        self
    }

    /// Of 1,000 packets, in each direction, so many are lost at random (at most 1,000).
    #[must_use]
    pub fn loss_per_mille(mut self, packets: u16) -> Self {
        self.loss_per_mille = packets.min(1000);
        self
    }

    /// The link carries so many kilobits per second in each direction, with 50 ms of queue.
    #[must_use]
    pub fn kilobits_per_second(mut self, rate: u32) -> Self {
        self.kilobits_per_second = Some(rate);
        self
    }

    /// The client has a global IPv6 address too, behind a firewall that lets in only answers
    /// (with [`Nat::None`]: everything).
    #[must_use]
    pub fn ipv6(mut self) -> Self {
        self.ipv6 = true;
        self
    }
}

const NATS: [(Nat, &str); 5] = [
    (Nat::None, "none"),
    (Nat::FullCone, "full-cone"),
    (Nat::AddressRestricted, "address-restricted"),
    (Nat::PortRestricted, "port-restricted"),
    (Nat::Symmetric, "symmetric"),
];

impl fmt::Display for Nat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NATS.iter().find(|(nat, _)| nat == self).map_or("", |(_, name)| name);
        f.pad(name)
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.nat)?;
        match self.firewall {
            Firewall::Open => {}
            Firewall::UdpBlocked => write!(f, "+udp-blocked")?,
            Firewall::OnlyTcp443 => write!(f, "+only-443")?,
        }
        if self.hairpin {
            write!(f, "+hairpin")?;
        }
        if let Some(carrier) = &self.carrier {
            write!(f, "+behind={carrier}")?;
        }
        if self.loss_per_mille > 0 {
            write!(f, "+loss={}", self.loss_per_mille)?;
        }
        if let Some(rate) = self.kilobits_per_second {
            write!(f, "+rate={rate}")?;
        }
        if self.ipv6 {
            write!(f, "+ipv6")?;
        }
        Ok(())
    }
}

/// The written form, for the command line: `symmetric+udp-blocked+behind=isp+loss=20+rate=5000`.
impl FromStr for Home {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split('+');
        let nat = words.next().unwrap_or_default();
        let Some((nat, _)) = NATS.iter().find(|(_, name)| *name == nat) else {
            let names: Vec<_> = NATS.iter().map(|(_, name)| *name).collect();
            return Err(format!("no NAT is called {nat:?}; there are {}", names.join(", ")));
        };
        words.try_fold(Self::from(*nat), |home, word| match word.split_once('=') {
            None if word == "udp-blocked" => Ok(home.udp_blocked()),
            None if word == "only-443" => Ok(home.only_tcp_443()),
            None if word == "hairpin" => Ok(home.hairpin()),
            None if word == "ipv6" => Ok(home.ipv6()),
            Some(("behind", carrier)) => Ok(home.behind(carrier)),
            Some(("loss", packets)) => Ok(home.loss_per_mille(number(word, packets)?)),
            Some(("rate", rate)) => Ok(home.kilobits_per_second(number(word, rate)?)),
            _ => Err(format!(
                "no option is called {word:?}; there are udp-blocked, only-443, hairpin, ipv6, behind=CARRIER, \
                 loss=PER_MILLE, rate=KBIT_PER_SECOND"
            )),
        })
    }
}

fn number<N: FromStr>(word: &str, digits: &str) -> Result<N, String> {
    digits.parse().map_err(|_| format!("{word:?} wants a whole number after the '='"))
}

#[cfg(test)]
mod tests;
