//! The builder: every option of the server, one method each.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    ChatServer, Policy,
    options::{Options, PlainSessions, RateLimit, StopOnBye, unless_zero},
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

    /// Connections at the same time; the next is told `BYE` and closed (clause 2.6). Default: 10,000.
    pub fn max_clients(mut self, clients: usize) -> Self {
        // More than this the semaphore that counts them cannot hold; it is more than there are sockets.
        self.options.max_clients = clients.min(tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// Connections at the same time from one IPv4 address or one IPv6 /64; the next is told `BYE` and closed
    /// (clause 2.6). Peers without an address are not counted here. Default: 256.
    pub fn max_clients_per_address(mut self, clients: usize) -> Self {
        self.options.max_clients_per_address = clients;
        self
    }

    /// How fast each client may send lines of any kind (clause 6.6); `None`: as fast as it can.
    /// Default: 200 a second, 400 at once.
    pub fn rate_limit(mut self, limit: Option<RateLimit>) -> Self {
        self.options.rate_limit = limit;
        self
    }

    /// Whether plain sessions are served (clause 2.8). Default: they are.
    pub fn plain_sessions(mut self, plain: PlainSessions) -> Self {
        self.options.plain_sessions = plain;
        self
    }

    /// Whether a client's `BYE` stops the server (clause 6.2). Default: never.
    pub fn stop_on_bye(mut self, stop: StopOnBye) -> Self {
        self.options.stop_on_bye = stop;
        self
    }

    /// How long a connection has, from the start, to log in (clause 2.5); zero: for ever. Default: 120 s.
    pub fn login_timeout(mut self, timeout: Duration) -> Self {
        self.options.login_timeout = unless_zero(timeout);
        self
    }

    /// After how long a silence a named session is asked with `PING` (clause 6.1); zero: never. Default: 60 s.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.options.ping_interval = unless_zero(interval);
        self
    }

    /// How long it has to say anything after that, before it is cut off (clause 6.1). Default: 3 s.
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.options.ping_timeout = timeout;
        self
    }

    /// How long one write to a client may take, before it is cut off (clause 6.5); zero: for ever. Default: 10 s.
    pub fn write_timeout(mut self, timeout: Duration) -> Self {
        self.options.write_timeout = unless_zero(timeout);
        self
    }

    /// How long a stopping server waits for its clients to take what they are owed; zero: not at all. Default: 10 s.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.options.drain_timeout = timeout;
        self
    }

    /// Batches that the shared ring keeps, rounded up to a power of two. A client that is further behind is cut off
    /// (clause 6.5). A batch holds what was said at one moment: a line at rest, at most 40 KiB under load, so that the
    /// default of 4,096 bounds the memory that all slow clients together can hold to 160 MiB. For peers that want bare
    /// LF (clause 1.2) the lines are kept a second time: 32 KiB more for a batch, 288 MiB in all.
    pub fn ring_batches(mut self, batches: usize) -> Self {
        self.options.ring_batches = batches.clamp(2, 1 << 20);
        self
    }

    /// The embedder's own rules. Default: everything is allowed.
    pub fn policy(mut self, policy: impl Policy) -> Self {
        self.policy = Arc::new(policy);
        self
    }

    /// Makes the server and starts its hub; nobody is connected yet.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime with time enabled.
    pub fn build(self) -> ChatServer {
        ChatServer::start(self.options, self.policy)
    }
}

impl fmt::Debug for ChatServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatServerBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
