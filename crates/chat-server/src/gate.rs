//! The gate: how many connections there may be, in all and from one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{PeerInfo, reason::Full};

#[derive(Debug)]
pub(crate) struct Gate {
    limit: usize,
    places: Arc<Semaphore>,
    addresses: Arc<Addresses>,
}

/// A place inside. It is given back when this is dropped, whatever becomes of the connection.
#[derive(Debug)]
pub(crate) struct Pass {
    _place: OwnedSemaphorePermit,
    _address: Option<AddressPass>,
}

impl Gate {
    pub(crate) fn new(places: usize, places_per_address: usize) -> Self {
        let addresses = Addresses { limit: places_per_address, inside: Mutex::default() };
        Self { limit: places, places: Arc::new(Semaphore::new(places)), addresses: Arc::new(addresses) }
    }

    /// Places that are taken.
    pub(crate) fn inside(&self) -> usize {
        self.limit - self.places.available_permits()
    }

    pub(crate) fn enter(&self, peer: &PeerInfo) -> Result<Pass, Full> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Full::Server)?;
        let address = match peer.address() {
            Some(address) => Some(Addresses::enter(&self.addresses, block(address.ip())).ok_or(Full::Address)?),
            None => None,
        };
        Ok(Pass { _place: place, _address: address })
    }
}

/// What counts as one address: an IPv4 address, or an IPv6 /64, of which one host may have all.
fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[derive(Debug)]
struct Addresses {
    limit: usize,
    /// Only addresses with somebody inside.
    inside: Mutex<HashMap<IpAddr, usize>>,
}

impl Addresses {
    fn enter(this: &Arc<Self>, address: IpAddr) -> Option<AddressPass> {
        let mut inside = this.inside();
        let count = inside.get(&address).copied().unwrap_or(0);
        if count >= this.limit {
            return None;
        }
        inside.insert(address, count + 1);
        Some(AddressPass { addresses: Arc::clone(this), address })
    }

    fn inside(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct AddressPass {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Drop for AddressPass {
    fn drop(&mut self) {
        let mut inside = self.addresses.inside();
        match inside.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(inside.remove(&self.address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn peer(address: &str) -> PeerInfo {
        PeerInfo::Address(SocketAddr::new(address.parse().unwrap(), 1))
    }

    #[test]
    fn places_are_limited_and_given_back() {
        let gate = Gate::new(2, 9);
        let first = gate.enter(&peer("127.0.0.1")).unwrap();
        let _second = gate.enter(&PeerInfo::named("gateway")).unwrap();
        assert_eq!(gate.enter(&peer("127.0.0.2")).unwrap_err(), Full::Server);
        drop(first);
        assert!(gate.enter(&peer("127.0.0.2")).is_ok());
    }

    #[test]
    fn an_address_has_its_share() {
        let gate = Gate::new(99, 1);
        let inside =
            ["10.0.0.1", "10.0.0.2", "2001:db8:0:1::1", "2001:db8:0:2::1"].map(|at| gate.enter(&peer(at)).unwrap());
        for again in ["10.0.0.1", "::ffff:10.0.0.2", "2001:db8:0:1:ffff::9"] {
            assert_eq!(gate.enter(&peer(again)).unwrap_err(), Full::Address, "{again}");
        }
        assert!(gate.enter(&PeerInfo::named("gateway")).is_ok(), "no address, no share");
        drop(inside);
        assert!(gate.addresses.inside().is_empty());
        assert_eq!(gate.places.available_permits(), 99, "who is refused for its address gives its place back");
    }
}
