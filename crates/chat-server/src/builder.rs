//! The builder, with a method for each option of the server.

use std::{fmt, time::Duration};

use crate::{
    limit::{Limits, RateLimit, SharedLimits},
    options::{Options, PlainSessions, StopOnBye},
    policy::{AllowAll, Policy, Rules},
    server::ChatServer,
};

/// Sets up a [`ChatServer`]. Get one from [`ChatServer::builder`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use chat_server::{ChatServer, RateLimit};
///
/// let server = ChatServer::builder()
///     .max_clients(1_000)
///     .max_clients_per_address(None) // no limit
///     .rate_limit(RateLimit::per_second(20))
///     .connect_rate(RateLimit::with_burst(5, 10)) // 5 a second, 50 at once
///     .login_timeout(Duration::from_secs(10))
///     .ping_interval(Duration::from_secs(30))
///     .ping_timeout(Duration::from_secs(5))
///     .write_timeout(Duration::from_secs(20))
///     .drain_timeout(Duration::from_secs(2))
///     .ring_batches(1_024)
///     .build();
/// assert!(server.clients().await.is_empty());
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use]
pub struct ChatServerBuilder {
    options: Options,
    limits: Limits,
    shared_limits: Option<SharedLimits>,
    policy: Rules,
}

impl ChatServerBuilder {
    pub(crate) fn new() -> Self {
        Self { options: Options::default(), limits: Limits::new(), shared_limits: None, policy: Rules::new(AllowAll) }
    }

    /// Sets [`Limits::max_clients`].
    pub fn max_clients(mut self, clients: impl Into<Option<usize>>) -> Self {
        self.limits = self.limits.max_clients(clients);
        self
    }

    /// Sets [`Limits::max_clients_per_address`].
    pub fn max_clients_per_address(mut self, clients: impl Into<Option<usize>>) -> Self {
        self.limits = self.limits.max_clients_per_address(clients);
        self
    }

    /// Sets [`Limits::rate_limit`].
    pub fn rate_limit(mut self, limit: impl Into<Option<RateLimit>>) -> Self {
        self.limits = self.limits.rate_limit(limit);
        self
    }

    /// Sets [`Limits::connect_rate`].
    pub fn connect_rate(mut self, limit: impl Into<Option<RateLimit>>) -> Self {
        self.limits = self.limits.connect_rate(limit);
        self
    }

    /// Shares limits with other servers. They count the clients of all these servers together, and replace the
    /// [`Limits`] of this builder.
    pub fn shared_limits(mut self, limits: &SharedLimits) -> Self {
        self.shared_limits = Some(limits.clone());
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
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use chat_server::{ChatServer, EndReason, Peer};
    ///
    /// let server = ChatServer::builder().login_timeout(Duration::from_secs(10)).build();
    /// let (_silent, stream) = tokio::io::duplex(64);
    /// let mut connection = server.attach(stream, Peer::labelled("silent"));
    /// assert_eq!(connection.ended().await, EndReason::LoginTimeout);
    /// # Ok(()) }
    /// ```
    pub fn login_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options.login_timeout = timeout.into();
        self
    }

