//! Detects growth: compares the peaks of the last quarter of the run with those of the first.

use std::time::Duration;

use anyhow::{Result, bail};

use super::server::Usage;

/// Growth that is not an error, besides a quarter of the first peak: the number of clients varies slightly.
///
/// The memory of the ring varies with the lag of slow clients.
const TOLERANCE: Peaks = Peaks { memory_kib: 8 * 1_024, descriptors: 8, tasks: 16 };

#[derive(Debug)]
pub(super) struct Growth {
    duration: Duration,
    first_quarter: Peaks,
    last_quarter: Peaks,
}

/// The highest figures of a period.
#[derive(Clone, Copy, Debug, Default)]
struct Peaks {
    memory_kib: u64,
    descriptors: u64,
    tasks: u64,
}

impl Growth {
    /// Prepares for a run of this duration.
    pub(super) fn new(duration: Duration) -> Self {
        Self { duration, first_quarter: Peaks::default(), last_quarter: Peaks::default() }
    }

    /// Adds what the server used when this time of the run had elapsed.
    pub(super) fn add(&mut self, elapsed: Duration, usage: &Usage) {
        let peaks = match elapsed * 4 {
            time if time <= self.duration => &mut self.first_quarter,
            time if time > self.duration * 3 => &mut self.last_quarter,
            _ => return,
        };
        peaks.memory_kib = peaks.memory_kib.max(usage.memory_kib);
        peaks.descriptors = peaks.descriptors.max(usage.descriptors);
        peaks.tasks = peaks.tasks.max(usage.stat("tasks"));
    }

    /// Fails if anything grew by more than the tolerance. Otherwise returns the result in words.
    pub(super) fn check(&self) -> Result<&'static str> {
        let (first, last) = (&self.first_quarter, &self.last_quarter);
        println!("peaks of the first quarter: {first:?}; of the last quarter: {last:?}");
        if first.memory_kib == 0 || last.memory_kib == 0 {
            return Ok("the run was too short to detect growth");
        }
        for (name, first, last, tolerance) in [
            ("memory in KiB", first.memory_kib, last.memory_kib, TOLERANCE.memory_kib),
            ("descriptors", first.descriptors, last.descriptors, TOLERANCE.descriptors),
            ("tasks", first.tasks, last.tasks, TOLERANCE.tasks),
        ] {
            if last > first + first / 4 + tolerance {
                bail!("{name} grew from {first} to {last}");
            }
        }
        Ok("nothing grew")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a run with this memory at the end of each quarter, in KiB.
    fn check_growth(memory: [u64; 4]) -> Result<&'static str> {
        let mut growth = Growth::new(Duration::from_secs(40));
        for (quarter, memory) in (1..).zip(memory) {
            growth.add(Duration::from_secs(quarter * 10), &Usage::new(memory, 0, "tasks=7 cut=1 (said BYE: 3)"));
        }
        growth.check()
    }

    #[test]
    fn only_growth_above_the_tolerance_is_an_error() {
        assert_eq!(check_growth([20_000, 90_000, 90_000, 25_000]).unwrap(), "nothing grew");
        assert!(check_growth([20_000, 25_000, 30_000, 35_000]).is_err());
    }
}
