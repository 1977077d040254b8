//! `twocan send` and `twocan receive`: files straight from one computer to another, or a browser, sealed end to end
//! (`docs/files.md`, `docs/security.md`).
//!
//! Pure are [`sending`] and [`receiving`] (what is offered, sent, stored and checked), [`code`], [`seal`], [`message`],
//! [`digest`] and [`path`]. [`session`] and [`link`] drive the network, [`source`] and [`disk`] the disk, [`send`] and
//! [`receive`] put them together, and [`transfer`] runs either of them to its end.

mod address;
mod code;
mod digest;
mod disk;
mod link;
mod message;
mod options;
mod path;
mod question;
mod receive;
mod receiving;
mod seal;
mod send;
mod sending;
mod session;
mod source;
mod transfer;
mod ui;
mod web_socket;

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;

pub(crate) use address::ServerAddress;
pub(crate) use code::Code;
use link::{Failure, Link, Network};
use message::Role;
use options::Common;
pub(crate) use options::{DEFAULT_SERVER, ReceiveOptions, SendOptions};
use receive::Asks;
use session::{Join, Session};
use source::Source;
use transfer::Ending;
use ui::Ui;
pub(crate) use web_socket::configuration as tls_configuration;

/// Exit codes, as `--help` and `docs/files.md` list them.
mod exit {
    pub(super) const FAILED: u8 = 1;
    pub(super) const USAGE: u8 = 2;
    pub(super) const DECLINED: u8 = 3;
    pub(super) const TAMPERED: u8 = 4;
    pub(super) const UNFINISHED: u8 = 5;
    pub(super) const INTERRUPTED: u8 = 130;
}

/// Sends files.
pub(crate) fn send(options: &SendOptions) -> ExitCode {
    let mut ui = Ui::new(options.common.json);
    let code = match &options.code {
        Some(code) => code.clone(),
        None => match crate::serve::random() {
            Ok(bytes) => Code::from_random(bytes),
            Err(error) => return fail(&ui, exit::FAILED, "failed", &error.to_string()),
        },
    };
    let keys = code.keys();
    let source = match Source::find(&options.paths, &keys) {
        Ok(source) => source,
        Err(error) => return fail(&ui, exit::USAGE, "unreadable", &error.0),
    };
    if source.skipped > 0 {
        ui.line(&format!("{} links or special files inside folders are not sent.", source.skipped));
    }
    let common = &options.common;
    announce(&ui, &code, common);
    let again = format!("twocan send --code {code}{} …", server_option(common));
    in_runtime(async {
        let session = Session::start(join(common, &keys.room));
        let link = Link::new(session, code.keys().sealer, Role::Send, network(common));
        let ending = send::run(link, source, &keys, common.patience(), &mut ui).await;
        end(&ui, ending, &again)
    })
}

/// Receives files.
pub(crate) fn receive(options: &ReceiveOptions) -> ExitCode {
    let mut ui = Ui::new(options.common.json);
    let mut common = options.common.clone();
    if let Some(server) = &options.from.server {
        common.server = server.clone();
    }
    let code = &options.from.code;
    let keys = code.keys();
    let name = keys.file_id("journal", 0, 0).to_string();
    let store = match disk::Store::open(&options.output, &name) {
        Ok(store) => store,
        Err(error) => {
            let why = format!(
                "{}: {error}: name a folder that can be written to with --output",
                options.output.display()
            );
            return fail(&ui, exit::USAGE, "output", &why);
        }
    };
    ui.line(&format!("Waiting for the sender, by way of {} …", common.server));
    let again = format!("twocan receive {code}{}", server_option(&common));
    in_runtime(async {
        let session = Session::start(join(&common, &keys.room));
        let link = Link::new(session, code.keys().sealer, Role::Receive, network(&common));
        let asks = Asks { offers: options.can_ask(), existing: options.existing() };
        let ending = receive::run(link, store, asks, common.patience(), &mut ui).await;
        end(&ui, ending, &again)
    })
}

