//! The places of a server: so many connections, and so many of them for one peer.

use crate::Limits;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Counts connections by peer. A peer is an IPv4 address, or the 2⁶⁴ IPv6 addresses that one
/// subscriber has.
pub(crate) struct Places {
    taken: Mutex<Taken>,
    max: usize,
    per_peer_max: usize,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// The server has as many connections as it may.
    Full,
    /// This peer has.
    PeerFull,
}

impl NoPlace {
    /// Its name in metrics.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Full => "connections_max",
            Self::PeerFull => "connections_per_peer_max",
        }
    }

    /// What the peer is told.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Full => "there are too many connections; try again in a moment\n",
            Self::PeerFull => {
                "your address has too many connections; close some, or use one for all\n"
            }
        }
    }
}

impl Places {
    /// As many as the limits say.
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        let taken = Mutex::default();
        let (max, per_peer_max) = (limits.connections_max, limits.connections_per_peer_max);
        Arc::new(Self { taken, max, per_peer_max })
    }

    /// A place for a connection of `address`.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, NoPlace> {
        let peer = peer_of(address);
        let mut taken = self.lock();
        if taken.all >= self.max {
            return Err(NoPlace::Full);
        }
        let of_peer = taken.by_peer.entry(peer).or_default();
        if *of_peer >= self.per_peer_max {
            return Err(NoPlace::PeerFull);
        }
        *of_peer += 1;
        taken.all += 1;
        Ok(Place { places: Arc::clone(self), peer })
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.lock().all
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Nothing that can panic runs under this lock.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the connections of a server, free again when this is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    peer: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        if let Some(of_peer) = taken.by_peer.get_mut(&self.peer) {
            *of_peer -= 1;
            if *of_peer == 0 {
                taken.by_peer.remove(&self.peer);
            }
        }
    }
}

fn peer_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            const PREFIX: u128 = !(u64::MAX as u128);
            Ipv6Addr::from_bits(address.to_bits() & PREFIX).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_peer_has_its_share_and_gives_it_back() {
        let limits =
            Limits { connections_max: 3, connections_per_peer_max: 2, ..Limits::default() };
        let places = Places::new(&limits);
        let take = |text| places.take(address(text));
        let (first, second) = (take("10.0.0.1"), take("::ffff:10.0.0.1"));
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(take("10.0.0.1").err(), Some(NoPlace::PeerFull));
        let third = take("10.0.0.2");
        assert!(third.is_ok());
        assert_eq!(take("10.0.0.3").err(), Some(NoPlace::Full));
        drop((first, third));
        assert!(take("10.0.0.1").is_ok());
        drop(second);
        assert_eq!(places.taken(), 0);
        assert!(places.lock().by_peer.is_empty());
    }

    #[test]
    fn a_network_of_64_bits_is_one_peer() {
        assert_eq!(peer_of(address("2001:db8:1:2:3::4")), peer_of(address("2001:db8:1:2::")));
        assert_ne!(peer_of(address("2001:db8:1:2::1")), peer_of(address("2001:db8:1:3::1")));
    }
}
