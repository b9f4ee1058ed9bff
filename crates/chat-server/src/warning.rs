//! A warning whose cause may occur very often. It is logged at the first occurrence, and then at most once a minute.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The time between two warnings.
const INTERVAL: Duration = Duration::from_secs(60);

/// Counts occurrences, and decides when to log a warning about them.
#[derive(Debug, Default)]
pub(crate) struct RareWarning {
    since: Mutex<SinceWarning>,
}

#[derive(Debug, Default)]
struct SinceWarning {
    last_warning: Option<Instant>,
    count: u64,
}

impl RareWarning {
    /// Counts an occurrence. If a warning is due, returns the number of occurrences since the last warning.
    pub(crate) fn count(&self) -> Option<u64> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner).count_at(Instant::now())
    }
}

impl SinceWarning {
    fn count_at(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        if self.last_warning.is_some_and(|last| now.duration_since(last) < INTERVAL) {
            return None;
        }
        self.last_warning = Some(now);
        Some(std::mem::take(&mut self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_warns_at_once_and_later_ones_once_a_minute() {
        let start = Instant::now();
        let mut since = SinceWarning::default();
        let mut after = |seconds| since.count_at(start + Duration::from_secs(seconds));
        assert_eq!([after(0), after(0), after(59)], [Some(1), None, None]);
        assert_eq!([after(60), after(61), after(1_000)], [Some(3), None, Some(2)]);
    }
}