    /// The server sends `PING` to a named session after this silence (clause 6.1); at least 1 ms. `None`: never.
    /// Default: 60 s.
    pub fn ping_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.options.ping_interval = interval.into().map(|interval| interval.max(Duration::from_millis(1)));
        self
    }

    /// A client that sends nothing for this time after a `PING` is cut (clause 6.1). `None`: no limit. Default: 3 s.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use chat_server::{ChatServer, EndReason, Peer};
    /// use tokio::{io::{AsyncReadExt, AsyncWriteExt}, time::Instant};
    ///
    /// let server = ChatServer::builder().ping_interval(Duration::from_secs(20)).ping_timeout(Duration::from_secs(5)).build();
    /// let (mut client, stream) = tokio::io::duplex(1024);
    /// let mut connection = server.attach(stream, Peer::labelled("asleep"));
    /// client.write_all(b"PROT 0.1 CONNECT USER ann\n").await?;
    /// let start = Instant::now();
    /// assert_eq!(connection.ended().await, EndReason::PingTimeout);
    /// assert_eq!(start.elapsed().as_secs(), 25);
    /// # Ok(()) }
    /// ```
    pub fn ping_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options.ping_timeout = timeout.into();
        self
    }

    /// A connection is cut if a write makes no progress for this time (clause 6.5). Progress means 4 KiB, or all bytes
    /// that are left, so a peer cannot hold its connection by reading a byte now and then. Default: 10 s.
    ///
    /// `None`: the server sets no limit. On Linux, the kernel still closes a TCP connection from
    /// [`listen`](crate::listen) after 90 s without an acknowledgement.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use chat_server::{ChatServer, EndReason, Peer};
    /// use tokio::io::AsyncWriteExt;
    ///
    /// let server = ChatServer::builder().write_timeout(Duration::from_secs(5)).build();
    /// let (mut client, stream) = tokio::io::duplex(64);
    /// let mut connection = server.attach(stream, Peer::labelled("does not read"));
    /// client.write_all(b"hello\n").await?;
    /// for _ in 0..100 {
    ///     server.notice("something to read".parse()?).await;
    /// }
    /// assert_eq!(connection.ended().await, EndReason::WriteTimeout);
    /// # Ok(()) }
    /// ```
    pub fn write_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options.write_timeout = timeout.into();
        self
    }

    /// The time in which clients must receive their pending lines when the server stops. After that, they are cut. `None`:
    /// no limit. Default: 10 s.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use chat_server::{ChatServer, Peer};
    /// use tokio::io::AsyncWriteExt;
    ///
    /// let server = ChatServer::builder().drain_timeout(Duration::ZERO).build();
    /// let (mut client, stream) = tokio::io::duplex(4); // takes four bytes
    /// let mut events = server.events();
    /// server.attach(stream, Peer::labelled("slow"));
    /// client.write_all(b"one\ntwo\n").await?; // two OKs are six bytes
    /// for _ in 0..3 {
    ///     events.recv().await.expect("the server runs")?; // a join, and two messages
    /// }
    /// let report = server.shutdown().await;
    /// assert_eq!((report.drained, report.cut), (0, 1));
    /// # Ok(()) }
    /// ```
    pub fn drain_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options.drain_timeout = timeout.into();
        self
    }

    /// The number of batches in the shared ring, rounded up to a power of two. A client that is further behind is cut
    /// (clause 6.5). A batch is one line in a quiet room, and at most 40 KiB under load: with the default of 4,096, all
    /// slow clients together hold at most 160 MiB. If some clients use bare LF (clause 1.2), a batch holds a second copy of
    /// its lines, and the bound is 288 MiB. In addition, the writer of a slow client holds the batches that it writes: at
    /// most 96 KiB.
    pub fn ring_batches(mut self, batches: usize) -> Self {
        self.options.ring_batches = batches.clamp(2, 1 << 20);
        self
    }

    /// The embedding program's rules. Default: everything is allowed.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::{ChatServer, Message, Policy, Verdict};
    ///
    /// struct NoShouting;
    ///
    /// impl Policy for NoShouting {
    ///     fn message(&self, message: &Message) -> Verdict {
    ///         match message.text().as_str().to_lowercase().parse() {
    ///             Ok(quiet) => Verdict::Replace(quiet),
    ///             Err(_) => Verdict::Refuse, // longer in lower case, and too long
    ///         }
    ///     }
    /// }
    ///
    /// let server = ChatServer::builder().policy(NoShouting).build();
    /// let mut bot = server.local("bot").await?;
    /// server.local("ann").await?.send("HELLO").await?;
    /// let (_joined, message) = (bot.recv().await?, bot.recv().await?);
    /// assert!(matches!(message, chat_server::Event::Message { text, .. } if text.as_str() == "hello"));
    /// # Ok(()) }
    /// ```
    pub fn policy(mut self, policy: impl Policy) -> Self {
        self.policy = Rules::new(policy);
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
        let limits = self.shared_limits.unwrap_or_else(|| self.limits.share());
        ChatServer::start(self.options, limits, self.policy)
    }
}

impl fmt::Debug for ChatServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatServerBuilder")
            .field("options", &self.options)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
