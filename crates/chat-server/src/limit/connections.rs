//! How many connections there may be, in all and from one address, and how often one address may connect.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::{
    addresses::{AddressPass, Addresses},
    rate::{Level, Meter},
};
use crate::{PeerInfo, options::Options, reason::Full};

#[derive(Debug)]
pub(crate) struct Connections {
    limit: usize,
    places: Arc<Semaphore>,
    addresses: Arc<Addresses>,
}

/// A connection's place, and its lines' meter. The place is given back when this is dropped, whatever becomes of the
/// connection.
#[derive(Debug)]
pub(crate) struct Pass {
    _place: OwnedSemaphorePermit,
    lines: Lines,
}

#[derive(Debug)]
enum Lines {
    /// Its address's, which outlives the connection.
    OfAddress(AddressPass),
    /// Its own, where there is no address to share it with.
    Own(Level),
}

impl Connections {
    pub(crate) fn new(options: &Options) -> Self {
        // More than this the semaphore cannot count; it is more than there are sockets.
        let limit = options.max_clients.map_or(Semaphore::MAX_PERMITS, |limit| limit.min(Semaphore::MAX_PERMITS));
        Self { limit, places: Arc::new(Semaphore::new(limit)), addresses: Arc::new(Addresses::new(options)) }
    }

    /// Places that are taken.
    pub(crate) fn inside(&self) -> usize {
        self.limit - self.places.available_permits()
    }

    pub(crate) fn enter(&self, peer: &PeerInfo) -> Result<Pass, Full> {
        let place = || Arc::clone(&self.places).try_acquire_owned().map_err(|_| Full::Server);
        Ok(match peer.address() {
            // The address first: it is to pay for what it asks, whether or not there is a place.
            Some(address) => {
                let address = Addresses::enter(&self.addresses, address.ip(), Instant::now())?;
                Pass { _place: place()?, lines: Lines::OfAddress(address) }
            }
            None => Pass { _place: place()?, lines: Lines::Own(Level::default()) },
        })
    }

    /// The meter of a connection's lines; `None`: they are not limited.
    pub(crate) fn meter<'a>(&'a self, pass: &'a Pass) -> Option<Meter<'a>> {
        let level = match &pass.lines {
            Lines::OfAddress(address) => &address.usage.lines,
            Lines::Own(level) => level,
        };
        self.addresses.lines().map(|rate| Meter { level, rate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> PeerInfo {
        PeerInfo::from(std::net::SocketAddr::new(address.parse().unwrap(), 1))
    }

    #[test]
    fn places_are_limited_and_given_back() {
        let connections = Connections::new(&Options { max_clients: Some(2), ..Options::default() });
        let first = connections.enter(&peer("127.0.0.1")).unwrap();
        let _second = connections.enter(&PeerInfo::named("gateway")).unwrap();
        assert_eq!(connections.enter(&peer("127.0.0.2")).unwrap_err(), Full::Server);
        assert_eq!(connections.inside(), 2);
        drop(first);
        assert!(connections.enter(&peer("127.0.0.2")).is_ok());
    }

    #[test]
    fn who_is_refused_for_its_address_gives_its_place_back() {
        let options = Options { max_clients: None, max_clients_per_address: Some(1), ..Options::default() };
        let connections = Connections::new(&options);
        let _inside = connections.enter(&peer("127.0.0.1")).unwrap();
        assert_eq!(connections.enter(&peer("127.0.0.1")).unwrap_err(), Full::Address);
        assert!(connections.enter(&PeerInfo::named("gateway")).is_ok(), "no address, no share");
        assert_eq!(connections.inside(), 1);
    }
}
