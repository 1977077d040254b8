//! Completion: one multishot receive for each socket into a ring of buffers, sends from where the bytes arrived,
//! everything submitted and awaited with one system call a turn.
#![expect(unsafe_code, reason = "io_uring's interface has no safe form: see the crate's documentation")]

use std::alloc::Layout;
use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use io_uring::types::{BufRingEntry, Fd, RecvMsgOut};
use io_uring::{IoUring, cqueue, opcode, squeue};
use nix::libc;

/// With GRO, up to 64 datagrams arrive as one; then the kernel's header, the address and the control message.
const BUFFER_LEN: usize = (1 << 16) + 256;

/// A power of two.
const BUFFERS: u16 = 256;

const GROUP: u16 = 0;

/// Completions of sends carry the buffer's number, those of receives the socket's and this.
const RECEIVE: u64 = 1 << 32;

/// A send under way: what the kernel is told must stay where it is.
struct Send {
    header: libc::msghdr,
    slice: libc::iovec,
    name: libc::sockaddr_storage,
    /// Eight bytes aligned, as a `cmsghdr` is: its length, level and type, then the segment's size.
    control: [u64; 3],
}

/// The buffers that receives choose from.
struct Buffers {
    memory: Vec<u8>,
    ring: *mut BufRingEntry,
    tail: u16,
}

pub(super) fn run(sockets: &[UdpSocket], rest: Option<Duration>) -> io::Result<()> {
    let mut ring =
        IoUring::<squeue::Entry>::builder().setup_single_issuer().setup_defer_taskrun().build(1024)?;
    let mut buffers = Buffers::new();
    // SAFETY: the ring's memory is never freed.
    unsafe { ring.submitter().register_buf_ring_with_flags(buffers.ring as u64, BUFFERS, GROUP, 0)? };
    // SAFETY: all-zero bytes are a valid `msghdr`: nothing asked for yet.
    let mut wanted: libc::msghdr = unsafe { std::mem::zeroed() };
    wanted.msg_namelen = size_of::<libc::sockaddr_in6>() as u32;
    wanted.msg_controllen = 64;
    // SAFETY: all-zero bytes are valid for each of its fields.
    let mut sends: Vec<Send> = (0..BUFFERS).map(|_| unsafe { std::mem::zeroed() }).collect();
    for socket in sockets {
        nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::UdpGroSegment, &true)?;
    }
    let mut rearm: Vec<usize> = (0..sockets.len()).collect();
    let mut done: Vec<cqueue::Entry> = Vec::new();
    loop {
        for index in rearm.drain(..) {
            let receive = opcode::RecvMsgMulti::new(Fd(sockets[index].as_raw_fd()), &raw const wanted, GROUP);
            push(&mut ring, &receive.build().user_data(RECEIVE | index as u64))?;
        }
        ring.submit_and_wait(1)?;
        done.extend(ring.completion());
        for completion in done.drain(..) {
            if completion.user_data() & RECEIVE == 0 {
                buffers.give_back(completion.user_data() as u16);
                continue;
            }
            let index = (completion.user_data() & !RECEIVE) as usize;
            if !cqueue::more(completion.flags()) {
                rearm.push(index);
            }
            let Some(buffer) = cqueue::buffer_select(completion.flags()) else { continue };
            if send_back(&mut sends[usize::from(buffer)], buffers.filled(buffer), &wanted).is_none() {
                buffers.give_back(buffer);
                continue;
            }
            let send = opcode::SendMsg::new(
                Fd(sockets[index].as_raw_fd()),
                &raw const sends[usize::from(buffer)].header,
            );
            push(&mut ring, &send.build().user_data(u64::from(buffer)))?;
        }
        if let Some(rest) = rest {
            ring.submit()?;
            std::thread::sleep(rest);
        }
    }
}

fn push(ring: &mut IoUring, entry: &squeue::Entry) -> io::Result<()> {
    // SAFETY: what entries point to (buffers, headers, the list of sends) lives as long as the ring.
    while unsafe { ring.submission().push(entry) }.is_err() {
        ring.submit()?;
    }
    Ok(())
}

/// Fills in the answer to what arrived; nothing if it cannot be read.
fn send_back(send: &mut Send, received: &[u8], wanted: &libc::msghdr) -> Option<()> {
    let message = RecvMsgOut::parse(received, wanted).ok()?;
    let (name, payload) = (message.name_data(), message.payload_data());
    // SAFETY: the address has room for any, and comes as the kernel wrote it.
    unsafe { std::ptr::copy_nonoverlapping(name.as_ptr(), (&raw mut send.name).cast(), name.len()) };
    send.slice = libc::iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: payload.len() };
    send.header.msg_name = (&raw mut send.name).cast();
    send.header.msg_namelen = name.len() as u32;
    send.header.msg_iov = &raw mut send.slice;
    send.header.msg_iovlen = 1;
    send.header.msg_control = std::ptr::null_mut();
    send.header.msg_controllen = 0;
    if let Some(segment) = segment(message.control_data()).filter(|segment| *segment < payload.len()) {
        let kind = libc::SOL_UDP as u64 | (libc::UDP_SEGMENT as u64) << 32;
        send.control = [18, kind, segment as u64];
        send.header.msg_control = send.control.as_mut_ptr().cast();
        send.header.msg_controllen = size_of_val(&send.control);
    }
    Some(())
}

/// What GRO says of the datagrams' size: the only control message that was asked for.
fn segment(control: &[u8]) -> Option<usize> {
    let value: [u8; 4] = control.get(16..20)?.try_into().ok()?;
    usize::try_from(i32::from_ne_bytes(value)).ok()
}

impl Buffers {
    fn new() -> Self {
        let layout =
            Layout::array::<BufRingEntry>(usize::from(BUFFERS)).and_then(|layout| layout.align_to(4096));
        let layout = layout.unwrap_or_else(|_| unreachable!("a few KiB"));
        // SAFETY: the layout is not empty. Never freed: the kernel keeps it.
        let ring = unsafe { std::alloc::alloc_zeroed(layout) }.cast::<BufRingEntry>();
        assert!(!ring.is_null(), "no memory");
        let mut buffers = Self { memory: vec![0; BUFFER_LEN * usize::from(BUFFERS)], ring, tail: 0 };
        (0..BUFFERS).for_each(|buffer| buffers.give_back(buffer));
        buffers
    }

    fn filled(&self, buffer: u16) -> &[u8] {
        &self.memory[usize::from(buffer) * BUFFER_LEN..][..BUFFER_LEN]
    }

    /// The kernel may fill it again.
    fn give_back(&mut self, buffer: u16) {
        let start = self.memory[usize::from(buffer) * BUFFER_LEN..].as_mut_ptr();
        // SAFETY: the ring has BUFFERS entries, and the kernel reads those before the tail only.
        unsafe {
            let entry = &mut *self.ring.add(usize::from(self.tail % BUFFERS));
            entry.set_addr(start as u64);
            entry.set_len(BUFFER_LEN as u32);
            entry.set_bid(buffer);
            self.tail = self.tail.wrapping_add(1);
            let tail = BufRingEntry::tail(self.ring).cast::<AtomicU16>();
            (*tail).store(self.tail, Ordering::Release);
        }
    }
}
