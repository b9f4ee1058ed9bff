//! The server's options, with their defaults.

use std::{num::NonZeroU32, time::Duration};

/// Whether plain sessions (section 4) are served.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PlainSessions {
    /// Plain sessions are served.
    #[default]
    Serve,
    /// The first line is answered `BAD PROT`, and the connection closed (clause 2.8).
    Refuse,
}

/// Whether a client's `BYE` stops the server (clause 6.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StopOnBye {
    /// `BYE` ends the client's own session only.
    #[default]
    Never,
    /// Any client's `BYE` stops the server gracefully.
    AnyClient,
}

/// A rate limit: a steady rate, and a burst after a pause.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RateLimit {
    /// The steady rate: times a second.
    pub per_second: NonZeroU32,
    /// The burst: times at once after a pause.
    pub burst: NonZeroU32,
}

impl RateLimit {
    /// `times` a second, and twice as many at once. `None` for 0: no limit.
    pub fn per_second(times: u32) -> Option<Self> {
        Self::with_burst(times, 2)
    }

    /// `times` a second, and the `times` of this many `seconds` at once. `None` if either is 0: no limit.
    pub fn with_burst(times: u32, seconds: u32) -> Option<Self> {
        let (per_second, seconds) = (NonZeroU32::new(times)?, NonZeroU32::new(seconds)?);
        Some(Self { per_second, burst: per_second.saturating_mul(seconds) })
    }
}

/// The options that [`ChatServerBuilder`](crate::ChatServerBuilder) sets. Its methods document them.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) max_clients: Option<usize>,
    pub(crate) max_clients_per_address: Option<usize>,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) connect_rate: Option<RateLimit>,
    pub(crate) plain_sessions: PlainSessions,
    pub(crate) stop_on_bye: StopOnBye,
    pub(crate) login_timeout: Option<Duration>,
    pub(crate) ping_interval: Option<Duration>,
    pub(crate) ping_timeout: Duration,
    pub(crate) write_timeout: Option<Duration>,
    pub(crate) drain_timeout: Option<Duration>,
    pub(crate) ring_batches: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_clients: Some(10_000),
            max_clients_per_address: Some(256),
            rate_limit: RateLimit::per_second(200),
            connect_rate: RateLimit::with_burst(100, 10),
            plain_sessions: PlainSessions::default(),
            stop_on_bye: StopOnBye::default(),
            login_timeout: Some(Duration::from_secs(120)),
            ping_interval: Some(Duration::from_secs(60)),
            ping_timeout: Duration::from_secs(3),
            write_timeout: Some(Duration::from_secs(10)),
            drain_timeout: Some(Duration::from_secs(10)),
            ring_batches: 4_096,
        }
    }
}
