//! The same through our server: one streams in by WHIP (RFC 9725), others watch by WHEP (draft-ietf-wish-whep).

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::json;
use tempfile::TempDir;
use twocan::SdpType;
use twocan_rivals::{End, aiortc, pion};

use crate::film::Film;
use crate::media::{Sent, all_see, description, plan};

/// A program that ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Server {
    address: SocketAddr,
    _process: Running,
    _data: TempDir,
}

impl Server {
    fn start() -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(twocan_interop::twocan().expect("our program"));
        command.args(["serve", "--http", "127.0.0.1:0", "--https", "off", "--turns", "off"]);
        command.args(["--stun-turn", "off", "--log", "error", "--data-dir"]).arg(data.path());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let process = Running(child);
        let port = lines.find_map(|line| {
            let line = line.ok()?;
            line.split("http://localhost:").nth(1)?.trim_end_matches('/').trim().parse::<u16>().ok()
        });
        let port = port.expect("it says where it is");
        // It may go on talking.
        std::thread::spawn(move || lines.for_each(drop));
        Self { address: SocketAddr::from(([127, 0, 0, 1], port)), _process: process, _data: data }
    }

    /// What it answers to an offer.
    fn ask(&self, way: &str, offer: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        let (address, length) = (self.address, offer.len());
        write!(
            stream,
            "POST /{way}/show HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/sdp\r\n\
             Content-Length: {length}\r\n\r\n{offer}"
        )?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        assert!(head.starts_with("HTTP/1.1 201"), "{way}: {head}\n{body}\nto {offer}");
        Ok(body.to_owned())
    }

    fn join(&self, end: &mut End, film: &Film, sends: bool, lose: u64) {
        end.tell(json!({ "begin": { "trickle": false } }));
        end.tell(plan(film, sends, !sends, lose));
        end.tell(json!({ "offer": "" }));
        let offer = end.expect("description")["sdp"].as_str().expect("text").to_owned();
        let answer = self.ask(if sends { "whip" } else { "whep" }, &offer).expect("an answer");
        end.tell(description(SdpType::Answer, &answer));
        if sends {
            while end.expect("note") != "connected" {}
        }
    }
}

/// Both stacks as viewers of this stream.
#[track_caller]
fn both_watch(server: &Server, film: &Film, sent: Sent, lose: u64) {
    let (Ok(mut aiortc), Ok(mut pion)) = (aiortc::end(), pion::end()) else { return };
    server.join(&mut aiortc, film, false, lose);
    server.join(&mut pion, film, false, lose);
    all_see(&mut [&mut aiortc, &mut pion], sent);
}

/// Whether all that these tests need is there.
fn is_there(what: &str) -> bool {
    let missing = [("aiortc", aiortc::end().err()), ("Pion", pion::end().err())];
    let missing: Vec<String> =
        missing.into_iter().filter_map(|(name, why)| Some(format!("{name}: {}", why?))).collect();
    if !missing.is_empty() {
        println!("skipped: {what}: {}", missing.join("; "));
    }
    missing.is_empty()
}

#[test]
fn what_aiortc_streams_is_watched() {
    if !is_there("aiortc streams through the server") {
        return;
    }
    let (server, film) = (Server::start(), Film::new());
    let mut studio = aiortc::end().expect("it was there");
    server.join(&mut studio, &film, true, 0);
    // Its encoder makes a key frame when it is asked for one, and in no other case.
    both_watch(&server, &film, Sent::Anew, 0);
}

#[test]
fn what_pion_streams_is_watched_though_packets_are_lost() {
    if !is_there("Pion streams through the server") {
        return;
    }
    let (server, film) = (Server::start(), Film::new());
    let mut studio = pion::end().expect("it was there");
    server.join(&mut studio, &film, true, 20);
    both_watch(&server, &film, Sent::SilentFilm, 20);
}

#[test]
fn what_we_publish_is_watched() {
    if !is_there("a published file is watched") {
        return;
    }
    let (server, film) = (Server::start(), Film::new());
    let mut command = Command::new(twocan_interop::twocan().expect("our program"));
    command.arg("publish").arg(film.webm()).args(["--to", "show", "--loop", "--json", "--server"]);
    command.arg(format!("http://{}", server.address)).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let _publisher = Running(child);
    let connected = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("\"connected\"")));
    assert!(connected.is_some(), "it connects");
    std::thread::spawn(move || lines.for_each(drop));
    both_watch(&server, &film, Sent::Film, 0);
}
