//! A process that does on its sockets what lines on standard input say, and tells what happens to them in
//! lines on standard output. The tests' hands inside a namespace: a thread cannot enter one without unsafe code.
//!
//! | line in | does | line out |
//! |---|---|---|
//! | `udp ADDRESS` | binds a UDP socket, the n-th from 0 | `bound ADDRESS` |
//! | `send N ADDRESS TEXT` | sends from the n-th | `sent` |
//! | `listen ADDRESS` | accepts TCP connections and closes them | `listening ADDRESS` |
//! | `connect ADDRESS` | connects by TCP, waiting at most 2 s | `connected` or `refused` |
//! | – | a datagram came | `got N ADDRESS TEXT` |
//! | – | a TCP connection came | `accepted ADDRESS` |

use std::io::{self, BufRead as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(2);

/// Follows standard input to its end.
pub(crate) fn perform() -> io::Result<()> {
    let mut sockets: Vec<Arc<UdpSocket>> = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<_> = line.splitn(4, ' ').collect();
        match words[..] {
            ["udp", address] => {
                let socket = Arc::new(UdpSocket::bind(address)?);
                tell(&format!("bound {}", socket.local_addr()?));
                let (number, listening) = (sockets.len(), Arc::clone(&socket));
                thread::spawn(move || tell_datagrams(number, &listening));
                sockets.push(socket);
            }
            ["send", number, address, text] => {
                let socket = number.parse::<usize>().ok().and_then(|number| sockets.get(number));
                let Some(socket) = socket else { return Err(io::Error::other("no such socket")) };
                // A datagram may be lost, as on any network; whoever waits for it will notice.
                let _ = socket.send_to(text.as_bytes(), address);
                tell("sent");
            }
            ["listen", address] => {
                let listener = TcpListener::bind(address)?;
                tell(&format!("listening {}", listener.local_addr()?));
                thread::spawn(move || tell_connections(&listener));
            }
            ["connect", address] => {
                let address: SocketAddr = address.parse().map_err(io::Error::other)?;
                let connected = TcpStream::connect_timeout(&address, CONNECT).is_ok();
                tell(if connected { "connected" } else { "refused" });
            }
            _ => return Err(io::Error::other(format!("no such command: {line}"))),
        }
    }
    Ok(())
}

fn tell_datagrams(number: usize, socket: &UdpSocket) {
    let mut buffer = [0; 2048];
    loop {
        // An earlier datagram's ICMP error surfaces here; the socket lives on.
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        tell(&format!("got {number} {from} {}", String::from_utf8_lossy(&buffer[..length])));
    }
}

fn tell_connections(listener: &TcpListener) {
    while let Ok((_, from)) = listener.accept() {
        tell(&format!("accepted {from}"));
    }
}

fn tell(line: &str) {
    let mut output = io::stdout().lock();
    // Without a reader there is nobody left to work for; standard input will end too.
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}
