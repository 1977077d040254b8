//! What a NAT's behaviour means for calls: with whom a direct path is possible (RFC 4787, RFC 8445 §2), and when a relay
//! is needed.
//!
//! Two ends that both try find a path if a datagram of one is let in by the other. A mapping that does not
//! depend on the destination is let in by anyone who was told its address; one that does arrives from an
//! address that nobody was told.

use stun::discovery::{Filtering, Finding, Mapping, Report};

/// An end's NAT, simplified to what decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Behaviour {
    /// The mapping stays the same towards everyone.
    stable: bool,
    filter: Filter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    Open,
    Address,
    AddressAndPort,
}

/// The other end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    Open,
    AddressRestricted,
    PortRestricted,
    Symmetric,
}

/// How media travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    Direct,
    Relayed,
    /// What is not known decides.
    Perhaps,
}

impl Other {
    pub(super) const ALL: [Self; 4] =
        [Self::Open, Self::AddressRestricted, Self::PortRestricted, Self::Symmetric];

    fn behaviour(self) -> Behaviour {
        let (stable, filter) = match self {
            Self::Open => (true, Filter::Open),
            Self::AddressRestricted => (true, Filter::Address),
            Self::PortRestricted => (true, Filter::AddressAndPort),
            Self::Symmetric => (false, Filter::AddressAndPort),
        };
        Behaviour { stable, filter }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Open => "an open network or full-cone NAT",
            Self::AddressRestricted => "an address-restricted NAT",
            Self::PortRestricted => "a port-restricted NAT (most home routers)",
            Self::Symmetric => "a symmetric NAT (mobile and company networks)",
        }
    }

    /// The name in JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::AddressRestricted => "address_restricted",
            Self::PortRestricted => "port_restricted",
            Self::Symmetric => "symmetric",
        }
    }
}

impl Path {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Relayed => "relayed",
            Self::Perhaps => "perhaps direct",
        }
    }

    /// The name in JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Relayed => "relayed",
            Self::Perhaps => "unknown",
        }
    }
}

/// How a call with `other` travels.
pub(super) fn path(report: &Report, other: Other) -> Path {
    let mut direct = possible(report).into_iter().map(|ours| meet(ours, other.behaviour()));
    match (direct.clone().all(|meets| meets), direct.any(|meets| meets)) {
        (true, _) => Path::Direct,
        (_, false) => Path::Relayed,
        _ => Path::Perhaps,
    }
}

/// The name by which people know this kind of NAT, if enough is known.
pub(super) fn kind(report: &Report) -> Option<&'static str> {
    let ours = possible(report);
    let Behaviour { stable, filter } = *ours.first()?;
    if ours.iter().any(|other| other.stable != stable) {
        return None;
    }
    let known = ours.len() == 1;
    match (report.is_nat()?, stable, filter) {
        (true, false, _) => Some("symmetric NAT"),
        _ if !known => None,
        (true, true, Filter::Open) => Some("full-cone NAT"),
        (true, true, Filter::Address) => Some("address-restricted cone NAT"),
        (true, true, Filter::AddressAndPort) => Some("port-restricted cone NAT"),
        (false, _, Filter::Open) => Some("no NAT"),
        (false, _, _) => Some("no NAT, but a firewall"),
    }
}

fn meet(one: Behaviour, other: Behaviour) -> bool {
    (one.stable && other.stable) || lets_in(one, other) || lets_in(other, one)
}

/// Whether `one` lets in what `other` sends from an address that nobody was told: at the address that `one` made known.
fn lets_in(one: Behaviour, other: Behaviour) -> bool {
    match one.filter {
        Filter::Open => true,
        // Its own checks to the other's host have opened the filter, if they left by that mapping.
        Filter::Address => one.stable,
        Filter::AddressAndPort => one.stable && other.stable,
    }
}

/// Everything that our side may be, by what is known.
fn possible(report: &Report) -> Vec<Behaviour> {
    let stable: &[bool] = match report.mapping {
        Finding::Known(Mapping::EndpointIndependent) => &[true],
        Finding::Known(Mapping::AddressDependent | Mapping::AddressAndPortDependent | Mapping::Dependent) => {
            &[false]
        }
        Finding::Known(Mapping::PortIndependent) | Finding::Unknown(_) => &[true, false],
    };
    let filters: &[Filter] = match report.filtering {
        Finding::Known(Filtering::EndpointIndependent) => &[Filter::Open],
        Finding::Known(Filtering::AddressDependent) => &[Filter::Address],
        Finding::Known(Filtering::AddressAndPortDependent) => &[Filter::AddressAndPort],
        Finding::Known(Filtering::PortIndependent) => &[Filter::Open, Filter::Address],
        Finding::Unknown(_) => &[Filter::Open, Filter::Address, Filter::AddressAndPort],
    };
    stable
        .iter()
        .flat_map(|stable| filters.iter().map(|filter| Behaviour { stable: *stable, filter: *filter }))
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use stun::discovery::Why;

    use super::*;

    pub(in crate::nat) fn report(mapping: Finding<Mapping>, filtering: Finding<Filtering>) -> Report {
        Report {
            server: "198.51.100.1:3478".parse().unwrap(),
            other: Some("198.51.100.2:3479".parse().unwrap()),
            local: "10.0.0.2:5000".parse().unwrap(),
            mapped: Some("203.0.113.1:20000".parse().unwrap()),
            mapping,
            filtering,
            hairpinning: Finding::Known(false),
            lifetime: Finding::Unknown(Why::NotAsked),
            rewriting: Finding::Known(false),
        }
    }

    fn paths(mapping: Finding<Mapping>, filtering: Finding<Filtering>) -> [Path; 4] {
        Other::ALL.map(|other| path(&report(mapping, filtering), other))
    }

    /// What two browsers did behind real NATs of these kinds.
    #[test]
    fn symmetric_meets_whoever_does_not_look_at_the_port() {
        use Path::{Direct, Perhaps, Relayed};
        let (stable, symmetric) =
            (Finding::Known(Mapping::EndpointIndependent), Finding::Known(Mapping::AddressAndPortDependent));
        let strict = Finding::Known(Filtering::AddressAndPortDependent);
        let unknown = Why::NoOtherAddress;
        assert_eq!(paths(stable, Finding::Known(Filtering::EndpointIndependent)), [Direct; 4]);
        assert_eq!(paths(stable, Finding::Known(Filtering::AddressDependent)), [Direct; 4]);
        assert_eq!(paths(stable, strict), [Direct, Direct, Direct, Relayed]);
        assert_eq!(paths(symmetric, strict), [Direct, Direct, Relayed, Relayed]);
        assert_eq!(paths(stable, Finding::Unknown(unknown)), [Direct, Direct, Direct, Perhaps]);
        assert_eq!(
            paths(Finding::Unknown(unknown), Finding::Unknown(unknown)),
            [Direct, Direct, Perhaps, Perhaps]
        );
    }

    #[test]
    fn kinds_have_names_when_enough_is_known() {
        let known = |mapping, filtering| kind(&report(Finding::Known(mapping), filtering));
        let strict = Finding::Known(Filtering::AddressAndPortDependent);
        let unknown = Finding::Unknown(Why::NoChangeRequest);
        assert_eq!(known(Mapping::EndpointIndependent, strict), Some("port-restricted cone NAT"));
        assert_eq!(known(Mapping::EndpointIndependent, unknown), None);
        assert_eq!(known(Mapping::Dependent, unknown), Some("symmetric NAT"));
        assert_eq!(known(Mapping::PortIndependent, strict), None);
    }
}
