//! Whether anything grew: the last quarter of the run compared with the first.

use std::time::Duration;

use anyhow::{Result, bail};

use super::server::Sample;

/// Less than this is no growth: what the ring holds depends on how slow some clients are at the moment.
const SLACK_KIB: u64 = 8 * 1_024;

#[derive(Debug)]
pub(super) struct Growth {
    planned: Duration,
    first: Peak,
    last: Peak,
}

/// The highest figures of a part of the run.
#[derive(Clone, Copy, Debug, Default)]
struct Peak {
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

    pub(super) fn check(&self) -> Result<&'static str> {
        let Self { first, last, .. } = self;
        println!("peak of the first quarter: {first:?}; of the last: {last:?}");
        if first.memory == 0 || last.memory == 0 {
            return Ok("and the run was too short to say whether anything grows");
        }
        // The number of clients varies by a few.
        let grown = |before: u64, after: u64, slack: u64| after > before + before / 4 + slack;
        for (what, before, after, slack) in [
            ("memory in KiB", first.memory, last.memory, SLACK_KIB),
            ("descriptors", first.descriptors, last.descriptors, 8),
            ("tasks", first.tasks, last.tasks, 16),
        ] {
            if grown(before, after, slack) {
                bail!("{what} grew from {before} to {after}");
            }
        }
        Ok("nothing grew")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(memory: [u64; 4]) -> Result<&'static str> {
        let mut growth = Growth::new(Duration::from_secs(40));
        for (index, memory) in (1..).zip(memory) {
            growth.add(Duration::from_secs(index * 10), &Sample::of(memory, "tasks=7 cut=1 (said BYE: 3)"));
        }
        growth.check()
    }

    #[test]
    fn growth_is_found_and_noise_is_not() {
        assert_eq!(growth([20_000, 90_000, 90_000, 25_000]).unwrap(), "nothing grew");
        assert!(growth([20_000, 25_000, 30_000, 35_000]).is_err());
    }
}
