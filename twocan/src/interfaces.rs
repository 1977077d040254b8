//! This machine's addresses, read again only when they have changed.
//!
//! Reading them takes twenty system calls and more, and each connection with sockets of its own looks when it begins and
//! every few seconds after. Linux tells of changes (rtnetlink(7)); where nobody does, they are read each time.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use if_addrs::Interface;

thread_local! {
    /// Of each thread, as threads may be in different network namespaces; one that moves to another does so before it
    /// has any connection.
    static KNOWN: RefCell<Known> = const { RefCell::new(Known { changes: None, all: None }) };
}

struct Known {
    changes: Option<Changes>,
    all: Option<Rc<[Interface]>>,
}

/// All addresses of this machine, with their interfaces.
pub(crate) fn interfaces() -> io::Result<Rc<[Interface]>> {
    KNOWN.with_borrow_mut(Known::get)
}

impl Known {
    fn get(&mut self) -> io::Result<Rc<[Interface]>> {
        match &self.changes {
            Some(changes) if changes.is_any() => self.all = None,
            Some(_) => {}
            None => {
                self.all = None;
                // Before they are read, so that no change falls in between.
                self.changes = Changes::listen().ok();
            }
        }
        if let Some(all) = &self.all {
            return Ok(Rc::clone(all));
        }
        let all: Rc<[Interface]> = if_addrs::get_if_addrs()?.into();
        self.all = Some(Rc::clone(&all));
        Ok(all)
    }
}

#[cfg(target_os = "linux")]
use linux::Changes;

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::{AsRawFd as _, OwnedFd};

    use nix::errno::Errno;
    use nix::sys::socket::{
        AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
    };

    /// RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR.
    const GROUPS: u32 = 0x1 | 0x10 | 0x100;

    /// What the kernel says of interfaces and addresses.
    pub(super) struct Changes(OwnedFd);

    impl Changes {
        pub(super) fn listen() -> io::Result<Self> {
            let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
            let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
            bind(socket.as_raw_fd(), &NetlinkAddr::new(0, GROUPS))?;
            Ok(Self(socket))
        }

        /// Whether something has changed since the last call. What has is not read: where much has, some of it was lost.
        pub(super) fn is_any(&self) -> bool {
            let mut any = false;
            loop {
                // What is longer is cut off.
                match recv(self.0.as_raw_fd(), &mut [0; 16], MsgFlags::empty()) {
                    Ok(_) | Err(Errno::ENOBUFS) => any = true,
                    Err(Errno::EAGAIN) => return any,
                    Err(_) => return true,
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
struct Changes;

#[cfg(not(target_os = "linux"))]
impl Changes {
    fn listen() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn is_any(&self) -> bool {
        true
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::process::Command;

    use nix::sched::{CloneFlags, unshare};

    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    fn ip(arguments: &str) {
        let status = Command::new("ip").args(arguments.split(' ')).status().expect("ip is installed");
        assert!(status.success(), "ip {arguments}");
    }

    #[test]
    fn addresses_are_read_again_when_they_have_changed_and_not_before() {
        // In a namespace that nobody else changes, where that is allowed: in a thread, which alone enters it.
        std::thread::spawn(|| {
            if unshare(CloneFlags::CLONE_NEWNET).is_err() {
                println!("skipped: only root may make a network namespace");
                return;
            }
            let has = |all: &[Interface]| all.iter().any(|interface| interface.ip() == ADDRESS);
            ip("link set lo up");
            let before = interfaces().expect("addresses");
            assert!(!has(&before));
            assert!(Rc::ptr_eq(&before, &interfaces().expect("addresses")));
            ip("address add 192.0.2.1/32 dev lo");
            assert!(has(&interfaces().expect("addresses")));
            ip("address delete 192.0.2.1/32 dev lo");
            let after = interfaces().expect("addresses");
            assert!(!has(&after));
            assert!(Rc::ptr_eq(&after, &interfaces().expect("addresses")));
        })
        .join()
        .expect("no assertion failed");
    }
}
