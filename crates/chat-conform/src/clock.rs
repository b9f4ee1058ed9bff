//! Deadlines that cannot overflow the clock.

use std::time::Duration;

use tokio::time::Instant;

/// Longer waits are shortened to this, because `Instant + Duration` panics on overflow.
const MAX_WAIT: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// The time at which this wait ends, at most a year from now.
pub(crate) fn deadline_after(wait: Duration) -> Instant {
    Instant::now() + wait.min(MAX_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_duration_does_not_overflow() {
        assert!(deadline_after(Duration::MAX) > Instant::now() + MAX_WAIT / 2);
    }
}
