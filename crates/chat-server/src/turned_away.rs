//! A full server, told to its operator: at once, and then so rarely that nobody can fill the log with it.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tracing::warn;

use crate::reason::{EndReason, Full};

/// So long nothing more is told after each warning.
const QUIET: Duration = Duration::from_secs(60);

/// Those who found the server full.
#[derive(Debug, Default)]
pub(crate) struct TurnedAway {
    since: Mutex<Since>,
}

#[derive(Debug, Default)]
struct Since {
    last_told: Option<Instant>,
    count: u64,
}

impl TurnedAway {
    /// Notes that one was refused for this reason, and warns if it is time to.
    pub(crate) fn told(&self, reason: EndReason, max_clients: Option<usize>) {
        if reason != EndReason::Full(Full::Server) {
            return;
        }
        let due = self.since.lock().unwrap_or_else(PoisonError::into_inner).one_more(Instant::now());
        if let Some(turned_away) = due {
            warn!(max_clients, turned_away, "the server is full");
        }
    }
}

impl Since {
    /// How many were turned away since the last warning, if the next one is due.
    fn one_more(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        if self.last_told.is_some_and(|told| now.duration_since(told) < QUIET) {
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
    fn the_first_is_told_at_once_and_the_others_once_a_minute() {
        let start = Instant::now();
        let mut since = Since::default();
        let mut after = |seconds| since.one_more(start + Duration::from_secs(seconds));
        assert_eq!([after(0), after(0), after(59)], [Some(1), None, None]);
        assert_eq!([after(60), after(61), after(1_000)], [Some(3), None, Some(2)]);
    }
}
