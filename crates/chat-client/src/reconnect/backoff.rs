//! Decides when the next attempt follows, as pure state. The caller passes the time.

use std::{fmt, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use chat_proto::{Name, NameKey};
use tokio::time::Instant;

use crate::OpenError;

/// The first delay. The random part is added to it.
const FIRST_DELAY: Duration = Duration::from_millis(500);
/// Maximum delay, without its random part.
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// A session that lasted this long resets the delays.
const STABLE_AFTER: Duration = Duration::from_secs(30);
/// How long a server may hold the name of a lost session. With the default settings, it notices a dead connection after
/// 63 to 90 seconds.
const GHOST_TIMEOUT: Duration = Duration::from_secs(180);

pub(super) type Delays = Box<dyn Iterator<Item = Duration> + Send>;

/// The delays between attempts.
pub(super) struct Backoff {
    make_delays: Box<dyn Fn() -> Delays + Send>,
    delays: Delays,
    /// The current session: its name, and when it was opened.
    opened: Option<(Option<Name>, Instant)>,
    /// The name of the last session, which the server may still hold, and when the session was lost.
    ghost: Option<(NameKey, Instant)>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(Box::new(|| Box::new(exponential())))
    }
}

impl Backoff {
    pub(super) fn new(make_delays: Box<dyn Fn() -> Delays + Send>) -> Self {
        Self { delays: make_delays(), make_delays, opened: None, ghost: None }
    }

    /// A session was opened under this name.
    pub(super) fn opened(&mut self, name: Option<Name>, now: Instant) {
        self.opened = Some((name, now));
    }

    /// The session is over. Returns the delay before the next attempt.
    pub(super) fn lost(&mut self, now: Instant) -> Duration {
        if let Some((name, opened)) = self.opened.take() {
            self.ghost = name.map(|name| (name.key(), now));
            if now.duration_since(opened) >= STABLE_AFTER {
                self.delays = (self.make_delays)();
            }
        }
        self.delays.next().unwrap_or(LONGEST_DELAY)
    }

    /// An attempt under this name failed. Returns the delay before the next one. `None`: another would not help.
    pub(super) fn failed(&mut self, error: &OpenError, name: Option<Name>, now: Instant) -> Option<Duration> {
        let is_ghost = |(lost, at): (NameKey, Instant)| {
            name.is_some_and(|name| name.key() == lost) && now.duration_since(at) < GHOST_TIMEOUT
        };
        let may_succeed = error.is_transient() || (error.is_name_refused() && self.ghost.is_some_and(is_ghost));
        if may_succeed { self.delays.next() } else { None }
    }
}

fn exponential() -> impl Iterator<Item = Duration> + Send {
    let delays = ExponentialBuilder::default().with_min_delay(FIRST_DELAY).with_max_delay(LONGEST_DELAY);
    delays.with_jitter().without_max_times().build()
}

impl fmt::Debug for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backoff").field("opened", &self.opened).field("ghost", &self.ghost).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LoginError;

    const SECOND: Duration = Duration::from_secs(1);

    fn counting() -> Backoff {
        Backoff::new(Box::new(|| Box::new((1..).map(Duration::from_secs))))
    }

    fn refused(name: Name) -> OpenError {
        LoginError::OutOfAttempts { name }.into()
    }

    #[test]
    fn delays_grow_up_to_a_limit_and_never_end() {
        let delays: Vec<_> = exponential().take(20).collect();
        assert!(delays[0] >= FIRST_DELAY && delays[0] <= 2 * FIRST_DELAY, "{delays:?}");
        assert!(delays[3] >= 8 * FIRST_DELAY, "{delays:?}");
        assert!(delays.iter().all(|delay| *delay <= 2 * LONGEST_DELAY), "{delays:?}");
        assert_ne!(delays, exponential().take(20).collect::<Vec<_>>(), "something is random");
    }

    #[test]
    fn a_stable_session_resets_the_delays() {
        let (mut backoff, now) = (counting(), Instant::now());
        backoff.opened(None, now);
        assert_eq!(backoff.lost(now + SECOND), SECOND);
        backoff.opened(None, now);
        assert_eq!(backoff.lost(now + SECOND), 2 * SECOND);
        backoff.opened(None, now);
        assert_eq!(backoff.lost(now + STABLE_AFTER), SECOND);
    }

    #[test]
    fn a_name_is_retried_while_the_server_may_hold_it_for_the_lost_session() {
        let (mut backoff, now) = (counting(), Instant::now());
        let (bob, ann) = (Name::new("bob").unwrap(), Name::new("ann").unwrap());
        assert_eq!(backoff.failed(&refused(bob), Some(bob), now), None, "it was never ours");
        backoff.opened(Some(bob), now);
        backoff.lost(now);
        assert!(backoff.failed(&refused(bob), Name::new("BOB").ok(), now + SECOND).is_some());
        assert_eq!(backoff.failed(&refused(ann), Some(ann), now + SECOND), None);
        assert_eq!(backoff.failed(&refused(bob), Some(bob), now + GHOST_TIMEOUT), None, "somebody else has it");
        assert!(backoff.failed(&LoginError::TimedOut.into(), Some(bob), now + GHOST_TIMEOUT).is_some());
    }
}
