//! How long a run waits for the program under test. The waits follow the program: a slow one gets more time, one that
//! has stopped answering gets less, and cases of both are played at the same time.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Semaphore;

/// How many cases are played at the same time if the program is slow or does not answer.
const MAX_LANES: usize = 24;
/// A program is slow if some of its replies take longer. One of them may be due to a busy machine.
const SLOW_REPLY: Duration = Duration::from_millis(200);
/// How many slow replies make a program slow.
const SLOW_REPLIES: usize = 4;
/// After so many timeouts without a late reply, the program counts as one that does not answer.
const MANY_TIMEOUTS: usize = 6;
/// How many timeouts are followed by a second, longer wait. It shows whether the program is slow or does not answer.
const SECOND_WAITS: usize = 3;

/// What one run has learned about the program under test.
#[derive(Debug)]
pub(crate) struct Pace {
    line_timeout: Duration,
    learned: Mutex<Learned>,
    lanes: Option<Arc<Semaphore>>,
}

#[derive(Debug, Default)]
struct Learned {
    slowest: Duration,
    slow_replies: usize,
    timeouts: usize,
    second_waits: usize,
    has_late_reply: bool,
    has_strangers: bool,
    is_wide: bool,
}

impl Pace {
    /// For one case alone: all waits are `line_timeout`.
    pub(crate) fn fixed(line_timeout: Duration) -> Self {
        Self { line_timeout, learned: Mutex::default(), lanes: None }
    }

    /// For a run.
    pub(crate) fn following(line_timeout: Duration) -> Self {
        Self { lanes: Some(Arc::new(Semaphore::new(1))), ..Self::fixed(line_timeout) }
    }

    /// A permit for each case that may be played now: one case at a time as long as the program answers quickly, so that
    /// no case disturbs another.
    pub(crate) fn lanes(&self) -> Option<Arc<Semaphore>> {
        self.lanes.clone()
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long to wait for a line, if the case says nothing else.
    pub(crate) fn line_timeout(&self) -> Duration {
        let learned = self.learned();
        if learned.has_late_reply {
            self.line_timeout.saturating_mul(10)
        } else if self.lanes.is_some() && learned.timeouts >= MANY_TIMEOUTS {
            (learned.slowest.saturating_mul(10)).clamp(self.line_timeout / 6, self.line_timeout)
        } else {
            self.line_timeout
        }
    }

    /// How long to wait for a line, if the case says `within`.
    pub(crate) fn wait(&self, within: Option<Duration>) -> Duration {
        let line_timeout = self.line_timeout();
        match within {
            // A program that does not answer gets no more time by the case either.
            Some(within) if line_timeout >= self.line_timeout => within.max(line_timeout),
            _ => line_timeout,
        }
    }

    /// How long to read on a connection that the judge leaves.
    pub(crate) fn leave_timeout(&self) -> Duration {
        const USUAL: Duration = Duration::from_millis(500);
        let slowest = self.learned().slowest;
        slowest.saturating_mul(4).clamp(USUAL.min(self.line_timeout), self.line_timeout)
    }

    /// Records that a line came after this wait.
    pub(crate) fn replied_after(&self, wait: Duration) {
        let mut learned = self.learned();
        learned.slowest = learned.slowest.max(wait);
        learned.slow_replies += usize::from(wait > SLOW_REPLY);
        if learned.slow_replies >= SLOW_REPLIES {
            self.widen(&mut learned);
        }
    }

    /// Records that a line did not come in time. Returns how much longer to wait for it.
    pub(crate) fn timed_out(&self) -> Option<Duration> {
        let mut learned = self.learned();
        learned.timeouts += 1;
        self.widen(&mut learned);
        if self.lanes.is_none() || learned.has_late_reply || learned.second_waits >= SECOND_WAITS {
            return None;
        }
        learned.second_waits += 1;
        Some(self.line_timeout.saturating_mul(2))
    }

    /// Records that a line came in the second wait.
    pub(crate) fn replied_late(&self) {
        self.learned().has_late_reply = true;
    }

    /// Records that a client outside of the run is in the room.
    pub(crate) fn stranger_seen(&self) {
        self.learned().has_strangers = true;
    }

    /// Whether the program answers most of the time.
    pub(crate) fn answers(&self) -> bool {
        self.learned().timeouts < 4 * MANY_TIMEOUTS
    }

    /// Whether cases are played at the same time.
    pub(crate) fn is_wide(&self) -> bool {
        self.learned().is_wide
    }

    /// Whether other clients may be in the room: strangers, or those of other cases.
    pub(crate) fn may_have_strangers(&self) -> bool {
        let learned = self.learned();
        learned.has_strangers || learned.is_wide
    }

    fn widen(&self, learned: &mut Learned) {
        if let Some(lanes) = self.lanes.as_ref().filter(|_| !learned.is_wide) {
            learned.is_wide = true;
            lanes.add_permits(MAX_LANES - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: Duration = Duration::from_secs(2);

    #[test]
    fn a_program_that_does_not_answer_gets_less_time() {
        let pace = Pace::following(LINE);
        pace.replied_after(Duration::from_millis(1));
        assert_eq!(pace.lanes().unwrap().available_permits(), 1);
        assert_eq!([(); 4].map(|()| pace.timed_out()), [Some(LINE * 2), Some(LINE * 2), Some(LINE * 2), None]);
        assert_eq!((pace.line_timeout(), pace.lanes().unwrap().available_permits()), (LINE, MAX_LANES));
        for _ in 0..MANY_TIMEOUTS {
            pace.timed_out();
        }
        assert_eq!(pace.line_timeout(), LINE / 6);
    }

    #[test]
    fn a_slow_program_gets_more_time() {
        let pace = Pace::following(LINE);
        assert!(pace.timed_out().is_some());
        pace.replied_late();
        assert_eq!((pace.line_timeout(), pace.timed_out()), (LINE * 10, None));
    }

    #[test]
    fn one_case_alone_waits_as_told() {
        let pace = Pace::fixed(LINE);
        (0..20).for_each(|_| assert_eq!(pace.timed_out(), None));
        assert_eq!(pace.line_timeout(), LINE);
    }
}
