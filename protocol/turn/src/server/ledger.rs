//! What several servers share: ports, quotas and reservations (RFC 8656 §7.2, §5).
//!
//! The lock is taken when an allocation is made or ends, never for a packet; bandwidth is metered with
//! one atomic operation.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::attribute::ReservationToken;

/// The bounds of everything that clients can fill.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Allocations in all.
    pub allocations: usize,
    /// Allocations of one user.
    pub allocations_per_user: usize,
    /// Allocations of one client address (of one /64 in IPv6).
    pub allocations_per_address: usize,
    /// Bytes per second of application data, both directions together, of one user; `None`: no limit.
    pub bandwidth_per_user: Option<u64>,
    /// The same for one client address.
    pub bandwidth_per_address: Option<u64>,
    /// Permissions of one relayed address.
    pub permissions: usize,
    /// Channels of one relayed address.
    pub channels: usize,
    /// Ports for relayed addresses.
    pub ports: RangeInclusive<u16>,
}

impl Default for Limits {
    /// 16,000 allocations in all, 64 per user, 256 per address, 64 permissions and channels each, no limit on
    /// bandwidth, ports 49152 to 65535.
    fn default() -> Self {
        Self {
            allocations: 16_000,
            allocations_per_user: 64,
            allocations_per_address: 256,
            bandwidth_per_user: None,
            bandwidth_per_address: None,
            permissions: 64,
            channels: 64,
            ports: 49152..=65535,
        }
    }
}

/// Reservations that wait at the same time.
const MAX_RESERVATIONS: usize = 1024;

/// How long a reserved port waits for its allocation: RFC 8656 §7.2 wants at least 30 s from the answer
/// on, which comes a little later than the reservation.
const RESERVATION_LIFETIME: Duration = Duration::from_secs(60);

/// Shared by servers on several threads.
pub struct Ledger {
    limits: Limits,
    epoch: Instant,
    machines: AtomicU64,
    inner: Mutex<Inner>,
}

struct Inner {
    allocations: usize,
    users: BTreeMap<Arc<str>, Account>,
    addresses: BTreeMap<IpAddr, Account>,
    /// One bit for each port that is in use or reserved.
    ports: Box<[u64; 1024]>,
    reservations: BTreeMap<ReservationToken, Reservation>,
}

struct Account {
    allocations: usize,
    meter: Option<Arc<Meter>>,
}

struct Reservation {
    port: u16,
    ip: IpAddr,
    expiry: Instant,
}

/// One allocation's place in the ledger.
pub(super) struct Entry {
    user: Arc<str>,
    address: IpAddr,
    meters: [Option<Arc<Meter>>; 2],
}

/// Which quota is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The user's or the address's: error 486.
    Quota,
    /// The server's: error 508.
    Capacity,
}

impl Ledger {
    /// An empty ledger. `now` is any instant from which bandwidth is metered.
    pub fn new(limits: Limits, now: Instant) -> Self {
        let inner = Inner {
            allocations: 0,
            users: BTreeMap::new(),
            addresses: BTreeMap::new(),
            ports: Box::new([0; 1024]),
            reservations: BTreeMap::new(),
        };
        Self { limits, epoch: now, machines: AtomicU64::new(0), inner: Mutex::new(inner) }
    }

    /// The bounds it keeps.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How many allocations there are, on all servers.
    pub fn allocations(&self) -> usize {
        self.lock().allocations
    }

    /// Whether nothing is in it, once the reservations of this time are over.
    #[cfg(test)]
    pub(super) fn is_empty(&self, now: Instant) -> bool {
        let mut inner = self.lock();
        inner.forget_reservations(now);
        inner.allocations == 0
            && inner.users.is_empty()
            && inner.addresses.is_empty()
            && inner.reservations.is_empty()
            && inner.ports.iter().all(|word| *word == 0)
    }

    /// How many ports are in use or reserved.
    #[cfg(test)]
    pub(super) fn ports_taken(&self) -> u32 {
        self.lock().ports.iter().map(|word| word.count_ones()).sum()
    }

