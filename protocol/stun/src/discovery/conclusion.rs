//! From the answers to the report (RFC 5780 §4.3, §4.4, §4.6, §3.4).

use super::{Alternate, Answer, Discovery, Filtering, Finding, Lifetime, Mapping, Probe, Report, Why};

impl Discovery {
    pub(super) fn conclude(&self) -> Report {
        let config = &self.config;
        let mapped = self.mapped(Probe::Connect);
        let gap = match self.answers.get(&Probe::Connect) {
            Some(Answer::Refused(code)) => Some(Why::Refused(*code)),
            _ if mapped.is_none() => Some(Why::NoConnectivity),
            _ => None,
        };
        let mut report = Report {
            server: config.server,
            other: match self.alternate {
                Alternate::None => None,
                Alternate::Port(other) | Alternate::Both(other) | Alternate::Foreign(other) => Some(other),
            },
            local: config.local,
            mapped,
            mapping: Finding::Unknown(Why::NoConnectivity),
            filtering: Finding::Unknown(Why::NoConnectivity),
            hairpinning: Finding::Unknown(Why::NoConnectivity),
            lifetime: Finding::Unknown(Why::NoConnectivity),
            rewriting: Finding::Unknown(Why::NoConnectivity),
        };
        if let Some(why) = gap {
            report.mapping = Finding::Unknown(why);
            report.filtering = Finding::Unknown(why);
            report.hairpinning = Finding::Unknown(why);
            report.lifetime = Finding::Unknown(why);
            report.rewriting = Finding::Unknown(why);
            return report;
        }
        report.mapping = self.mapping();
        report.filtering = self.filtering();
        report.hairpinning = self.hairpinning();
        report.lifetime = self.lifetime(report.filtering);
        report.rewriting = self.rewritten.map_or(Finding::Unknown(Why::OneForm), Finding::Known);
        report
    }

    fn is_nat(&self) -> bool {
        self.mapped(Probe::Connect) != Some(self.config.local)
    }

    fn mapping(&self) -> Finding<Mapping> {
        if !self.is_nat() {
            return Finding::Known(Mapping::EndpointIndependent);
        }
        let first = self.mapped(Probe::Connect);
        let (second, third) = (self.mapped(Probe::MapAddress), self.mapped(Probe::MapBoth));
        let known = match self.alternate {
            Alternate::None => return Finding::Unknown(Why::NoOtherAddress),
            Alternate::Both(_) => match (second, third) {
                (Some(_), _) if second == first => Mapping::EndpointIndependent,
                (None, Some(_)) if third == first => Mapping::EndpointIndependent,
                (Some(_), Some(_)) if second == third => Mapping::AddressDependent,
                (Some(_), Some(_)) => Mapping::AddressAndPortDependent,
                (Some(_), None) | (None, Some(_)) => Mapping::Dependent,
                (None, None) => return Finding::Unknown(Why::OtherAddressSilent),
            },
            Alternate::Port(_) => match second {
                Some(_) if second == first => Mapping::PortIndependent,
                Some(_) => Mapping::AddressAndPortDependent,
                None => return Finding::Unknown(Why::OtherAddressSilent),
            },
            Alternate::Foreign(_) => match second {
                Some(_) if second == first => Mapping::EndpointIndependent,
                Some(_) => Mapping::Dependent,
                None => return Finding::Unknown(Why::OtherAddressSilent),
            },
        };
        Finding::Known(known)
    }

    fn filtering(&self) -> Finding<Filtering> {
        let answer = |probe| self.answers.get(&probe).copied().unwrap_or(Answer::Silent);
        let (both, port) = (answer(Probe::FilterBoth), answer(Probe::FilterPort));
        // Silence means something only if the second address speaks when spoken to.
        let speaks = self.mapped(Probe::MapAddress).or(self.mapped(Probe::MapBoth)).is_some();
        let two_addresses = match self.alternate {
            // Without a second address that speaks when spoken to, silence means nothing.
            Alternate::None | Alternate::Foreign(_) if port != Answer::Arrived => {
                return Finding::Unknown(Why::NoOtherAddress);
            }
            Alternate::None | Alternate::Foreign(_) | Alternate::Port(_) => false,
            Alternate::Both(_) => true,
        };
        let known = match (both, port) {
            (Answer::Arrived, _) => Filtering::EndpointIndependent,
            (Answer::Plain | Answer::Refused(_), _) | (_, Answer::Plain | Answer::Refused(_)) => {
                return Finding::Unknown(Why::NoChangeRequest);
            }
            (_, Answer::Arrived) if two_addresses && speaks => Filtering::AddressDependent,
            (_, Answer::Arrived) => Filtering::PortIndependent,
            _ if speaks => Filtering::AddressAndPortDependent,
            _ => return Finding::Unknown(Why::OtherAddressSilent),
        };
        Finding::Known(known)
    }

    fn hairpinning(&self) -> Finding<bool> {
        if !self.is_nat() {
            return Finding::Unknown(Why::NoNat);
        }
        if self.mapped(Probe::Second).is_none() {
            return Finding::Unknown(Why::SecondPortSilent);
        }
        let came = |probe| self.answers.get(&probe) == Some(&Answer::Arrived);
        Finding::Known(came(Probe::HairpinOut) || came(Probe::HairpinBack))
    }

    fn lifetime(&self, filtering: Finding<Filtering>) -> Finding<Lifetime> {
        if self.config.lifetimes.is_empty() {
            return Finding::Unknown(Why::NotAsked);
        }
        if !self.is_nat() && filtering == Finding::Known(Filtering::EndpointIndependent) {
            return Finding::Unknown(Why::NoNat);
        }
        if self.mapped(Probe::Second).is_none() {
            return Finding::Unknown(Why::SecondPortSilent);
        }
        if self.answers.get(&Probe::Control) != Some(&Answer::Arrived) {
            return Finding::Unknown(Why::NoResponsePort);
        }
        let mut tried: Vec<_> = (0..self.config.lifetimes.len())
            .filter_map(|index| {
                let answer =
                    self.answers.get(&Probe::Idle(index)).filter(|answer| **answer != Answer::Waiting)?;
                Some((self.config.lifetimes[index].0, *answer == Answer::Arrived))
            })
            .collect();
        tried.sort_unstable();
        let gone = tried.iter().find(|(_, alive)| !alive).map(|(time, _)| *time);
        let alive = tried
            .iter()
            .filter(|(time, alive)| *alive && gone.is_none_or(|gone| *time < gone))
            .map(|(time, _)| *time)
            .next_back();
        match (alive, gone) {
            (Some(alive), Some(gone)) => Finding::Known(Lifetime::Between(alive, gone)),
            (Some(alive), None) => Finding::Known(Lifetime::AtLeast(alive)),
            (None, Some(gone)) => Finding::Known(Lifetime::LessThan(gone)),
            (None, None) => Finding::Unknown(Why::SecondPortSilent),
        }
    }
}
