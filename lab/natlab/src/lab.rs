//! The description of a lab: who is in it, and what stands between them.

use crate::addresses::LIMIT;
use crate::{Error, Home, Running, raise};

/// A lab as described, not yet built.
#[derive(Clone, Debug, Default)]
pub struct Lab {
    pub(crate) clients: Vec<(String, Home)>,
    pub(crate) carriers: Vec<(String, Carrier)>,
    pub(crate) hosts: Vec<String>,
}

/// A carrier-grade NAT (RFC 6888): address and port-restricted, with several homes behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Two homes behind it cannot meet at its public address.
    NoHairpin,
    /// They can.
    Hairpin,
}

impl Lab {
    /// An internet with a server's addresses, and nobody in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a client and the router before it.
    #[must_use]
    pub fn client(mut self, name: &str, home: impl Into<Home>) -> Self {
        self.clients.push((name.to_owned(), home.into()));
        self
    }

    /// Adds a carrier, to be named in [`Home::behind`].
    #[must_use]
    pub fn carrier(mut self, name: &str, carrier: Carrier) -> Self {
        self.carriers.push((name.to_owned(), carrier));
        self
    }

    /// Makes `name` mean the server's first address (both its IPv4 and, to clients that have it, IPv6) everywhere
    /// in the lab: through `/etc/hosts`, since there is no DNS here.
    #[must_use]
    pub fn server_name(mut self, name: &str) -> Self {
        self.hosts.push(name.to_owned());
        self
    }

    /// Builds it. It stands until the value is dropped.
    ///
    /// # Errors
    /// Where something is missing, contradictory or refused by the kernel.
    pub fn up(&self) -> Result<Running, Error> {
        self.check()?;
        raise::lab(self, None)
    }

    /// Builds it so that it outlives this process, until [`Running::take_down`] of the same `label`.
    ///
    /// # Errors
    /// As [`Lab::up`], and where a lab with this label stands already.
    pub fn up_detached(&self, label: &str) -> Result<Running, Error> {
        self.check()?;
        check_name(label)?;
        raise::lab(self, Some(label))
    }

    fn check(&self) -> Result<(), Error> {
        if self.clients.len() + self.carriers.len() > LIMIT {
            return Err(Error::Plan(format!("a lab has room for {LIMIT} clients and carriers together")));
        }
        let names =
            self.clients.iter().map(|(name, _)| name).chain(self.carriers.iter().map(|(name, _)| name));
        let mut seen = Vec::new();
        for name in names {
            check_name(name)?;
            if seen.contains(&name) || name == crate::INTERNET {
                return Err(Error::Plan(format!("the name {name:?} is taken: choose another")));
            }
            seen.push(name);
        }
        for (name, home) in &self.clients {
            let Some(carrier) = &home.carrier else { continue };
            if !self.carriers.iter().any(|(name, _)| name == carrier) {
                return Err(Error::Plan(format!(
                    "{name} is behind {carrier:?}, which is not in the lab: add the carrier"
                )));
            }
            if home.nat == crate::Nat::None || home.ipv6 {
                return Err(Error::Plan(format!(
                    "{name} is behind a carrier: it needs a NAT of its own, and has no IPv6"
                )));
            }
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let fits =
        (1..=20).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if fits { Ok(()) } else { Err(Error::Plan(format!("{name:?} should be 1 to 20 of a-z and 0-9"))) }
}
