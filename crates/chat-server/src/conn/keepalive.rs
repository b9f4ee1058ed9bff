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

#[derive(Debug)]
pub(super) struct Keepalive {
    /// When anything was heard last.
    heard: Instant,
    /// Until when an answer to a `PING` is waited for.
    asked: Option<Instant>,
}

/// What the clock asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// Nothing before this instant.
    At(Instant),
    /// A `PING` now, and nothing more before this instant.
    Ping(Instant),
    /// Nobody is there.
    GiveUp,
}

impl Keepalive {
    pub(super) fn new(now: Instant) -> Self {
        Self { heard: now, asked: None }
    }

    /// Something has come; anything counts.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = None;
    }

    /// What is to be done. Cheap to ask late: only then is it worked out how long ago anything was heard.
    pub(super) fn due(&mut self, now: Instant, patience: Patience) -> Due {
        match self.asked {
            Some(deadline) if now >= deadline => Due::GiveUp,
            Some(deadline) => Due::At(deadline),
            None if now >= self.heard + patience.interval => {
                // Counted from now: a check that comes late must not count against the peer.
                let deadline = now + patience.timeout;
                self.asked = Some(deadline);
                Due::Ping(deadline)
            }
            None => Due::At(self.heard + patience.interval),
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
        let patience = Patience { interval: Duration::from_secs(60), timeout: Duration::from_secs(3) };
        let mut keepalive = Keepalive::new(start);
        assert_eq!(keepalive.due(at(1), patience), Due::At(at(60)));
        keepalive.heard(at(30));
        assert_eq!(keepalive.due(at(60), patience), Due::At(at(90)));
        assert_eq!(keepalive.due(at(90), patience), Due::Ping(at(93)));
        assert_eq!(keepalive.due(at(90), patience), Due::At(at(93)));
        keepalive.heard(at(91));
        assert_eq!(keepalive.due(at(93), patience), Due::At(at(151)));
        assert_eq!(keepalive.due(at(160), patience), Due::Ping(at(163)));
        assert_eq!(keepalive.due(at(162), patience), Due::At(at(163)));
        assert_eq!(keepalive.due(at(163), patience), Due::GiveUp);
    }
}
