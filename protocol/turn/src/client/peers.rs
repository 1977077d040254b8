//! Whom we may hear through the relay: permissions by address, channels by address and port (RFC 8656 §9, §12).

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::channel::ChannelNumber;

/// A permission lives five minutes; it is asked for again after four.
const RENEW_PERMISSION: Duration = Duration::from_secs(240);

/// A channel lives ten minutes, and the permission that comes with it five.
const RENEW_CHANNEL: Duration = Duration::from_secs(240);

/// At most so many peers' addresses, and so many channels.
pub(super) const MAX_PEERS: usize = 64;

/// How many peers are asked for in one request.
const BATCH: usize = 8;

/// How many requests for permissions are outstanding at the same time.
const ASKING_AT_ONCE: usize = 4;

/// How many ChannelBind requests are outstanding at the same time.
const BINDING_AT_ONCE: usize = 4;

/// Where a permission or a channel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// To be asked for; `alone`, because in company it was refused.
    Wanted { alone: bool },
    /// Asked for the first time.
    Asked,
    /// Granted; to be asked for again then.
    Granted { renew: Instant },
    /// Granted, and asked for again.
    Renewing,
    /// The server said no.
    Denied,
}

impl Standing {
    fn is_granted(self) -> bool {
        matches!(self, Self::Granted { .. } | Self::Renewing)
    }

    fn is_asked(self) -> bool {
        matches!(self, Self::Asked | Self::Renewing)
    }

    fn is_due(self, now: Instant) -> bool {
        match self {
            Self::Wanted { .. } => true,
            Self::Granted { renew } => renew <= now,
            _ => false,
        }
    }

    /// Whether both may be asked for in one request.
    fn goes_with(self, other: Self) -> bool {
        match (self, other) {
            (Self::Wanted { alone }, Self::Wanted { alone: other }) => alone == other,
            _ => self.is_granted() && other.is_granted(),
        }
    }

    fn ask(&mut self) {
        *self = if self.is_granted() { Self::Renewing } else { Self::Asked };
    }

    fn ask_again(&mut self, now: Instant) {
        *self = if self.is_granted() { Self::Granted { renew: now } } else { Self::Wanted { alone: false } };
    }
}

#[derive(Debug)]
struct Channel {
    number: ChannelNumber,
    standing: Standing,
}

/// There is no room for another peer, or no channel number left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyPeers;

impl std::fmt::Display for TooManyPeers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the relay has {MAX_PEERS} peers already: revoke one first")
    }
}

impl std::error::Error for TooManyPeers {}

#[derive(Debug, Default)]
pub(super) struct Peers {
    permissions: BTreeMap<IpAddr, Standing>,
    channels: BTreeMap<SocketAddr, Channel>,
    numbers: BTreeMap<ChannelNumber, SocketAddr>,
    /// How many numbers were given out: none is used for two peers.
    given: u16,
    /// Requests for permissions that are outstanding.
    asking: usize,
}

impl Peers {
    pub(super) fn permit(&mut self, ip: IpAddr) -> Result<(), TooManyPeers> {
        if !self.permissions.contains_key(&ip) {
            if self.permissions.len() >= MAX_PEERS {
                return Err(TooManyPeers);
            }
            self.permissions.insert(ip, Standing::Wanted { alone: false });
        }
        Ok(())
    }

    pub(super) fn revoke(&mut self, ip: IpAddr) {
        self.retain(&|peer| peer != ip);
    }

    pub(super) fn retain(&mut self, keep: &dyn Fn(IpAddr) -> bool) {
        self.permissions.retain(|ip, _| keep(*ip));
        // A channel lives on at the server for a while, and its number is not used again.
        self.channels.retain(|peer, _| keep(peer.ip()));
        self.numbers.retain(|_, peer| keep(peer.ip()));
    }

    pub(super) fn bind(&mut self, peer: SocketAddr) -> Result<(), TooManyPeers> {
        self.permit(peer.ip())?;
        if self.channels.contains_key(&peer) {
            return Ok(());
        }
        let number = ChannelNumber::new(ChannelNumber::FIRST.get() + self.given).ok_or(TooManyPeers)?;
        if self.channels.len() >= MAX_PEERS {
            return Err(TooManyPeers);
        }
        self.given += 1;
        self.channels.insert(peer, Channel { number, standing: Standing::Wanted { alone: false } });
        self.numbers.insert(number, peer);
        Ok(())
    }

    /// The channel to a peer, once it is bound.
    pub(super) fn channel(&self, peer: SocketAddr) -> Option<ChannelNumber> {
        self.channels.get(&peer).filter(|channel| channel.standing.is_granted()).map(|channel| channel.number)
    }

    /// Whose channel it is. The server may use it before its answer to our request arrives.
    pub(super) fn peer(&self, number: ChannelNumber) -> Option<SocketAddr> {
        self.numbers.get(&number).copied()
    }

