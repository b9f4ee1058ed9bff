//! The state of each address: its number of connections, and its rate limits, which outlive the connections.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lru::LruCache;
use tokio::time::Instant;

use super::{
    limits::Limits,
    rate_limiter::{Rate, RateState},
};
use crate::reason::Full;

/// The most addresses without a connection that are remembered, at about 200 bytes each. The least recently used one is
/// forgotten first.
const MAX_IDLE: usize = 65_536;

/// The rate limits of one address.
#[derive(Debug, Default)]
pub(super) struct Usage {
    pub(super) lines: RateState,
    connects: RateState,
}

#[derive(Debug)]
pub(super) struct Addresses {
    max_connections: usize,
    connects: Option<Rate>,
    lines: Option<Rate>,
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    /// Addresses with connections, and the number of connections.
    connected: HashMap<IpAddr, (usize, Arc<Usage>)>,
    /// Addresses without connections that have not recovered their full burst.
    idle: LruCache<IpAddr, Arc<Usage>>,
}

/// Counts as one connection of an address until it is dropped.
#[derive(Debug)]
pub(super) struct AddressPass {
    addresses: Arc<Addresses>,
    address: IpAddr,
    pub(super) usage: Arc<Usage>,
}

impl Addresses {
    pub(super) fn new(limits: &Limits) -> Self {
        let table = Table { connected: HashMap::new(), idle: LruCache::unbounded() };
        Self {
            max_connections: limits.max_clients_per_address.unwrap_or(usize::MAX),
            connects: limits.connect_rate.map(Rate::new),
            lines: limits.rate_limit.map(Rate::new),
            table: Mutex::new(table),
        }
    }

    pub(super) fn lines(&self) -> Option<&Rate> {
        self.lines.as_ref()
    }

    /// Counts a connection of `address`, which is the host of a [`Peer`](crate::Peer). Fails if the address exceeds a limit.
    pub(super) fn enter(this: &Arc<Self>, address: IpAddr, now: Instant) -> Result<AddressPass, Full> {
        let mut table = this.table();
        let (count, usage) = match table.connected.get(&address) {
            Some((count, usage)) => (*count, Arc::clone(usage)),
            None => (0, table.idle.pop(&address).unwrap_or_default()),
        };
        let within_rate = this.connects.as_ref().is_none_or(|rate| usage.connects.try_add(rate, now));
        let refused = match (within_rate, count < this.max_connections) {
            (true, true) => {
                table.connected.insert(address, (count + 1, Arc::clone(&usage)));
                return Ok(AddressPass { addresses: Arc::clone(this), address, usage });
            }
            (false, _) => Full::Rate,
            (true, false) => Full::Address,
        };
        if count == 0 {
            this.remember(&mut table, address, usage, now);
        }
        Err(refused)
    }

    /// Remembers an address without connections until it has recovered its full burst.
    fn remember(&self, table: &mut Table, address: IpAddr, usage: Arc<Usage>, now: Instant) {
        let has_recovered = |usage: &Usage| {
            self.lines.as_ref().is_none_or(|rate| usage.lines.has_recovered(rate, now))
                && self.connects.as_ref().is_none_or(|rate| usage.connects.has_recovered(rate, now))
        };
        if !has_recovered(&usage) {
            table.idle.put(address, usage);
        }
        // Forget at most two addresses per call, so that no call takes long.
        for _ in 0..2 {
            let can_forget = |(_, oldest): (_, &Arc<Usage>)| has_recovered(oldest);
            if table.idle.len() > MAX_IDLE || table.idle.peek_lru().is_some_and(can_forget) {
                table.idle.pop_lru();
            }
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AddressPass {
    fn drop(&mut self) {
        let mut table = self.addresses.table();
        match table.connected.get_mut(&self.address) {
            Some((count, _)) if *count > 1 => *count -= 1,
            _ => {
                if let Some((_, usage)) = table.connected.remove(&self.address) {
                    self.addresses.remember(&mut table, self.address, usage, Instant::now());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::{Ipv4Addr, SocketAddr},
        time::Duration,
    };

    use super::*;
    use crate::{limit::RateLimit, peer::Peer};

    fn addresses(max_connections: usize, connects: u32) -> Arc<Addresses> {
        let limits = Limits::new().max_clients_per_address(max_connections);
        Arc::new(Addresses::new(&limits.connect_rate(RateLimit::per_second(connects))))
    }

    fn enter(addresses: &Arc<Addresses>, address: &str) -> Result<AddressPass, Full> {
        let peer = Peer::from(SocketAddr::new(address.parse().unwrap(), 1));
        Addresses::enter(addresses, peer.host().unwrap(), Instant::now())
    }

    #[test]
    fn connections_of_an_address_are_limited() {
        let addresses = addresses(1, 0);
        let hosts = ["10.0.0.1", "10.0.0.2", "2001:db8:0:1::1", "2001:db8:0:2::1"];
        let passes = hosts.map(|address| enter(&addresses, address).unwrap());
        for again in ["10.0.0.1", "::ffff:10.0.0.2", "2001:db8:0:1:ffff::9"] {
            assert_eq!(enter(&addresses, again).unwrap_err(), Full::Address, "{again}");
        }
        drop(passes);
        assert!(addresses.table().connected.is_empty());
        assert!(enter(&addresses, "10.0.0.1").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn connects_are_counted_without_a_connection() {
        let addresses = addresses(100, 5);
        let accepted = |times| (0..times).filter(|_| enter(&addresses, "10.0.0.1").is_ok()).count();
        assert_eq!(accepted(100), 10);
        assert_eq!(enter(&addresses, "10.0.0.1").unwrap_err(), Full::Rate);
        assert!(enter(&addresses, "10.0.0.2").is_ok(), "another address has its own limit");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(accepted(100), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn many_addresses_are_bounded_and_forgotten() {
        let addresses = addresses(100, 1);
        for address in 0..100_000 {
            drop(Addresses::enter(&addresses, Ipv4Addr::from_bits(address).into(), Instant::now()).unwrap());
        }
        assert_eq!(addresses.table().idle.len(), MAX_IDLE);
        tokio::time::advance(Duration::from_secs(2)).await;
        for address in 0..100_000 {
            drop(Addresses::enter(&addresses, Ipv4Addr::from_bits(address).into(), Instant::now()).unwrap());
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        let remembered = addresses.table().idle.len();
        assert!(remembered < 1_500, "{remembered} addresses are remembered, more than connected in the last second");
    }
}
