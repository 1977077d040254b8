//! The report for people: a table, and what it means.

use std::fmt::Write as _;

use stun::discovery::{Finding, Mapping, Report};

use super::outlook::{self, Other, Path};

pub(super) fn report(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(report, &mut text);
    text
}

fn write(report: &Report, text: &mut String) -> std::fmt::Result {
    if let Some(mapped) = report.mapped {
        writeln!(text, "{} is seen as {mapped} by {}.", report.local, report.server)?;
    }
    match (report.is_nat(), outlook::kind(report)) {
        (_, Some(kind)) => writeln!(text, "You are behind: {kind}.")?,
        (Some(true), None) => writeln!(text, "You are behind: a NAT, of a kind that is not quite known.")?,
        (_, None) => writeln!(text, "You are behind: no NAT.")?,
    }
    if report.server.ip().is_loopback() {
        writeln!(
            text,
            "The server is this very machine, so there is no NAT in between: ask one elsewhere with --server."
        )?;
    }
    writeln!(text)?;
    let hairpinning = match report.hairpinning {
        Finding::Known(true) => "yes: two people behind this NAT meet at its public address".to_owned(),
        Finding::Known(false) => {
            "no: two people behind this NAT meet only at their local addresses".to_owned()
        }
        unknown @ Finding::Unknown(_) => unknown.to_string(),
    };
    let rewriting = match report.rewriting {
        Finding::Known(true) => "yes: something rewrites addresses inside datagrams".to_owned(),
        Finding::Known(false) => "no".to_owned(),
        unknown @ Finding::Unknown(_) => unknown.to_string(),
    };
    let rows = [
        ("Mapping", report.mapping.to_string()),
        ("Filtering", report.filtering.to_string()),
        ("Hairpinning", hairpinning),
        ("Idle binding stays", report.lifetime.to_string()),
        ("Rewriting", rewriting),
    ];
    for (name, value) in rows {
        writeln!(text, "  {name:<20}{value}")?;
    }
    writeln!(text, "\nA call with someone behind")?;
    for other in Other::ALL {
        writeln!(text, "  {:<48}{}", other.words(), outlook::path(report, other).words())?;
    }
    writeln!(text, "  {:<48}{}", "a network that blocks UDP", Path::Relayed.words())?;
    if let Some(advice) = advice(report) {
        writeln!(text, "\n{advice}")?;
    }
    Ok(())
}

fn advice(report: &Report) -> Option<&'static str> {
    let symmetric = matches!(
        report.mapping,
        Finding::Known(Mapping::AddressDependent | Mapping::AddressAndPortDependent | Mapping::Dependent)
    );
    let unknown = report.mapping.known().is_none() || report.filtering.known().is_none();
    let paths = Other::ALL.map(|other| outlook::path(report, other));
    if symmetric {
        Some("Many calls from here need a relay (TURN): make sure that your server has one.")
    } else if paths.contains(&Path::Relayed) {
        Some("Most calls from here are direct; the others need a relay (TURN).")
    } else if unknown {
        Some("A server with two addresses (RFC 5780) could tell more: name it with --server.")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use stun::discovery::{Filtering, Lifetime, Why};

    use super::super::outlook::tests::report as example;
    use super::*;

    #[test]
    fn a_home_router_reads_like_this() {
        let mut router = example(
            Finding::Known(Mapping::EndpointIndependent),
            Finding::Known(Filtering::AddressAndPortDependent),
        );
        router.lifetime = Finding::Known(Lifetime::Between(Duration::from_secs(20), Duration::from_secs(30)));
        assert_eq!(
            report(&router),
            "\
10.0.0.2:5000 is seen as 203.0.113.1:20000 by 198.51.100.1:3478.
You are behind: port-restricted cone NAT.

  Mapping             endpoint-independent: the same public address towards everyone
  Filtering           address- and port-dependent: only the very address and port that was sent to gets in
  Hairpinning         no: two people behind this NAT meet only at their local addresses
  Idle binding stays  between 20 and 30 s
  Rewriting           no

A call with someone behind
  an open network or full-cone NAT                direct
  an address-restricted NAT                       direct
  a port-restricted NAT (most home routers)       direct
  a symmetric NAT (mobile and company networks)   relayed
  a network that blocks UDP                       relayed

Most calls from here are direct; the others need a relay (TURN).
"
        );
    }

    #[test]
    fn what_is_not_known_says_why() {
        let why = Why::NoOtherAddress;
        let text = report(&example(Finding::Unknown(why), Finding::Unknown(why)));
        assert!(text.contains("You are behind: a NAT, of a kind that is not quite known."), "{text}");
        assert!(text.contains("Mapping             not known: the server has no second address"), "{text}");
        assert!(text.contains("could tell more"), "{text}");
    }
}