    pub(super) fn is_permitted(&self, ip: IpAddr) -> bool {
        self.permissions.get(&ip).is_some_and(|standing| standing.is_granted())
    }

    pub(super) fn is_denied(&self, ip: IpAddr) -> bool {
        self.permissions.get(&ip) == Some(&Standing::Denied)
    }

    /// Whether it was ever asked for: data may arrive before the answer to the request does.
    pub(super) fn is_known(&self, ip: IpAddr) -> bool {
        self.permissions.get(&ip).is_some_and(|standing| *standing != Standing::Denied)
    }

    fn may_ask(&self) -> bool {
        self.asking < ASKING_AT_ONCE
    }

    fn may_bind(&self) -> bool {
        let asked = self.channels.values().filter(|channel| channel.standing.is_asked()).count();
        asked < BINDING_AT_ONCE
    }

    /// The permissions to ask for next, in one request; nothing while enough are outstanding.
    pub(super) fn next_permissions(&mut self, now: Instant) -> Option<Vec<IpAddr>> {
        if !self.may_ask() {
            return None;
        }
        let due = |standing: &Standing| standing.is_due(now);
        let first = *self.permissions.values().find(|standing| due(standing))?;
        let batch = if first == (Standing::Wanted { alone: true }) { 1 } else { BATCH };
        let mut chosen = Vec::new();
        for (ip, standing) in &mut self.permissions {
            // A new one that is refused shall not spoil those that are renewed.
            if chosen.len() < batch && due(standing) && standing.goes_with(first) {
                standing.ask();
                chosen.push(*ip);
            }
        }
        self.asking += 1;
        Some(chosen)
    }

    /// The channel to bind next.
    pub(super) fn next_channel(&mut self, now: Instant) -> Option<(ChannelNumber, SocketAddr)> {
        if !self.may_bind() {
            return None;
        }
        let due = |(_, channel): &(&SocketAddr, &mut Channel)| channel.standing.is_due(now);
        let (peer, channel) = self.channels.iter_mut().find(due)?;
        channel.standing.ask();
        Some((channel.number, *peer))
    }

    /// The answer to a request for permissions; whom it denies, and whom it permits for the first time.
    pub(super) fn permissions_answered(
        &mut self,
        now: Instant,
        ips: &[IpAddr],
        granted: bool,
    ) -> (Vec<IpAddr>, Vec<IpAddr>) {
        self.asking = self.asking.saturating_sub(1);
        let (mut permitted, mut denied) = (Vec::new(), Vec::new());
        for ip in ips {
            let Some(standing) = self.permissions.get_mut(ip) else { continue };
            if granted {
                permitted.extend((!standing.is_granted()).then_some(*ip));
                *standing = Standing::Granted { renew: now + RENEW_PERMISSION };
            } else if ips.len() > 1 {
                // One of them spoils it for all (§10.2): each is asked for alone.
                *standing = Standing::Wanted { alone: true };
            } else {
                *standing = Standing::Denied;
                denied.push(*ip);
            }
        }
        (permitted, denied)
    }

    /// No answer came: it is asked for again, and what was granted stays so.
    pub(super) fn permissions_unanswered(&mut self, now: Instant, ips: &[IpAddr]) {
        self.asking = self.asking.saturating_sub(1);
        for ip in ips {
            if let Some(standing) = self.permissions.get_mut(ip) {
                standing.ask_again(now);
            }
        }
    }

    /// The same for a channel.
    pub(super) fn channel_unanswered(&mut self, now: Instant, peer: SocketAddr) {
        if let Some(channel) = self.channels.get_mut(&peer) {
            channel.standing.ask_again(now);
        }
    }

    /// The answer to a request for a channel; whether it is bound for the first time.
    pub(super) fn channel_answered(&mut self, now: Instant, peer: SocketAddr, granted: bool) -> bool {
        let Some(channel) = self.channels.get_mut(&peer) else { return false };
        let first = granted && !channel.standing.is_granted();
        // Without a channel there still are Send indications.
        channel.standing =
            if granted { Standing::Granted { renew: now + RENEW_CHANNEL } } else { Standing::Denied };
        first
    }

    /// When something is to be asked for again. What waits until fewer requests are outstanding is asked for after the
    /// next answer: no time is worth waking up for.
    pub(super) fn next_renewal(&self) -> Option<Instant> {
        let (may_ask, may_bind) = (self.may_ask(), self.may_bind());
        let permissions = self.permissions.values().copied().filter(|_| may_ask);
        let channels = self.channels.values().map(|channel| channel.standing).filter(|_| may_bind);
        let renew = |standing| match standing {
            Standing::Granted { renew } => Some(renew),
            _ => None,
        };
        permissions.chain(channels).filter_map(renew).min()
    }
}
