//! Candidates whose address is hidden behind a multicast DNS name
//! (draft-ietf-mmusic-mdns-ice-candidates §3.2).

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::candidates::choose;
use super::{Agent, Event};
use crate::candidate::{Address, Candidate};
use crate::limits;
use crate::remote::Refused;
use crate::session::ResolveId;

impl Agent {
    /// Has the caller resolve a name.
    pub(super) fn resolve(&mut self, candidate: Candidate) -> Result<(), Refused> {
        let Address::Name { name, .. } = &candidate.address else { return Ok(()) };
        let name = name.clone();
        if !name.to_ascii_lowercase().ends_with(".local") {
            return Err(Refused::NotLocalName);
        }
        if self.session.resolving.len() >= limits::RESOLVES {
            return Err(Refused::TooMany);
        }
        let id = ResolveId(self.fresh_id());
        self.session.resolving.push((id, candidate));
        self.events.push_back(Event::Resolve { id, name });
        Ok(())
    }

    /// Takes what a name stands for; no addresses if it could not be resolved. Of several, one is used.
    pub fn handle_resolved(&mut self, now: Instant, id: ResolveId, addresses: &[IpAddr]) {
        let resolving = &mut self.session.resolving;
        let Some(index) = resolving.iter().position(|(known, _)| *known == id) else { return };
        let (_, candidate) = resolving.swap_remove(index);
        if let Some(ip) = choose(addresses)
            && !self.session.failed
        {
            let address = SocketAddr::new(ip, candidate.address.port());
            // A bad address is as good as none.
            let _ = self.pair_up(candidate, address);
        }
        self.settle(now);
    }
}
