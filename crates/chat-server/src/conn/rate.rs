//! The rate limit of one client, as one instant: GCRA, the generic cell rate algorithm.

use std::time::Duration;

use tokio::time::Instant;

use crate::RateLimit;

#[derive(Debug)]
pub(super) struct Meter {
    limit: RateLimit,
    /// When the next line would come at the steady rate.
    expected: Option<Instant>,
}

impl Meter {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self { limit, expected: None }
    }

    /// Counts a line that has come at `now`. If it came too early: when it may be handled.
    pub(super) fn count(&mut self, now: Instant) -> Option<Instant> {
        // Between two lines at the steady rate, and how far ahead of it a burst may be.
        let interval = Duration::from_nanos(1_000_000_000 / u64::from(self.limit.per_second.get()));
        let tolerance = interval * (self.limit.burst.get() - 1);
        let expected = self.expected.map_or(now, |expected| expected.max(now));
        self.expected = Some(expected + interval);
        now.checked_add(tolerance).is_some_and(|latest| latest < expected).then(|| expected - tolerance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_steady_rate() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut meter = Meter::new(RateLimit::per_second(10).unwrap());
        for _ in 0..20 {
            assert_eq!(meter.count(start), None);
        }
        assert_eq!(meter.count(start), Some(at(100)));
        assert_eq!(meter.count(at(100)), Some(at(200)));
        assert_eq!(meter.count(at(350)), None);
        // A long pause earns one burst, not more.
        let later = at(60_000);
        assert!((0..20).all(|_| meter.count(later).is_none()));
        assert_eq!(meter.count(later), Some(later + Duration::from_millis(100)));
    }
}
