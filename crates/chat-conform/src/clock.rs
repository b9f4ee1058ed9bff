//! Deadlines: the clock, and what has already come before a deadline counts.

use std::time::Duration;

use tokio::time::Instant;

/// The longest wait. Beyond it the addition of a duration to a point in time may overflow.
const LONGEST: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// The point in time after this wait, of a year at most.
pub(crate) fn after(wait: Duration) -> Instant {
    Instant::now() + wait.min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wait_is_too_long_for_the_clock() {
        assert!(after(Duration::MAX) > Instant::now() + LONGEST / 2);
    }
}
