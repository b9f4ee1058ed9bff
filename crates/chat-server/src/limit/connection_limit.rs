//! The limits on connections, in total and per address. Several servers may share them.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::limits::Limits;
use super::{
    addresses::{AddressPass, Addresses},
    rate_limiter::{LineLimit, RateState},
};
use crate::{peer::Peer, reason::Full};

/// Limits that count the connections of several servers together, from [`Limits::share`]. Clones share their counts.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, EndReason, Full, Limits, Peer};
///
/// let limits = Limits::new().max_clients(1).share();
/// let [tea, coffee] = ["tea", "coffee"].map(|_| ChatServer::builder().shared_limits(&limits).build());
/// let (_client, stream) = tokio::io::duplex(64);
/// let _in_tea = tea.attach(stream, Peer::labelled("gateway"));
/// tokio::task::yield_now().await; // it is accepted in its task
/// let (_client, stream) = tokio::io::duplex(64);
/// let mut in_coffee = coffee.attach(stream, Peer::labelled("gateway"));
/// assert_eq!(in_coffee.ended().await, EndReason::Full(Full::Server));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct SharedLimits {
    max_clients: Option<usize>,
    permits: Arc<Semaphore>,
    addresses: Arc<Addresses>,
}

/// A connection's permit, and the state of its rate limit. Dropping it returns the permit.
#[derive(Debug)]
pub(crate) struct Pass {
    _permit: OwnedSemaphorePermit,
    lines: Lines,
}

/// The state of the rate limit for lines.
#[derive(Debug)]
enum Lines {
    /// Shared with the other connections of its address. It outlives the connection.
    OfAddress(AddressPass),
    /// Of this connection alone, because the peer has no address.
    Own(RateState),
}

impl SharedLimits {
    pub(super) fn new(limits: &Limits) -> Self {
        let max_clients = limits.max_clients;
        // A larger limit would not matter: a machine has fewer sockets than the semaphore has permits.
        let permits = max_clients.map_or(Semaphore::MAX_PERMITS, |limit| limit.min(Semaphore::MAX_PERMITS));
        Self { max_clients, permits: Arc::new(Semaphore::new(permits)), addresses: Arc::new(Addresses::new(limits)) }
    }

    /// The most connections; `None`: there is no limit.
    pub(crate) fn max_clients(&self) -> Option<usize> {
        self.max_clients
    }

    pub(crate) fn enter(&self, peer: &Peer) -> Result<Pass, Full> {
        let permit = || Arc::clone(&self.permits).try_acquire_owned().map_err(|_| Full::Server);
        Ok(match peer.host() {
            // Check the address first, so that a connection to a full server also counts towards its connect rate.
            Some(host) => {
                let address = Addresses::enter(&self.addresses, host, Instant::now())?;
                Pass { _permit: permit()?, lines: Lines::OfAddress(address) }
            }
            None => Pass { _permit: permit()?, lines: Lines::Own(RateState::default()) },
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

    fn peer(address: &str) -> Peer {
        Peer::from(std::net::SocketAddr::new(address.parse().unwrap(), 1))
    }

    #[test]
    fn connections_are_limited_and_permits_returned() {
        let limits = Limits::new().max_clients(2).share();
        let first = limits.enter(&peer("127.0.0.1")).unwrap();
        let _second = limits.clone().enter(&Peer::labelled("gateway")).unwrap();
        assert_eq!(limits.enter(&peer("127.0.0.2")).unwrap_err(), Full::Server);
        drop(first);
        assert!(limits.enter(&peer("127.0.0.2")).is_ok());
    }

    #[test]
    fn a_connection_refused_for_its_address_returns_its_permit() {
        let limits = Limits::new().max_clients(2).max_clients_per_address(1).share();
        let _inside = limits.enter(&peer("127.0.0.1")).unwrap();
        assert_eq!(limits.enter(&peer("127.0.0.1")).unwrap_err(), Full::Address);
        assert!(limits.enter(&Peer::labelled("gateway")).is_ok(), "it has no address");
        let proxy = "10.0.0.1:1".parse().unwrap();
        assert_eq!(
            limits.enter(&peer("127.0.0.1").with_proxy(proxy)).unwrap_err(),
            Full::Address,
            "the proxy does not matter"
        );
    }
}
