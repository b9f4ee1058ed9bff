//! What can be set: limits, deadlines and rules, with their defaults.

use std::{num::NonZeroU32, time::Duration};

/// Whether plain sessions (section 4) are served.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PlainSessions {
    /// They are.
    #[default]
    Serve,
    /// Their first line is answered `BAD PROT`, and they are closed (clause 2.8).
    Refuse,
}

/// Whether a client's `BYE` stops the server, as it did in 2018 (clause 6.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StopOnBye {
    /// It ends the client's own session only.
    #[default]
    Never,
    /// Any client's `BYE` stops the server gracefully.
    AnyClient,
}

/// How many lines a client may send. Faster ones are slowed down by not being read; nothing is lost (clause 6.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RateLimit {
    /// Lines a second in the long run.
    pub per_second: NonZeroU32,
    /// Lines at once after a pause.
    pub burst: NonZeroU32,
}

impl RateLimit {
    /// So many lines a second, and twice as many at once. `None` for 0: no limit.
    pub fn per_second(lines: u32) -> Option<Self> {
        let per_second = NonZeroU32::new(lines)?;
        Some(Self { per_second, burst: per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1)) })
    }
}

/// What [`ChatServerBuilder`](crate::ChatServerBuilder) sets. Its methods say what each of them means.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) max_clients: usize,
    pub(crate) max_clients_per_address: usize,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) plain_sessions: PlainSessions,
    pub(crate) stop_on_bye: StopOnBye,
    pub(crate) login_timeout: Option<Duration>,
    pub(crate) ping_interval: Option<Duration>,
    pub(crate) ping_timeout: Duration,
    pub(crate) write_timeout: Option<Duration>,
    pub(crate) drain_timeout: Duration,
    pub(crate) ring_batches: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_clients: 10_000,
            max_clients_per_address: 256,
            rate_limit: RateLimit::per_second(200),
            plain_sessions: PlainSessions::default(),
            stop_on_bye: StopOnBye::default(),
            login_timeout: Some(Duration::from_secs(120)),
            ping_interval: Some(Duration::from_secs(60)),
            ping_timeout: Duration::from_secs(3),
            write_timeout: Some(Duration::from_secs(10)),
            drain_timeout: Duration::from_secs(10),
            ring_batches: 4_096,
        }
    }
}

/// Zero turns a deadline off.
pub(crate) fn unless_zero(duration: Duration) -> Option<Duration> {
    (!duration.is_zero()).then_some(duration)
}
