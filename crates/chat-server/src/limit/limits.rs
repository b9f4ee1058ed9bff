//! The limits that an embedder can set.

use std::num::NonZeroU32;

use super::connection_limit::SharedLimits;

/// Limits on connections and on the rate of lines.
///
/// Each [`ChatServer`](crate::ChatServer) has limits of its own, unless several share some:
///
/// ```
/// use chat_server::{ChatServer, Limits};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// // 100 clients in both rooms together.
/// let limits = Limits::new().max_clients(100).share();
/// let rooms = ["tea", "coffee"].map(|_| ChatServer::builder().shared_limits(&limits).build());
/// # drop(rooms);
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Limits {
    pub(super) max_clients: Option<usize>,
    pub(super) max_clients_per_address: Option<usize>,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) connect_rate: Option<RateLimit>,
}

impl Limits {
    /// The default limits, as the methods state them.
    pub fn new() -> Self {
        Self {
            max_clients: Some(10_000),
            max_clients_per_address: Some(256),
            rate_limit: RateLimit::per_second(200),
            connect_rate: RateLimit::with_burst(100, 10),
        }
    }

    /// The most connections at the same time. A further one gets `BYE` and is closed (clause 2.6). `None`: no limit.
    /// Default: 10,000.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, EndReason, Full, Peer};
    ///
    /// let server = ChatServer::builder().max_clients(0).build(); // for maintenance
    /// let (_client, stream) = tokio::io::duplex(64);
    /// let mut connection = server.attach(stream, Peer::labelled("gateway"));
    /// assert_eq!(connection.ended().await, EndReason::Full(Full::Server));
    /// # Ok(()) }
    /// ```
    pub fn max_clients(mut self, clients: impl Into<Option<usize>>) -> Self {
        self.max_clients = clients.into();
        self
    }

    /// The most connections at the same time from one IPv4 address or one IPv6 /64. A further one gets `BYE` and is
    /// closed (clause 2.6). Peers without an address are not counted. `None`: no limit. Default: 256.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::net::SocketAddr;
    ///
    /// use chat_server::{ChatServer, EndReason, Full, Peer};
    ///
    /// let server = ChatServer::builder().max_clients_per_address(1).build();
    /// let attach = |address: &str| {
    ///     let (client, stream) = tokio::io::duplex(64);
    ///     let peer = Peer::from(address.parse::<SocketAddr>().expect("an address"));
    ///     (client, server.attach(stream, peer))
    /// };
    /// let _first = attach("[2001:db8::1]:4000");
    /// let (_client, mut second) = attach("[2001:db8::2]:4000"); // of the same /64
    /// assert_eq!(second.ended().await, EndReason::Full(Full::Address));
    /// # Ok(()) }
    /// ```
    pub fn max_clients_per_address(mut self, clients: impl Into<Option<usize>>) -> Self {
        self.max_clients_per_address = clients.into();
        self
    }

    /// The rate of lines from one IPv4 address or one IPv6 /64, over all of its connections, also when it reconnects
    /// (clause 6.6). Each peer without an address has a limit of its own. The server reads more slowly from a peer that
    /// exceeds the limit, and loses nothing.
    ///
    /// A join counts as one more line, and a roster as one more line for each 512 bytes. 512 lines without an answer (`PONG`,
    /// empty lines of a plain session) count as one line. `None`: no limit. Default: 200 a second, 400 at once.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, Peer, RateLimit};
    /// use tokio::{io::{AsyncReadExt, AsyncWriteExt}, time::Instant};
    ///
    /// let server = ChatServer::builder().rate_limit(RateLimit::with_burst(1, 3)).build();
    /// let (mut client, stream) = tokio::io::duplex(1024);
    /// server.attach(stream, Peer::labelled("gateway"));
    /// let start = Instant::now();
    /// client.write_all(b"one\ntwo\nthree\nBYE\n").await?; // five lines, as the join counts as one
    /// let mut received = String::new();
    /// client.read_to_string(&mut received).await?;
    /// assert_eq!(received, "OK\nOK\nOK\nBYE\n"); // nothing is lost
    /// assert_eq!(start.elapsed().as_secs(), 2); // three at once, and one a second
    /// # Ok(()) }
    /// ```
    pub fn rate_limit(mut self, limit: impl Into<Option<RateLimit>>) -> Self {
        self.rate_limit = limit.into();
        self
    }

    /// The rate of connects from one IPv4 address or one IPv6 /64. A connection that exceeds it gets `BYE` and is
    /// closed (clause 2.6). Peers without an address are not counted. `None`: no limit. Default: 100 a second, 1,000 at
    /// once.
    pub fn connect_rate(mut self, limit: impl Into<Option<RateLimit>>) -> Self {
        self.connect_rate = limit.into();
        self
    }

    /// Makes limits that several servers can share. They count the clients of all these servers together.
    pub fn share(self) -> SharedLimits {
        SharedLimits::new(&self)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

/// A rate limit: a steady rate, and a burst after a pause. [`RateLimit::per_second`] and [`RateLimit::with_burst`] have examples.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RateLimit {
    /// The steady rate: times a second.
    pub per_second: NonZeroU32,
    /// The burst: times at once after a pause.
    pub burst: NonZeroU32,
}

impl RateLimit {
    /// `times` a second, and twice as many at once. `None` for 0: no limit.
    ///
    /// ```
    /// use chat_server::RateLimit;
    ///
    /// let limit = RateLimit::per_second(50).expect("not 0");
    /// assert_eq!((limit.per_second.get(), limit.burst.get()), (50, 100));
    /// assert_eq!(RateLimit::per_second(0), None);
    /// ```
    pub fn per_second(times: u32) -> Option<Self> {
        Self::with_burst(times, 2)
    }

    /// `times` a second, and `times` × `seconds` at once. `None` if either is 0: no limit.
    ///
    /// ```
    /// use chat_server::RateLimit;
    ///
    /// let limit = RateLimit::with_burst(100, 10).expect("not 0");
    /// assert_eq!((limit.per_second.get(), limit.burst.get()), (100, 1_000));
    /// ```
    pub fn with_burst(times: u32, seconds: u32) -> Option<Self> {
        let (per_second, seconds) = (NonZeroU32::new(times)?, NonZeroU32::new(seconds)?);
        Some(Self { per_second, burst: per_second.saturating_mul(seconds) })
    }
}
