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

    /// Connections at the same time; the next is told `BYE` and closed (clause 2.6). `None`: no limit.
    /// Default: 10,000.
    pub fn max_clients(mut self, clients: impl Into<Option<usize>>) -> Self {
        self.options.max_clients = clients.into();
        self
    }

    /// Connections at the same time from one IPv4 address or one IPv6 /64; the next is told `BYE` and closed
    /// (clause 2.6). Peers without an address are not counted here. `None`: no limit. Default: 256.
    pub fn max_clients_per_address(mut self, clients: impl Into<Option<usize>>) -> Self {
        self.options.max_clients_per_address = clients.into();
        self
    }

    /// How many lines one IPv4 address or one IPv6 /64 may send, over all of its connections, one after the other and
    /// at the same time (clause 6.6). A peer without an address has a meter of its own. Faster ones are read more slowly;
    /// nothing is lost. Joining counts as a line; a roster counts as one more line for each 512 bytes of it; lines that need
    /// no answer (`PONG`, empty lines of a plain session) count as one in 512. `None`: no limit.
    /// Default: 200 a second, 400 at once.
    pub fn rate_limit(mut self, limit: impl Into<Option<RateLimit>>) -> Self {
        self.options.rate_limit = limit.into();
        self
    }

    /// How often one IPv4 address or one IPv6 /64 may connect; a connection over this rate is told `BYE` and closed
    /// (clause 2.6). Peers without an address are not counted. `None`: no limit. Default: 100 a second, 1,000 at once.
    pub fn connect_rate(mut self, limit: impl Into<Option<RateLimit>>) -> Self {
        self.options.connect_rate = limit.into();
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

    /// How long a connection has, from the start, to log in (clause 2.5). `None`: no limit. Default: 120 s.
    pub fn login_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options.login_timeout = timeout.into();
        self
    }

    /// After how long a silence, of 1 ms at least, a named session is asked with `PING` (clause 6.1). `None`: never.
    /// Default: 60 s.
    pub fn ping_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.options.ping_interval = interval.into().map(|interval| interval.max(Duration::from_millis(1)));
        self
    }

    /// How long it has to say anything after that, before it is cut off (clause 6.1). Default: 3 s.
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.options.ping_timeout = timeout;
        self
    }

    /// How long a write to a client may go on without progress, before the client is cut off (clause 6.5). Progress is 4 KiB,
    /// or all that is left, so that a peer cannot hold on by taking a byte at a time. `None`: no limit of the server's own; a
    /// TCP socket from [`listen`](crate::listen) is still ended by the system after 90 s without an acknowledgement.
    /// Default: 10 s.
    pub fn write_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options.write_timeout = timeout.into();
        self
    }

    /// How long a stopping server waits for its clients to take what they are owed; zero: not at all; `None`: as long as
    /// it takes. Default: 10 s.
    pub fn drain_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options.drain_timeout = timeout.into();
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
    /// Outside of a Tokio runtime, and on one without time ([`enable_time`](tokio::runtime::Builder::enable_time)):
    /// every connection has deadlines.
    pub fn build(self) -> ChatServer {
        // Panics here, once, and not in each connection's task.
        drop(tokio::time::sleep(Duration::ZERO));
        ChatServer::start(self.options, self.policy)
    }
}

impl fmt::Debug for ChatServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatServerBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
