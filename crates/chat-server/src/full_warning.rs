//! Warns the operator that the server is full: at once, and then at most once a minute.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tracing::warn;

use crate::reason::{EndReason, Full};

/// The time between two warnings.
const INTERVAL: Duration = Duration::from_secs(60);

/// Counts the connections that a full server refused.
#[derive(Debug, Default)]
pub(crate) struct FullWarning {
    since: Mutex<Since>,
}

#[derive(Debug, Default)]
struct Since {
    last_told: Option<Instant>,
    count: u64,
}

impl FullWarning {
    /// Counts a refused connection, and warns if the next warning is due.
    pub(crate) fn count(&self, reason: &EndReason, max_clients: Option<usize>) {
        if *reason != EndReason::Full(Full::Server) {
            return;
        }
        let due = self.since.lock().unwrap_or_else(PoisonError::into_inner).one_more(Instant::now());
        if let Some(turned_away) = due {
            warn!(max_clients, turned_away, "the server is full");
        }
    }
}

impl Since {
    /// The number of refused connections since the last warning, if the next one is due.
    fn one_more(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        if self.last_told.is_some_and(|told| now.duration_since(told) < INTERVAL) {
            return None;
        }
        self.last_told = Some(now);
        Some(std::mem::take(&mut self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_refusal_warns_at_once_and_later_ones_once_a_minute() {
        let start = Instant::now();
        let mut since = Since::default();
        let mut after = |seconds| since.one_more(start + Duration::from_secs(seconds));
        assert_eq!([after(0), after(0), after(59)], [Some(1), None, None]);
        assert_eq!([after(60), after(61), after(1_000)], [Some(3), None, Some(2)]);
    }
}
