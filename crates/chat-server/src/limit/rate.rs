//! One rate limit as one number: GCRA, the generic cell rate algorithm.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use crate::RateLimit;

/// A rate limit, and the clock that its meters share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    start: Instant,
    /// Nanoseconds between two units at the steady rate.
    interval: u64,
    /// Nanoseconds that a burst may be ahead of the steady rate.
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

    /// `None`: too far ahead for the clock to tell.
    fn instant(&self, nanos: u64) -> Option<Instant> {
        self.start.checked_add(Duration::from_nanos(nanos))
    }
}

/// When the next unit would come at the steady rate, in nanoseconds since the start. Many connections may share it.
#[derive(Debug, Default)]
pub(super) struct Level(AtomicU64);

impl Level {
    /// Adds units whether or not they come too early. If they do: when they are due.
    fn add(&self, rate: &Rate, now: u64, units: u32) -> Option<u64> {
        let cost = rate.interval.saturating_mul(units.into());
        let raise = |level: u64| Some(level.max(now).saturating_add(cost));
        let (Ok(before) | Err(before)) = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, raise);
        let due = before.saturating_sub(rate.tolerance);
        (due > now).then_some(due)
    }

    /// Adds one unit, unless it comes too early.
    pub(super) fn try_add(&self, rate: &Rate, now: Instant) -> bool {
        let now = rate.nanos(now);
        let latest = now.saturating_add(rate.tolerance);
        let raise = |level: u64| (level <= latest).then(|| level.max(now).saturating_add(rate.interval));
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, raise).is_ok()
    }

    /// Whether it has forgotten all that was added: a new one would say the same.
    pub(super) fn is_at_rest(&self, rate: &Rate, now: Instant) -> bool {
        self.0.load(Ordering::Relaxed) <= rate.nanos(now)
    }
}

/// The lines of one address, measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter<'a> {
    pub(super) level: &'a Level,
    pub(super) rate: &'a Rate,
}

/// Units that were counted and came too early. Dropped, they are given back: who does not wait until they are due has not
/// used them.
#[derive(Debug)]
#[must_use = "dropped, it gives back what was counted"]
pub(crate) struct Turn<'a> {
    meter: Meter<'a>,
    cost: u64,
    due: Instant,
}

impl<'a> Meter<'a> {
    /// Counts units that have come at `now`. If they came too early: the turn to wait for.
    pub(crate) fn count(self, now: Instant, units: u32) -> Option<Turn<'a>> {
        let due = self.level.add(self.rate, self.rate.nanos(now), units)?;
        // Beyond what the clock can tell, a day is as good as any: it is asked again then.
        let due = self.rate.instant(due).unwrap_or(now + Duration::from_secs(86_400));
        Some(Turn { meter: self, cost: self.rate.interval.saturating_mul(units.into()), due })
    }
}

impl Turn<'_> {
    /// When it is due.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// It is due, and used.
    pub(crate) fn take(mut self) {
        self.cost = 0;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let lower = |level: u64| Some(level.saturating_sub(self.cost));
        let _ = self.meter.level.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lower);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: u32) -> (Rate, Level) {
        (Rate::new(RateLimit::per_second(per_second).unwrap()), Level::default())
    }

    #[track_caller]
    fn waits(turn: Option<Turn<'_>>, rate: &Rate, millis: u64) {
        let turn = turn.expect("it came too early");
        assert_eq!(turn.due(), rate.start + Duration::from_millis(millis));
        turn.take();
    }

    #[test]
    fn a_burst_passes_and_then_the_steady_rate() {
        let (rate, level) = rate(10);
        let meter = Meter { level: &level, rate: &rate };
        let at = |millis| rate.start + Duration::from_millis(millis);
        assert!((0..20).all(|_| meter.count(at(0), 1).is_none()));
        waits(meter.count(at(0), 1), &rate, 100);
        waits(meter.count(at(100), 1), &rate, 200);
        assert!(meter.count(at(350), 1).is_none());
        assert!(!level.is_at_rest(&rate, at(350)));
        // A long pause earns one burst, not more.
        assert!(level.is_at_rest(&rate, at(60_000)));
        assert!((0..20).all(|_| meter.count(at(60_000), 1).is_none()));
        waits(meter.count(at(60_000), 1), &rate, 60_100);
    }

    #[test]
    fn what_weighs_more_than_a_burst_passes_and_is_paid_for_afterwards() {
        let (rate, level) = rate(10);
        let meter = Meter { level: &level, rate: &rate };
        assert!(meter.count(rate.start, 100).is_none());
        waits(meter.count(rate.start, 1), &rate, 8_100);
    }

    #[test]
    fn who_gives_up_waiting_has_used_nothing() {
        let (rate, level) = rate(10);
        let meter = Meter { level: &level, rate: &rate };
        assert!(meter.count(rate.start, 20).is_none());
        for _ in 0..1_000 {
            drop(meter.count(rate.start, 50));
        }
        waits(meter.count(rate.start, 1), &rate, 100);
    }

    #[test]
    fn what_is_refused_is_not_counted() {
        let (rate, level) = rate(10);
        let at = |millis| rate.start + Duration::from_millis(millis);
        assert_eq!((0..1_000).filter(|_| level.try_add(&rate, at(0))).count(), 20);
        assert_eq!((0..1_000).filter(|_| level.try_add(&rate, at(100))).count(), 1);
    }

    #[test]
    fn no_limit_makes_the_clock_overflow() {
        let slowest = RateLimit { per_second: 1.try_into().unwrap(), burst: u32::MAX.try_into().unwrap() };
        let (rate, level) = (Rate::new(slowest), Level::default());
        let meter = Meter { level: &level, rate: &rate };
        for _ in 0..10 {
            if let Some(turn) = meter.count(rate.start, u32::MAX) {
                turn.take();
            }
        }
        assert!(meter.count(rate.start, 1).is_some());
    }
}
