//! When to ask a silent client whether it is there, and when to give it up (clause 6.1).

use std::time::Duration;

use tokio::time::Instant;

/// How long a silence is borne.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Before the question.
    pub(super) interval: Duration,
    /// After it.
    pub(super) timeout: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Keepalive {
    /// When it was last asked, if nothing has come since.
    asked: Option<Instant>,
}

/// What the clock asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// Nothing before this instant; `None`: never, as far as the clock can tell.
    At(Option<Instant>),
    /// A `PING` now, and nothing more before this instant.
    Ping(Option<Instant>),
    /// Nobody is there.
    GiveUp,
}

impl Keepalive {
    /// What is to be done about a peer from which the last byte came at `heard`. Cheap to ask late: only then is it worked
    /// out how long the silence is.
    pub(super) fn due(&mut self, now: Instant, heard: Instant, patience: Patience) -> Due {
        if let Some(asked) = self.asked.filter(|asked| heard < *asked) {
            return match asked.checked_add(patience.timeout) {
                Some(deadline) if now >= deadline => Due::GiveUp,
                deadline => Due::At(deadline),
            };
        }
        self.asked = None;
        match heard.checked_add(patience.interval) {
            Some(silent) if now >= silent => {
                // Counted from now: a check that comes late must not count against the peer.
                self.asked = Some(now);
                Due::Ping(now.checked_add(patience.timeout))
            }
            silent => Due::At(silent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_asked_and_then_given_up() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let due = |secs| Due::At(Some(at(secs)));
        let patience = Patience { interval: Duration::from_secs(60), timeout: Duration::from_secs(3) };
        let mut keepalive = Keepalive::default();
        assert_eq!(keepalive.due(at(1), start, patience), due(60));
        assert_eq!(keepalive.due(at(60), at(30), patience), due(90));
        assert_eq!(keepalive.due(at(90), at(30), patience), Due::Ping(Some(at(93))));
        assert_eq!(keepalive.due(at(90), at(30), patience), due(93));
        assert_eq!(keepalive.due(at(93), at(91), patience), due(151));
        assert_eq!(keepalive.due(at(160), at(91), patience), Due::Ping(Some(at(163))));
        assert_eq!(keepalive.due(at(162), at(91), patience), due(163));
        assert_eq!(keepalive.due(at(163), at(91), patience), Due::GiveUp);
    }

    #[test]
    fn what_the_clock_cannot_tell_is_never() {
        let now = Instant::now();
        let endless = Patience { interval: Duration::MAX, timeout: Duration::MAX };
        assert_eq!(Keepalive::default().due(now, now, endless), Due::At(None));
        let (asked, later) = (Patience { interval: Duration::from_secs(1), ..endless }, now + Duration::from_secs(1));
        let mut keepalive = Keepalive::default();
        assert_eq!(keepalive.due(later, now, asked), Due::Ping(None));
        assert_eq!(keepalive.due(later, now, asked), Due::At(None));
    }
}