/// Runs to the end, and waits for no thread that hangs on a disk or a keyboard.
fn in_runtime(work: impl Future<Output = ExitCode>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("twocan: no threads to work with: {error}");
            return ExitCode::from(exit::FAILED);
        }
    };
    let code = runtime.block_on(work);
    runtime.shutdown_background();
    code
}

fn join(common: &Common, room: &str) -> Join {
    Join {
        server: common.server.clone(),
        insecure: common.insecure,
        room: room.to_owned(),
        invitation: common.invitation.clone(),
    }
}

fn network(common: &Common) -> Network {
    Network {
        relay_only: common.relay_only,
        is_local: common.server.is_loopback(),
        tls: common.insecure.then(|| web_socket::configuration(true).ok().map(Arc::new)).flatten(),
    }
}

/// The code, the link, and the link as a picture for a phone.
fn announce(ui: &Ui, code: &Code, common: &Common) {
    let link = common.server.link(code);
    ui.event("code", json!({ "code": code.to_string(), "link": link }));
    ui.result(&format!("Code:  {code}\nLink:  {link}"));
    ui.line("");
    if common.server.is_loopback() {
        ui.line(
            "The link works on this computer only. For others name a server that they reach, with --server.",
        );
    } else {
        for line in crate::serve::qr_code(&link) {
            ui.line(&line);
        }
    }
    let server = server_option(common);
    ui.line(&format!("Open the link in a browser, or type:  twocan receive {code}{server}"));
    ui.line("Whoever has the code gets the files. Waiting …");
}

/// As it is typed, where it has to be.
fn server_option(common: &Common) -> String {
    if common.server.to_string() == DEFAULT_SERVER {
        return String::new();
    }
    format!(" --server {}", common.server)
}

/// Says how it ended, and what to do next.
fn end(ui: &Ui, ending: Ending, again: &str) -> ExitCode {
    match ending {
        Ending::Done => ExitCode::SUCCESS,
        Ending::Partly(count) => {
            let what = if count == 1 { "1 file did".to_owned() } else { format!("{count} files did") };
            fail(ui, exit::DECLINED, "partly", &format!("{what} not arrive; the lines above say why"))
        }
        Ending::Declined => fail(ui, exit::DECLINED, "declined", "it was declined: nothing was received"),
        Ending::Failed(Failure::Tampered) => fail(
            ui,
            exit::TAMPERED,
            "tampered",
            "what came through the server was not sealed with this code. The server, or somebody on the way to it, \
             has changed it, or somebody without the code is in its place. Nothing was sent to them. Compare the code; if it \
             is right, use another server",
        ),
        Ending::Failed(Failure::Refused { code, message }) => {
            let next = match code.as_str() {
                "invitation_required" | "bad_invitation" => {
                    ": ask its operator for one, and name it with --invitation"
                }
                "wrong_kind" | "wrong_password" => ": make another code",
                _ => "",
            };
            fail(ui, exit::FAILED, "refused", &format!("the server refuses ({code}): {message}{next}"))
        }
        Ending::Failed(Failure::NoRelay) => fail(
            ui,
            exit::FAILED,
            "no_relay",
            "the server has no relay: use one that has, or do it without --relay-only, which shows your addresses to the \
             other side",
        ),
        Ending::Failed(Failure::Machine(why)) => fail(ui, exit::FAILED, "failed", &why),
        Ending::GivenUp => {
            let why = format!("nobody came back. What has arrived is kept; to go on: {again}");
            fail(ui, exit::UNFINISHED, "given_up", &why)
        }
        Ending::DiskFull(why) => {
            let why = format!("{why}. What has arrived is kept. Make room, then go on with: {again}");
            fail(ui, exit::UNFINISHED, "disk_full", &why)
        }
        Ending::Interrupted => {
            let why = format!("stopped. What has arrived is kept; to go on: {again}");
            fail(ui, exit::INTERRUPTED, "interrupted", &why)
        }
    }
}

fn fail(ui: &Ui, code: u8, name: &str, why: &str) -> ExitCode {
    ui.event("error", json!({ "code": name, "message": why, "exit": code }));
    eprintln!("twocan: {why}");
    ExitCode::from(code)
}