    pub(super) fn next_machine(&self) -> u64 {
        self.machines.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts an allocation in, if every quota allows it.
    pub(super) fn enter(&self, user: &str, client: IpAddr) -> Result<Entry, Refused> {
        let limits = &self.limits;
        let address = subscriber(client);
        let mut guard = self.lock();
        let inner = &mut *guard;
        if inner.allocations >= limits.allocations {
            return Err(Refused::Capacity);
        }
        let used = |account: Option<&Account>| account.map_or(0, |account| account.allocations);
        if used(inner.users.get(user)) >= limits.allocations_per_user
            || used(inner.addresses.get(&address)) >= limits.allocations_per_address
        {
            return Err(Refused::Quota);
        }
        inner.allocations += 1;
        let user: Arc<str> = match inner.users.get_key_value(user) {
            Some((known, _)) => Arc::clone(known),
            None => user.into(),
        };
        let of_user =
            inner.users.entry(Arc::clone(&user)).or_insert_with(|| Account::new(limits.bandwidth_per_user));
        of_user.allocations += 1;
        let user_meter = of_user.meter.clone();
        let of_address =
            inner.addresses.entry(address).or_insert_with(|| Account::new(limits.bandwidth_per_address));
        of_address.allocations += 1;
        Ok(Entry { user, address, meters: [user_meter, of_address.meter.clone()] })
    }

    /// Counts an allocation out.
    pub(super) fn leave(&self, entry: &Entry) {
        let mut guard = self.lock();
        let inner = &mut *guard;
        inner.allocations = inner.allocations.saturating_sub(1);
        if let Some(account) = inner.users.get_mut(&entry.user) {
            account.allocations -= 1;
            if account.allocations == 0 {
                inner.users.remove(&entry.user);
            }
        }
        if let Some(account) = inner.addresses.get_mut(&entry.address) {
            account.allocations -= 1;
            if account.allocations == 0 {
                inner.addresses.remove(&entry.address);
            }
        }
    }

    /// Takes a free port, the first one from a random place on. `even`: an even one. `reserve`: whose successor
    /// is free too, and is kept at this address for whoever brings the token.
    pub(super) fn take_port(
        &self,
        now: Instant,
        random: u16,
        even: bool,
        reserve: Option<(IpAddr, ReservationToken)>,
    ) -> Option<u16> {
        let pair = reserve.is_some();
        let (first, last) = (u32::from(*self.limits.ports.start()), u32::from(*self.limits.ports.end()));
        let count = (last + 1).checked_sub(first).filter(|count| *count > 0)?;
        let mut inner = self.lock();
        inner.forget_reservations(now);
        if pair && inner.reservations.len() >= MAX_RESERVATIONS {
            return None;
        }
        let start = u32::from(random) % count;
        let port = (0..count).filter_map(|step| u16::try_from(first + (start + step) % count).ok()).find(
            |port| {
                (!even || port % 2 == 0)
                    && !inner.is_taken(*port)
                    && (!pair || (u32::from(*port) < last && !inner.is_taken(port + 1)))
            },
        )?;
        inner.set_port(port, true);
        if let Some((ip, token)) = reserve {
            inner.set_port(port + 1, true);
            let expiry = now + RESERVATION_LIFETIME;
            inner.reservations.insert(token, Reservation { port: port + 1, ip, expiry });
        }
        Some(port)
    }

    pub(super) fn give_port(&self, port: u16) {
        self.lock().set_port(port, false);
    }

    /// Ends a reservation that nobody will hear of.
    pub(super) fn cancel(&self, token: ReservationToken) {
        let mut inner = self.lock();
        if let Some(reservation) = inner.reservations.remove(&token) {
            inner.set_port(reservation.port, false);
        }
    }

    /// The reserved port of a token, and the local address it lies on. It is the caller's from now on.
    pub(super) fn claim(&self, now: Instant, token: ReservationToken) -> Option<(IpAddr, u16)> {
        let mut inner = self.lock();
        inner.forget_reservations(now);
        inner.reservations.remove(&token).map(|reservation| (reservation.ip, reservation.port))
    }

    /// Whether `bytes` more fit into the entry's bandwidth; only if so, they are counted.
    pub(super) fn admits(&self, entry: &Entry, now: Instant, bytes: usize) -> bool {
        let since = || now.saturating_duration_since(self.epoch);
        match &entry.meters {
            [None, None] => true,
            [Some(meter), None] | [None, Some(meter)] => meter.admits(since(), bytes),
            [Some(user), Some(address)] => {
                let admitted = user.admits(since(), bytes);
                let both = admitted && address.admits(since(), bytes);
                if admitted && !both {
                    user.refund(bytes);
                }
                both
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics between two changes that belong together.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn is_taken(&self, port: u16) -> bool {
        self.ports[usize::from(port / 64)] >> (port % 64) & 1 != 0
    }

    fn set_port(&mut self, port: u16, taken: bool) {
        let word = &mut self.ports[usize::from(port / 64)];
        *word = *word & !(1 << (port % 64)) | u64::from(taken) << (port % 64);
    }

    fn forget_reservations(&mut self, now: Instant) {
        let ports = &mut self.ports;
        self.reservations.retain(|_, reservation| {
            let keep = reservation.expiry > now;
            if !keep {
                ports[usize::from(reservation.port / 64)] &= !(1 << (reservation.port % 64));
            }
            keep
        });
    }
}

impl Account {
    fn new(bandwidth: Option<u64>) -> Self {
        Self { allocations: 0, meter: bandwidth.map(|bandwidth| Arc::new(Meter::new(bandwidth))) }
    }
}

/// One subscriber's address: an IPv6 host commands a whole /64.
fn subscriber(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

/// A rate limit as the generic cell rate algorithm: the time at which everything admitted so far would
/// have been sent at the allowed rate.
struct Meter {
    picoseconds_per_byte: u64,
    /// Nanoseconds since the ledger's epoch.
    sent_by: AtomicU64,
}

/// How far ahead of its rate a sender may be: one second's worth.
const BURST: u64 = 1_000_000_000;

impl Meter {
    fn new(bytes_per_second: u64) -> Self {
        let picoseconds_per_byte = 1_000_000_000_000 / bytes_per_second.clamp(1, 1_000_000_000_000);
        Self { picoseconds_per_byte, sent_by: AtomicU64::new(0) }
    }

    fn cost(&self, bytes: usize) -> u64 {
        (bytes as u64).saturating_mul(self.picoseconds_per_byte) / 1000
    }

    /// Takes back what was admitted and not sent.
    fn refund(&self, bytes: usize) {
        self.sent_by.fetch_sub(self.cost(bytes), Ordering::Relaxed);
    }

    fn admits(&self, now: Duration, bytes: usize) -> bool {
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX / 2);
        let cost = self.cost(bytes);
        self.sent_by
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |sent_by| {
                let after = sent_by.max(now).saturating_add(cost);
                (after <= now.saturating_add(BURST)).then_some(after)
            })
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_admits_its_rate_after_one_second_of_burst() {
        let meter = Meter::new(1_000_000);
        let admitted = |from: u64, packets: u64| {
            (0..packets).filter(|i| meter.admits(Duration::from_millis(from + i), 1000)).count()
        };
        // Ten packets a millisecond apart for a second would be ten times too many; here one each: all pass.
        assert_eq!(admitted(0, 1000), 1000);
        let burst = (0..2000).filter(|_| meter.admits(Duration::from_secs(10), 1000)).count();
        assert_eq!(burst, 1000);
        assert!(!meter.admits(Duration::from_secs(10), 1000));
        assert!(meter.admits(Duration::from_millis(10_001), 1000));
    }

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn token(number: u8) -> ReservationToken {
        ReservationToken([number; 8])
    }

    fn reserve(number: u8) -> Option<(IpAddr, ReservationToken)> {
        Some((HOME, token(number)))
    }

    fn ledger(ports: RangeInclusive<u16>, now: Instant) -> Ledger {
        Ledger::new(Limits { ports, ..Limits::default() }, now)
    }

    #[test]
    fn ports_are_all_used_before_none_is_left() {
        let now = super::super::tests::start();
        let ledger = ledger(50_001..=50_005, now);
        // 50,003 is kept for the token.
        assert_eq!(ledger.take_port(now, 0, true, reserve(1)), Some(50_002));
        assert_eq!(ledger.take_port(now, 1, true, None), Some(50_004));
        assert_eq!(ledger.take_port(now, 1, true, None), None);
        let mut rest: Vec<_> = (0..2).map(|_| ledger.take_port(now, 9, false, None).unwrap()).collect();
        rest.sort_unstable();
        assert_eq!(rest, [50_001, 50_005]);
        assert_eq!(ledger.take_port(now, 9, false, None), None);
        ledger.give_port(50_001);
        assert_eq!(ledger.take_port(now, 9, false, None), Some(50_001));
    }

    #[test]
    fn a_pair_needs_both_of_its_ports() {
        let now = super::super::tests::start();
        // The last port has no successor in the range; an odd one cannot be the first.
        assert_eq!(ledger(50_001..=50_002, now).take_port(now, 0, true, reserve(1)), None);
        let ledger = ledger(50_000..=50_001, now);
        assert_eq!(ledger.take_port(now, 1, false, None), Some(50_001));
        assert_eq!(ledger.take_port(now, 0, true, reserve(1)), None);
        ledger.give_port(50_001);
        assert_eq!(ledger.take_port(now, 0, true, reserve(1)), Some(50_000));
    }

    #[test]
    fn a_reservation_is_claimed_once_and_in_time() {
        let now = super::super::tests::start();
        let ledger = ledger(50_000..=50_001, now);
        let later = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(ledger.take_port(now, 0, true, reserve(1)), Some(50_000));
        assert_eq!(ledger.take_port(now, 0, false, None), None);
        assert_eq!(ledger.claim(later(30), token(2)), None);
        assert_eq!(ledger.claim(later(30), token(1)), Some((HOME, 50_001)));
        assert_eq!(ledger.claim(later(30), token(1)), None);
        ledger.give_port(50_000);
        ledger.give_port(50_001);
        assert_eq!(ledger.take_port(now, 0, true, reserve(3)), Some(50_000));
        assert_eq!(ledger.claim(later(60), token(3)), None);
        assert_eq!(ledger.take_port(later(60), 0, false, None), Some(50_001));
    }

    #[test]
    fn a_cancelled_reservation_gives_its_port_back() {
        let now = super::super::tests::start();
        let ledger = ledger(50_000..=50_001, now);
        assert_eq!(ledger.take_port(now, 0, true, reserve(1)), Some(50_000));
        ledger.cancel(token(1));
        assert_eq!(ledger.claim(now, token(1)), None);
        assert_eq!(ledger.take_port(now, 0, false, None), Some(50_001));
        ledger.cancel(token(1));
        assert_eq!(ledger.take_port(now, 0, false, None), None);
    }

    #[test]
    fn reservations_are_bounded() {
        let now = super::super::tests::start();
        let ledger = ledger(49_152..=65_535, now);
        let many = u64::try_from(MAX_RESERVATIONS).unwrap();
        let reserve = |number: u64| {
            ledger.take_port(now, 0, true, Some((HOME, ReservationToken(number.to_be_bytes()))))
        };
        assert!((0..many).all(|number| reserve(number).is_some()));
        assert_eq!(reserve(many), None);
        assert!(ledger.take_port(now, 0, true, None).is_some());
    }

    #[test]
    fn what_one_meter_refuses_the_other_does_not_count() {
        let now = super::super::tests::start();
        let limits = Limits {
            bandwidth_per_user: Some(3_000),
            bandwidth_per_address: Some(2_000),
            ..Limits::default()
        };
        let ledger = Ledger::new(limits, now);
        let other = IpAddr::from([127, 0, 0, 2]);
        let (here, there) =
            (ledger.enter("ada", HOME).ok().unwrap(), ledger.enter("ada", other).ok().unwrap());
        assert!(ledger.admits(&here, now, 2_000));
        assert!(!ledger.admits(&here, now, 1_000));
        assert!(ledger.admits(&there, now, 1_000));
        assert!(!ledger.admits(&there, now, 1));
    }

    #[test]
    fn quotas_count_users_and_addresses_apart() {
        let now = super::super::tests::start();
        let limits = Limits {
            allocations: 4,
            allocations_per_user: 2,
            allocations_per_address: 3,
            ..Limits::default()
        };
        let ledger = Ledger::new(limits, now);
        let (home, other): (IpAddr, IpAddr) =
            ("2001:db8::1".parse().unwrap(), "2001:db8:0:1::1".parse().unwrap());
        let first = ledger.enter("ada", home).ok().unwrap();
        assert!(ledger.enter("ada", home).is_ok());
        assert_eq!(ledger.enter("ada", other).err(), Some(Refused::Quota));
        assert!(ledger.enter("bob", "2001:db8::2".parse().unwrap()).is_ok());
        assert_eq!(ledger.enter("cyd", "2001:db8::3".parse().unwrap()).err(), Some(Refused::Quota));
        assert!(ledger.enter("cyd", other).is_ok());
        assert_eq!(ledger.enter("dan", other).err(), Some(Refused::Capacity));
        ledger.leave(&first);
        assert!(ledger.enter("ada", home).is_ok());
        assert_eq!(ledger.allocations(), 4);
    }
}
