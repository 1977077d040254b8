//! The report for programs. Fields are only ever added.

use stun::discovery::{Filtering, Lifetime, Mapping, Report};

use super::outlook::{self, Other};

pub(super) fn report(report: &Report) -> String {
    let calls: serde_json::Map<String, serde_json::Value> = Other::ALL
        .into_iter()
        .map(|other| (other.name().to_owned(), outlook::path(report, other).name().into()))
        .chain([("udp_blocked".to_owned(), "relayed".into())])
        .collect();
    let gaps = [
        ("mapping", report.mapping.why()),
        ("filtering", report.filtering.why()),
        ("hairpinning", report.hairpinning.why()),
        ("lifetime", report.lifetime.why()),
        ("rewriting", report.rewriting.why()),
    ];
    let unknown: serde_json::Map<String, serde_json::Value> =
        gaps.into_iter().filter_map(|(name, why)| Some((name.to_owned(), why?.to_string().into()))).collect();
    let lifetime = report.lifetime.known().map(|lifetime| {
        let (at_least, less_than) = match lifetime {
            Lifetime::AtLeast(alive) => (Some(alive), None),
            Lifetime::Between(alive, gone) => (Some(alive), Some(gone)),
            Lifetime::LessThan(gone) => (None, Some(gone)),
        };
        serde_json::json!({
            "at_least": at_least.map(|time| time.as_secs()),
            "less_than": less_than.map(|time| time.as_secs()),
        })
    });
    line(&serde_json::json!({
        "server": report.server,
        "other": report.other,
        "local": report.local,
        "mapped": report.mapped,
        "nat": report.is_nat(),
        "kind": outlook::kind(report),
        "mapping": report.mapping.known().map(mapping),
        "filtering": report.filtering.known().map(filtering),
        "hairpinning": report.hairpinning.known(),
        "lifetime": lifetime,
        "rewriting": report.rewriting.known(),
        "unknown": unknown,
        "calls": calls,
    }))
}

pub(super) fn failure(words: &str) -> String {
    line(&serde_json::json!({ "error": words }))
}

fn line(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

fn mapping(mapping: Mapping) -> &'static str {
    match mapping {
        Mapping::EndpointIndependent => "endpoint-independent",
        Mapping::AddressDependent => "address-dependent",
        Mapping::AddressAndPortDependent => "address-and-port-dependent",
        Mapping::PortIndependent => "port-independent",
        Mapping::Dependent => "dependent",
    }
}

fn filtering(filtering: Filtering) -> &'static str {
    match filtering {
        Filtering::EndpointIndependent => "endpoint-independent",
        Filtering::AddressDependent => "address-dependent",
        Filtering::AddressAndPortDependent => "address-and-port-dependent",
        Filtering::PortIndependent => "port-independent",
    }
}
