//! A lab leaves nothing behind: not when it is dropped, not when its process was killed, not on the command line.

use std::path::Path;
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use twocan_natlab::{INTERNET, Lab, Nat, skipped};

fn namespaces() -> String {
    let output = Command::new("ip").args(["netns", "list"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn ends(child: &mut Child) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

#[test]
fn dropping_it_ends_its_processes_and_removes_it() {
    if skipped("removal of a lab") {
        return;
    }
    let lab = Lab::new().client("ada", Nat::Symmetric).up().unwrap();
    let (internet, ada) = (lab.namespace(INTERNET), lab.namespace("ada"));
    let mut sleeper = lab.command("ada", "sleep").arg("1000").spawn().unwrap();
    // `ip` has entered the namespace once the program has replaced it.
    let comm = format!("/proc/{}/comm", sleeper.id());
    let end = Instant::now() + Duration::from_secs(20);
    while std::fs::read_to_string(&comm).unwrap().trim() != "sleep" {
        assert!(Instant::now() < end, "the program never started");
        std::thread::yield_now();
    }
    assert!(namespaces().contains(&ada) && namespaces().contains(&internet));

    drop(lab);
    assert!(ends(&mut sleeper), "a process outlived its lab");
    assert!(!namespaces().contains(&ada) && !namespaces().contains(&internet));
    assert!(!Path::new("/etc/netns").join(&ada).exists());
}

#[test]
fn a_killed_run_is_collected_by_the_next() {
    if skipped("collection of dead labs") {
        return;
    }
    // The id of a process that has ended, as a killed run's would be.
    let mut dead = Command::new("true").spawn().unwrap();
    dead.wait().unwrap();
    let left = format!("natlab-{}-0-ada", dead.id());
    assert!(Command::new("ip").args(["netns", "add", &left]).status().unwrap().success());
    assert!(namespaces().contains(&left));

    let _lab = Lab::new().up().unwrap();
    assert!(!namespaces().contains(&left));
}

#[test]
fn the_names_of_a_lab_resolve_inside_it() {
    if skipped("names inside a lab") {
        return;
    }
    let lab = Lab::new().server_name("call.example").client("ada", Nat::PortRestricted).up().unwrap();
    let output = lab.command("ada", "getent").args(["hosts", "call.example"]).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("203.0.113.1"));
}

#[test]
fn contradictions_are_refused_in_words() {
    let refused = |lab: Lab| lab.up().unwrap_err().to_string();
    let ada = Nat::PortRestricted;
    assert!(refused(Lab::new().client("ada", ada).client("ada", ada)).contains("taken"));
    assert!(refused(Lab::new().client("Ada Lovelace", ada)).contains("a-z"));
    assert!(refused(Lab::new().client("ada", ada.behind("isp"))).contains("add the carrier"));
    let crowd = (0..32).fold(Lab::new(), |lab, number| lab.client(&format!("c{number}"), ada));
    assert!(refused(crowd).contains("31"));
}

#[test]
fn the_command_line_builds_uses_and_removes_a_lab() {
    if skipped("the natlab command") {
        return;
    }
    let label = format!("test{}", std::process::id());
    let natlab = |arguments: &[&str]| -> Output {
        Command::new(env!("CARGO_BIN_EXE_natlab")).args(arguments).output().unwrap()
    };
    let up = natlab(&["up", "--label", &label, "isp=carrier+hairpin", "ada=port-restricted+behind=isp"]);
    assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    assert!(String::from_utf8_lossy(&up.stdout).contains("192.168.10.2"));

    let again = natlab(&["up", "--label", &label, "ada=symmetric"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("natlab down"));

    let route = natlab(&["exec", "--label", &label, "ada", "ip", "route", "get", "203.0.113.1"]);
    assert!(String::from_utf8_lossy(&route.stdout).contains("via 192.168.10.1"));
    assert_eq!(natlab(&["exec", "--label", &label, "ada", "sh", "-c", "exit 7"]).status.code(), Some(7));

    assert!(natlab(&["down", "--label", &label]).status.success());
    assert!(!namespaces().contains(&label));
    assert_eq!(natlab(&["down", "--label", &label]).status.code(), Some(2));
}
