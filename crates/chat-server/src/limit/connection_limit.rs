//! The limit on connections, in all and for each address.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::{
    addresses::{AddressPass, Addresses},
    rate_limiter::{LineLimit, RateState},
};
use crate::{PeerInfo, options::Options, reason::Full};

#[derive(Debug)]
pub(crate) struct ConnectionLimit {
    limit: usize,
    places: Arc<Semaphore>,
    addresses: Arc<Addresses>,
}

/// A connection's permit, and the state of its rate limit. Dropping it returns the permit.
#[derive(Debug)]
pub(crate) struct Pass {
    _place: OwnedSemaphorePermit,
    lines: Lines,
}

#[derive(Debug)]
enum Lines {
    /// Shared with the other connections of its address. It outlives the connection.
    OfAddress(AddressPass),
    /// Its own: the peer has no address.
    Own(RateState),
}

impl ConnectionLimit {
    pub(crate) fn new(options: &Options) -> Self {
        // The semaphore cannot count more, and there are fewer sockets.
        let limit = options.max_clients.map_or(Semaphore::MAX_PERMITS, |limit| limit.min(Semaphore::MAX_PERMITS));
        Self { limit, places: Arc::new(Semaphore::new(limit)), addresses: Arc::new(Addresses::new(options)) }
    }

    /// The number of connections.
    pub(crate) fn inside(&self) -> usize {
        self.limit - self.places.available_permits()
    }

    pub(crate) fn enter(&self, peer: &PeerInfo) -> Result<Pass, Full> {
        let place = || Arc::clone(&self.places).try_acquire_owned().map_err(|_| Full::Server);
        Ok(match peer.address() {
            // The address first: a refused connection counts too.
            Some(address) => {
                let address = Addresses::enter(&self.addresses, address.ip(), Instant::now())?;
                Pass { _place: place()?, lines: Lines::OfAddress(address) }
            }
            None => Pass { _place: place()?, lines: Lines::Own(RateState::default()) },
        })
    }

    /// The rate limit of a connection's lines; `None`: there is no limit.
    pub(crate) fn line_limit<'a>(&'a self, pass: &'a Pass) -> Option<LineLimit<'a>> {
        let state = match &pass.lines {
            Lines::OfAddress(address) => &address.usage.lines,
            Lines::Own(state) => state,
        };
        self.addresses.lines().map(|rate| LineLimit { state, rate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> PeerInfo {
        PeerInfo::from(std::net::SocketAddr::new(address.parse().unwrap(), 1))
    }

    #[test]
    fn connections_are_limited_and_permits_returned() {
        let connections = ConnectionLimit::new(&Options { max_clients: Some(2), ..Options::default() });
        let first = connections.enter(&peer("127.0.0.1")).unwrap();
        let _second = connections.enter(&PeerInfo::named("gateway")).unwrap();
        assert_eq!(connections.enter(&peer("127.0.0.2")).unwrap_err(), Full::Server);
        assert_eq!(connections.inside(), 2);
        drop(first);
        assert!(connections.enter(&peer("127.0.0.2")).is_ok());
    }

    #[test]
    fn a_connection_refused_for_its_address_returns_its_permit() {
        let options = Options { max_clients: None, max_clients_per_address: Some(1), ..Options::default() };
        let connections = ConnectionLimit::new(&options);
        let _inside = connections.enter(&peer("127.0.0.1")).unwrap();
        assert_eq!(connections.enter(&peer("127.0.0.1")).unwrap_err(), Full::Address);
        assert!(connections.enter(&PeerInfo::named("gateway")).is_ok(), "it has no address");
        assert_eq!(connections.inside(), 1);
    }
}
