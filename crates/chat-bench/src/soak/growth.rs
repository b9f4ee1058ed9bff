//! Compares the last quarter of the run with the first, to find out whether anything grew.

use std::time::Duration;

use anyhow::{Result, bail};

use super::server::Sample;

/// Tolerance for memory. The size of the ring varies, because it depends on how much slow clients lag.
const TOLERANCE_KIB: u64 = 8 * 1_024;

#[derive(Debug)]
pub(super) struct Growth {
    planned: Duration,
    first: Peak,
    last: Peak,
}

/// The highest figures of a quarter of the run.
#[derive(Clone, Copy, Debug, Default)]
struct Peak {
    /// In KiB.
    memory: u64,
    descriptors: u64,
    tasks: u64,
}

impl Growth {
    pub(super) fn new(planned: Duration) -> Self {
        Self { planned, first: Peak::default(), last: Peak::default() }
    }

    pub(super) fn planned(&self) -> Duration {
        self.planned
    }

    /// Adds a sample that was taken at this time of the run.
    pub(super) fn add(&mut self, at: Duration, sample: &Sample) {
        let peak = match at {
            _ if at * 4 <= self.planned => &mut self.first,
            _ if at * 4 > self.planned * 3 => &mut self.last,
            _ => return,
        };
        peak.memory = peak.memory.max(sample.memory);
        peak.descriptors = peak.descriptors.max(sample.descriptors);
        peak.tasks = peak.tasks.max(sample.stat("tasks"));
    }

    /// Fails if anything grew. Otherwise returns the result as a part of a sentence.
    pub(super) fn check(&self) -> Result<&'static str> {
        let Self { first, last, .. } = self;
        println!("peaks of the first quarter: {first:?}; of the last quarter: {last:?}");
        if first.memory == 0 || last.memory == 0 {
            return Ok("but the run was too short to find growth");
        }
        // The number of clients varies slightly, so the figures do too.
        let grown = |before: u64, after: u64, tolerance: u64| after > before + before / 4 + tolerance;
        for (what, before, after, tolerance) in [
            ("memory in KiB", first.memory, last.memory, TOLERANCE_KIB),
            ("descriptors", first.descriptors, last.descriptors, 8),
            ("tasks", first.tasks, last.tasks, 16),
        ] {
            if grown(before, after, tolerance) {
                bail!("{what} grew from {before} to {after}");
            }
        }
        Ok("nothing grew")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_growth(memory: [u64; 4]) -> Result<&'static str> {
        let mut growth = Growth::new(Duration::from_secs(40));
        for (index, memory) in (1..).zip(memory) {
            growth.add(Duration::from_secs(index * 10), &Sample::new(memory, 0, "tasks=7 cut=1 (said BYE: 3)"));
        }
        growth.check()
    }

    #[test]
    fn only_growth_above_the_tolerance_is_an_error() {
        assert_eq!(check_growth([20_000, 90_000, 90_000, 25_000]).unwrap(), "nothing grew");
        assert!(check_growth([20_000, 25_000, 30_000, 35_000]).is_err());
    }
}
