//! GCRA, the generic cell rate algorithm: the state of a rate limit is one number.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use crate::RateLimit;

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

    /// `None`: it is beyond the clock.
    fn instant(&self, nanos: u64) -> Option<Instant> {
        self.start.checked_add(Duration::from_nanos(nanos))
    }
}

/// When the next unit is expected at the steady rate, in nanoseconds since the start. All connections of an address
/// share it.
#[derive(Debug, Default)]
pub(super) struct RateState(AtomicU64);

impl RateState {
    /// Adds units. If they exceed the rate, returns when they are due.
    fn add(&self, rate: &Rate, now: u64, units: u32) -> Option<u64> {
        let cost = rate.interval.saturating_mul(units.into());
        let raise = |state: u64| Some(state.max(now).saturating_add(cost));
        let (Ok(before) | Err(before)) = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, raise);
        let due = before.saturating_sub(rate.tolerance);
        (due > now).then_some(due)
    }

    /// Adds one unit, unless it exceeds the rate.
    pub(super) fn try_add(&self, rate: &Rate, now: Instant) -> bool {
        let now = rate.nanos(now);
        let latest = now.saturating_add(rate.tolerance);
        let raise = |state: u64| (state <= latest).then(|| state.max(now).saturating_add(rate.interval));
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, raise).is_ok()
    }

    /// Whether it equals a new state: everything that was added is in the past.
    pub(super) fn is_at_rest(&self, rate: &Rate, now: Instant) -> bool {
        self.0.load(Ordering::Relaxed) <= rate.nanos(now)
    }
}

/// The rate limit of one address's lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineLimit<'a> {
    pub(super) state: &'a RateState,
    pub(super) rate: &'a Rate,
}

/// Units that exceed the rate. Dropped before they are due, they are given back: they were not used.
#[derive(Debug)]
#[must_use = "when dropped, it gives its units back"]
pub(crate) struct Turn<'a> {
    limit: LineLimit<'a>,
    cost: u64,
    due: Instant,
}

impl<'a> LineLimit<'a> {
    /// Counts units at the time `now`. If they exceed the rate, returns the turn to wait for.
    pub(crate) fn count(self, now: Instant, units: u32) -> Option<Turn<'a>> {
        let due = self.state.add(self.rate, self.rate.nanos(now), units)?;
        // Beyond the clock: any late time will do, since the caller looks again.
        let due = self.rate.instant(due).unwrap_or(now + Duration::from_secs(86_400));
        Some(Turn { limit: self, cost: self.rate.interval.saturating_mul(units.into()), due })
    }
}

impl Turn<'_> {
    /// The time to wait for.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Uses the units.
    pub(crate) fn take(mut self) {
        self.cost = 0;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let lower = |state: u64| Some(state.saturating_sub(self.cost));
        let _ = self.limit.state.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lower);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: u32) -> (Rate, RateState) {
        (Rate::new(RateLimit::per_second(per_second).unwrap()), RateState::default())
    }

    #[track_caller]
    fn waits(turn: Option<Turn<'_>>, rate: &Rate, millis: u64) {
        let turn = turn.expect("it exceeds the rate");
        assert_eq!(turn.due(), rate.start + Duration::from_millis(millis));
        turn.take();
    }

    #[test]
    fn a_burst_passes_and_then_the_steady_rate() {
        let (rate, state) = rate(10);
        let limit = LineLimit { state: &state, rate: &rate };
        let at = |millis| rate.start + Duration::from_millis(millis);
        assert!((0..20).all(|_| limit.count(at(0), 1).is_none()));
        waits(limit.count(at(0), 1), &rate, 100);
        waits(limit.count(at(100), 1), &rate, 200);
        assert!(limit.count(at(350), 1).is_none());
        assert!(!state.is_at_rest(&rate, at(350)));
        // A long pause allows one burst, not more.
        assert!(state.is_at_rest(&rate, at(60_000)));
        assert!((0..20).all(|_| limit.count(at(60_000), 1).is_none()));
        waits(limit.count(at(60_000), 1), &rate, 60_100);
    }

    #[test]
    fn more_units_than_a_burst_pass_and_delay_the_next_ones() {
        let (rate, state) = rate(10);
        let limit = LineLimit { state: &state, rate: &rate };
        assert!(limit.count(rate.start, 100).is_none());
        waits(limit.count(rate.start, 1), &rate, 8_100);
    }

    #[test]
    fn a_dropped_turn_gives_its_units_back() {
        let (rate, state) = rate(10);
        let limit = LineLimit { state: &state, rate: &rate };
        assert!(limit.count(rate.start, 20).is_none());
        for _ in 0..1_000 {
            drop(limit.count(rate.start, 50));
        }
        waits(limit.count(rate.start, 1), &rate, 100);
    }

    #[test]
    fn a_refused_unit_is_not_counted() {
        let (rate, state) = rate(10);
        let at = |millis| rate.start + Duration::from_millis(millis);
        assert_eq!((0..1_000).filter(|_| state.try_add(&rate, at(0))).count(), 20);
        assert_eq!((0..1_000).filter(|_| state.try_add(&rate, at(100))).count(), 1);
    }

    #[test]
    fn extreme_limits_do_not_overflow() {
        let slowest = RateLimit { per_second: 1.try_into().unwrap(), burst: u32::MAX.try_into().unwrap() };
        let (rate, state) = (Rate::new(slowest), RateState::default());
        let limit = LineLimit { state: &state, rate: &rate };
        for _ in 0..10 {
            if let Some(turn) = limit.count(rate.start, u32::MAX) {
                turn.take();
            }
        }
        assert!(limit.count(rate.start, 1).is_some());
    }

    /// Run it with `cargo test --release -p chat-server --lib cost_of_a_line -- --ignored --nocapture`.
    #[test]
    #[ignore = "a measurement"]
    fn the_cost_of_a_line() {
        const LINES: u32 = 10_000_000;
        let (rate, state) = rate(u32::MAX);
        let limit = LineLimit { state: &state, rate: &rate };
        let start = Instant::now();
        let waits = (0..LINES).filter(|_| limit.count(Instant::now(), 1).is_some()).count();
        println!("{:.1} ns for a line, {waits} waits", start.elapsed().as_secs_f64() * 1e9 / f64::from(LINES));
    }
}
