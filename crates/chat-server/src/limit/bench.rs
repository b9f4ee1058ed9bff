//! The meter of an address without a connection, for the micro benches.

use std::net::IpAddr;

use tokio::time::Instant;

use super::{Connections, Pass};
use crate::{PeerInfo, RateLimit, options::Options};

/// A server's limits, with one connection from one address.
#[derive(Debug)]
pub struct Limits {
    connections: Connections,
    pass: Pass,
}

impl Limits {
    /// So generous that nothing waits.
    pub fn of(address: IpAddr) -> Self {
        let limit = RateLimit::per_second(u32::MAX);
        let options =
            Options { rate_limit: limit, connect_rate: limit, max_clients_per_address: None, ..Options::default() };
        let connections = Connections::new(&options);
        let pass = connections.enter(&PeerInfo::from(std::net::SocketAddr::new(address, 1))).expect("there is a place");
        Self { connections, pass }
    }

    /// Counts a line: whether it must wait.
    pub fn line(&self) -> bool {
        self.connections.meter(&self.pass).is_some_and(|meter| meter.count(Instant::now(), 1).is_some())
    }

    /// Lets another connection in, and out again.
    pub fn visit(&self, address: IpAddr) -> bool {
        self.connections.enter(&PeerInfo::from(std::net::SocketAddr::new(address, 1))).is_ok()
    }
}
