//! The builder: every option of the server, one method each.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    ChatServer, Policy,
    options::{Options, PlainSessions, RateLimit, StopOnBye},
    policy::AllowAll,
};

/// Sets up a [`ChatServer`]. Get one from [`ChatServer::builder`].
#[derive(Clone)]
#[must_use]
pub struct ChatServerBuilder {
    options: Options,
    policy: Arc<dyn Policy>,
}

impl ChatServerBuilder {
    pub(crate) fn new() -> Self {
        Self { options: Options::default(), policy: Arc::new(AllowAll) }
    }

    /// The most connections at the same time. A further one gets `BYE` and is closed (clause 2.6). `None`: no limit.
    /// Default: 10,000.
    pub fn max_clients(mut self, clients: impl Into<Option<usize>>) -> Self {
        self.options.max_clients = clients.into();
        self
    }

    /// The most connections at the same time from one IPv4 address or one IPv6 /64. A further one gets `BYE` and is
    /// closed (clause 2.6). Peers without an address are not counted. `None`: no limit. Default: 256.
    pub fn max_clients_per_address(mut self, clients: impl Into<Option<usize>>) -> Self {
        self.options.max_clients_per_address = clients.into();
        self
    }

    /// The rate of lines from one IPv4 address or one IPv6 /64, over all of its connections, also when it reconnects
    /// (clause 6.6). Each peer without an address has a limit of its own. A faster peer is read more slowly; nothing is
    /// lost.
    ///
    /// A join counts as one more line. A roster counts as one more line for each 512 bytes. Lines without an answer
    /// (`PONG`, empty lines of a plain session) count as one in 512. `None`: no limit. Default: 200 a second, 400 at
    /// once.
    pub fn rate_limit(mut self, limit: impl Into<Option<RateLimit>>) -> Self {
        self.options.rate_limit = limit.into();
        self
    }

    /// The rate of connects from one IPv4 address or one IPv6 /64. A connection that exceeds it gets `BYE` and is
    /// closed (clause 2.6). Peers without an address are not counted. `None`: no limit. Default: 100 a second, 1,000 at
    /// once.
    pub fn connect_rate(mut self, limit: impl Into<Option<RateLimit>>) -> Self {
        self.options.connect_rate = limit.into();
        self
    }

    /// Whether plain sessions are served (clause 2.8). Default: yes.
    pub fn plain_sessions(mut self, plain: PlainSessions) -> Self {
        self.options.plain_sessions = plain;
        self
    }

    /// Whether a client's `BYE` stops the server (clause 6.2). Default: never.
    pub fn stop_on_bye(mut self, stop: StopOnBye) -> Self {
        self.options.stop_on_bye = stop;
        self
    }

    /// The time to log in, counted from the accept (clause 2.5). `None`: no limit. Default: 120 s.
    pub fn login_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options.login_timeout = timeout.into();
        self
    }

    /// The silence after which a named session is sent `PING` (clause 6.1); at least 1 ms. `None`: never. Default: 60
    /// s.
    pub fn ping_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.options.ping_interval = interval.into().map(|interval| interval.max(Duration::from_millis(1)));
        self
    }

    /// The time to send anything after a `PING`, before the connection is cut (clause 6.1). Default: 3 s.
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.options.ping_timeout = timeout;
        self
    }

    /// The time that a write may take without progress, before the connection is cut (clause 6.5). Progress means 4
    /// KiB, or everything that is left: a peer cannot hold its connection by taking a byte now and then. `None`: no
    /// limit by the server; on Linux, the kernel still closes a TCP connection from [`listen`](crate::listen) after 90
    /// s without an acknowledgement. Default: 10 s.
    pub fn write_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options.write_timeout = timeout.into();
        self
    }

    /// The time that clients have to take what they are owed when the server stops. Zero: none. `None`: no limit.
    /// Default: 10 s.
    pub fn drain_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options.drain_timeout = timeout.into();
        self
    }

    /// The number of batches in the shared ring, rounded up to a power of two. A client that is further behind is cut
    /// (clause 6.5). A batch is one line in a quiet room, and at most 40 KiB under load: with the default of 4,096, all
    /// slow clients together hold at most 160 MiB. If some clients want bare LF (clause 1.2), a batch holds its lines a
    /// second time: at most 288 MiB. Beside the ring, the writer of a slow client holds the batches that it writes: at most
    /// 96 KiB.
    pub fn ring_batches(mut self, batches: usize) -> Self {
        self.options.ring_batches = batches.clamp(2, 1 << 20);
        self
    }

    /// The embedding program's rules. Default: everything is allowed.
    pub fn policy(mut self, policy: impl Policy) -> Self {
        self.policy = Arc::new(policy);
        self
    }

    /// Builds the server, and starts its hub in the current runtime.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime, or in a runtime without time
    /// ([`enable_time`](tokio::runtime::Builder::enable_time)), which every connection needs.
    pub fn build(self) -> ChatServer {
        // Panic here rather than in each connection's task.
        drop(tokio::time::sleep(Duration::ZERO));
        ChatServer::start(self.options, self.policy)
    }
}

impl fmt::Debug for ChatServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatServerBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
