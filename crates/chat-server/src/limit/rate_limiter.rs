//! GCRA, the generic cell rate algorithm: the state of a rate limit is one number. A connection that
//! exceeds the rate waits in a queue.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, sleep_until},
};

use super::limits::RateLimit;

/// A rate limit, and the start of the clock for all of its states.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    start: Instant,
    /// Nanoseconds for one unit at the steady rate.
    interval: u64,
    /// Nanoseconds by which a burst may exceed the steady rate.
    tolerance: u64,
}

impl Rate {
    pub(super) fn new(limit: RateLimit) -> Self {
        let interval = 1_000_000_000 / u64::from(limit.per_second.get());
        let tolerance = interval.saturating_mul(u64::from(limit.burst.get() - 1));
        Self { start: Instant::now(), interval, tolerance }
    }

    fn nanos(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX)
    }
}

/// What one address has used of a rate limit. All of its connections share it.
#[derive(Debug)]
pub(super) struct RateState {
    /// When the next unit is expected at the steady rate, in nanoseconds since the start.
    expected: AtomicU64,
    /// One permit: connections that exceed the rate take turns, first come, first served.
    turns: Semaphore,
}

impl Default for RateState {
    fn default() -> Self {
        Self { expected: AtomicU64::new(0), turns: Semaphore::new(1) }
    }
}

impl RateState {
    /// Adds units, unless the rate is exceeded. The error is the time at which to try again, in nanoseconds since the start.
    ///
    /// More units than a burst are also added at once. They delay later units.
    fn add(&self, rate: &Rate, now: Instant, units: u32) -> Result<(), u64> {
        let (now, cost) = (rate.nanos(now), rate.interval.saturating_mul(units.into()));
        let latest = now.saturating_add(rate.tolerance);
        let raise = |expected: u64| (expected <= latest).then(|| expected.max(now).saturating_add(cost));
        match self.expected.fetch_update(Ordering::Relaxed, Ordering::Relaxed, raise) {
            Ok(_) => Ok(()),
            Err(expected) => Err(expected - rate.tolerance),
        }
    }

    /// Adds one unit, unless the rate is exceeded.
    pub(super) fn try_add(&self, rate: &Rate, now: Instant) -> bool {
        self.add(rate, now, 1).is_ok()
    }

    /// Whether the full burst is available again, as in a new state.
    pub(super) fn has_recovered(&self, rate: &Rate, now: Instant) -> bool {
        self.expected.load(Ordering::Relaxed) <= rate.nanos(now)
    }
}

/// The rate limit of one address's lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineLimit<'a> {
    pub(super) state: &'a RateState,
    pub(super) rate: &'a Rate,
}

impl LineLimit<'_> {
    /// Counts units. Returns `false` if they exceed the rate or if another connection waits for its turn: then call
    /// [`LineLimit::wait`].
    #[must_use]
    pub(crate) fn count(self, units: u32) -> bool {
        self.state.turns.available_permits() > 0 && self.state.add(self.rate, Instant::now(), units).is_ok()
    }

    /// Waits for the turn of these units, and counts them. A dropped future counts nothing.
    pub(crate) async fn wait(self, units: u32) {
        let _turn = self.state.turns.acquire().await.expect("never closed");
        while let Err(nanos) = self.state.add(self.rate, Instant::now(), units) {
            match self.rate.start.checked_add(Duration::from_nanos(nanos)) {
                Some(due) => sleep_until(due).await,
                None => sleep(Duration::MAX).await, // Beyond the clock.
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, future::join_all};
    use tokio::time::advance;

    use super::*;

    fn rate(per_second: u32) -> (Rate, RateState) {
        (Rate::new(RateLimit::per_second(per_second).unwrap()), RateState::default())
    }

    async fn waits(limit: LineLimit<'_>, units: u32, millis: u64) {
        assert!(!limit.count(units), "it exceeds the rate");
        let start = Instant::now();
        limit.wait(units).await;
        assert_eq!(start.elapsed(), Duration::from_millis(millis));
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_then_the_steady_rate() {
        let (rate, state) = rate(10);
        let limit = LineLimit { state: &state, rate: &rate };
        assert!((0..20).all(|_| limit.count(1)));
        waits(limit, 1, 100).await;
        waits(limit, 1, 100).await;
        advance(Duration::from_millis(150)).await;
        assert!(limit.count(1));
        assert!(!state.has_recovered(&rate, Instant::now()));
        // A long pause allows one burst, not more.
        advance(Duration::from_secs(60)).await;
        assert!(state.has_recovered(&rate, Instant::now()));
        assert!((0..20).all(|_| limit.count(1)));
        waits(limit, 1, 100).await;
    }

    #[tokio::test(start_paused = true)]
    async fn more_units_than_a_burst_pass_and_delay_the_next_ones() {
        let (rate, state) = rate(10);
        let limit = LineLimit { state: &state, rate: &rate };
        assert!(limit.count(100));
        waits(limit, 1, 8_100).await;
    }

    #[tokio::test(start_paused = true)]
    async fn turns_come_in_order_and_a_dropped_one_counts_nothing() {
        let (rate, state) = rate(10);
        let limit = LineLimit { state: &state, rate: &rate };
        assert!(limit.count(20));
        let mut dropped: Vec<_> = (0..1_000).map(|_| Box::pin(limit.wait(50))).collect();
        assert!(dropped.iter_mut().all(|turn| turn.now_or_never().is_none()));
        let mut first = Box::pin(limit.wait(1));
        assert!(first.as_mut().now_or_never().is_none());
        drop(dropped);
        let start = Instant::now();
        let order = join_all([first, Box::pin(limit.wait(1))].map(|turn| turn.map(|()| start.elapsed()))).await;
        assert_eq!(order, [100, 200].map(Duration::from_millis));
        // A newcomer does not overtake a connection that waits.
        let mut waiting = Box::pin(limit.wait(1));
        assert!(waiting.as_mut().now_or_never().is_none());
        advance(Duration::from_secs(1)).await;
        assert!(!limit.count(1));
        waiting.await;
        assert!(limit.count(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_unit_is_not_counted() {
        let (rate, state) = rate(10);
        let accepted = || (0..1_000).filter(|_| state.try_add(&rate, Instant::now())).count();
        assert_eq!(accepted(), 20);
        advance(Duration::from_millis(100)).await;
        assert_eq!(accepted(), 1);
    }

    #[test]
    fn extreme_limits_do_not_overflow() {
        let slowest = RateLimit { per_second: 1.try_into().unwrap(), burst: u32::MAX.try_into().unwrap() };
        let (rate, state) = (Rate::new(slowest), RateState::default());
        for _ in 0..10 {
            let _ = state.add(&rate, rate.start, u32::MAX);
        }
        assert!(state.add(&rate, rate.start, 1).is_err());
    }

    /// Run it with `cargo test --release -p chat-server --lib cost_of_a_line -- --ignored --nocapture`.
    #[test]
    #[ignore = "a measurement"]
    fn the_cost_of_a_line() {
        const LINES: u32 = 10_000_000;
        let (rate, state) = rate(u32::MAX);
        let limit = LineLimit { state: &state, rate: &rate };
        let start = Instant::now();
        let waits = (0..LINES).filter(|_| !limit.count(1)).count();
        println!("{:.1} ns for a line, {waits} waits", start.elapsed().as_secs_f64() * 1e9 / f64::from(LINES));
    }
}
