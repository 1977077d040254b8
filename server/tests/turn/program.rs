//! A running `twocan serve` with its relay on loopback.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use turnclient::{Session, Target, Transport};

/// Longer than a busy machine takes to start a program.
const DEADLINE: Duration = Duration::from_secs(120);

/// The server, killed when dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) target: Target,
    _data: TempDir,
}

impl Program {
    pub(crate) fn start() -> Self {
        let (plain, tls) = (free_port(), free_port());
        let data = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_twocan"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TWOCAN_"))
        {
            command.env_remove(name);
        }
        let mut child = command
            .args(["serve", "--log", "warn", "--data-dir", data.path().to_str().unwrap()])
            .args(["--http", "127.0.0.1:0", "--https", "off", "--stun-alternate", "off"])
            .args(["--stun-turn", &format!("127.0.0.1:{plain},[::1]:{plain}")])
            .args(["--turns", &format!("127.0.0.1:{tls}")])
            .args([
                "--turn-user",
                "ada:lovelace",
                "--turn-user",
                "bob:builder",
                "--turn-secret",
                "a long secret",
            ])
            .args(["--allow-peer", "127.0.0.0/8", "--workers", "2"])
            .args(["--bandwidth-per-user", "0", "--bandwidth-per-address", "0"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let user = |name: &str, password: &str| (name.to_owned(), password.to_owned());
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let target = Target {
            server: at(plain),
            server_v6: Some(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], plain))),
            tls: Some(at(tls)),
            users: [user("ada", "lovelace"), user("bob", "builder")],
            secret: Some("a long secret".into()),
        };
        let start = Instant::now();
        // TCP refuses until the server is there.
        while Session::connect(&target, Transport::Tcp, 0).is_err()
            || Session::connect(&target, Transport::Tls, 0).is_err()
        {
            assert!(start.elapsed() < DEADLINE, "the server does not answer");
            assert_eq!(child.try_wait().unwrap(), None, "the server ended");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, target, _data: data }
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Free for UDP and TCP, below the ports of relayed addresses.
fn free_port() -> u16 {
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (0..1000)
        .map(|_| UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port())
        .find(|port| *port < 49152 && is_free(port))
        .expect("a free port below 49152")
}
