//! The time limits of a session, as pure state: what is due, and when. The caller passes the time.

use std::time::Duration;

use tokio::time::Instant;

/// Silence after which a session under a name sends `PING`, and time that the server then has to send anything.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// While a session leaves: time for each further answer of the server.
pub const LEAVE_TIMEOUT: Duration = Duration::from_secs(30);
/// Time after which a first message without an answer is followed by `PING`. The `PONG` shows how the server
/// acknowledges.
const PROBE_DELAY: Duration = Duration::from_secs(3);
/// Time without a reader of events after which the session reads on and counts what does not fit.
const STALL_TIMEOUT: Duration = Duration::from_secs(3);

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// Send `PING`: it is unknown how the server acknowledges messages.
    Probe,
    /// Send `PING`: nothing was received for a while.
    Ping,
    /// Nothing was received since the `PING`: the connection is dead.
    Dead,
    /// The session is leaving, and the server takes too long to answer.
    Leave,
    /// The reader of events has stopped: read on without it.
    Stall,
}

/// What the session waits for, which decides which limits apply.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each applies or not, independently of the others")]
pub(super) struct Waiting {
    /// A message has no answer, and it is unknown how this server acknowledges.
    pub(super) unproven: bool,
    /// The session may send `PING`, and reads what the server sends.
    pub(super) can_ping: bool,
    pub(super) is_leaving: bool,
    /// Nobody takes the events, although a request waits for its answer.
    pub(super) is_stalling: bool,
}

/// The clocks of a session. Call [`Deadlines::update`] after each change.
#[derive(Debug)]
pub(super) struct Deadlines {
    keepalive: Option<Duration>,
    waiting: Waiting,
    received: Instant,
    /// When the `PING` after a silence was sent.
    pinged: Option<Instant>,
    unproven_since: Option<Instant>,
    /// While leaving: when the last answer arrived.
    leaving_since: Option<Instant>,
    leave_by: Option<Instant>,
    stalling_since: Option<Instant>,
}

impl Deadlines {
    /// `keepalive` is the interval of [`KEEPALIVE_INTERVAL`], or `None` for a session that may be silent for ever.
    pub(super) fn new(keepalive: Option<Duration>, now: Instant) -> Self {
        Self {
            keepalive,
            waiting: Waiting::default(),
            received: now,
            pinged: None,
            unproven_since: None,
            leaving_since: None,
            leave_by: None,
            stalling_since: None,
        }
    }

    /// When the last line was received.
    pub(super) fn last_received(&self) -> Instant {
        self.received
    }

    /// The server has sent a line.
    pub(super) fn received(&mut self, now: Instant) {
        self.received = now;
        self.pinged = None;
    }

    /// The server has answered a request, or `BYE` was sent.
    pub(super) fn answered(&mut self, now: Instant) {
        self.leaving_since = self.leaving_since.map(|_| now);
    }

    /// The reader has taken events.
    pub(super) fn read(&mut self, now: Instant) {
        self.stalling_since = self.stalling_since.map(|_| now);
    }

    /// The session must end at this time. Of two such times, the earlier one counts.
    pub(super) fn leave_by(&mut self, limit: Option<Instant>) {
        self.leave_by = [self.leave_by, limit].into_iter().flatten().min();
    }

    /// Starts the clocks of what the session has begun to wait for, and stops the others.
    pub(super) fn update(&mut self, waiting: Waiting, now: Instant) {
        if waiting.can_ping && !self.waiting.can_ping {
            // What the session did not read is not the server's silence.
            self.received(now);
        }
        let since = |before: Option<Instant>, waits: bool| waits.then(|| before.unwrap_or(now));
        self.unproven_since = since(self.unproven_since, waiting.unproven);
        self.leaving_since = since(self.leaving_since, waiting.is_leaving);
        self.stalling_since = since(self.stalling_since, waiting.is_stalling);
        self.waiting = waiting;
    }

    /// The next thing that will be due, and when.
    pub(super) fn next(&self) -> Option<(Instant, Due)> {
        let after = |since: Option<Instant>, limit: Duration, due| Some((since?.checked_add(limit)?, due));
        let keepalive = self.keepalive.filter(|_| self.waiting.can_ping).and_then(|interval| match self.pinged {
            None => after(Some(self.received), interval, Due::Ping),
            pinged => after(pinged, interval, Due::Dead),
        });
        let limits = [
            after(self.unproven_since, PROBE_DELAY, Due::Probe),
            keepalive,
            after(self.leaving_since, LEAVE_TIMEOUT, Due::Leave),
            self.leave_by.map(|limit| (limit, Due::Leave)),
            after(self.stalling_since, STALL_TIMEOUT, Due::Stall),
        ];
        limits.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// What is due now. `PING`s count as sent.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Due> {
        let due = self.next().filter(|(at, _)| *at <= now).map(|(_, due)| due)?;
        if due == Due::Ping {
            self.pinged = Some(now);
        }
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn silent(waiting: Waiting) -> (Deadlines, Instant) {
        let start = Instant::now();
        let mut deadlines = Deadlines::new(Some(KEEPALIVE_INTERVAL), start);
        deadlines.update(waiting, start);
        (deadlines, start)
    }

    #[test]
    fn silence_is_answered_by_a_ping_and_then_ends_the_session() {
        let (mut deadlines, start) = silent(Waiting { can_ping: true, ..Waiting::default() });
        assert_eq!(deadlines.take_due(start + KEEPALIVE_INTERVAL - SECOND), None);
        // This process was suspended: the server gets its time from the `PING` on.
        let late = start + 10 * KEEPALIVE_INTERVAL;
        assert_eq!(deadlines.take_due(late), Some(Due::Ping));
        assert_eq!(deadlines.take_due(late + KEEPALIVE_INTERVAL - SECOND), None);
        assert_eq!(deadlines.take_due(late + KEEPALIVE_INTERVAL), Some(Due::Dead));
        deadlines.received(late + KEEPALIVE_INTERVAL);
        assert_eq!(deadlines.take_due(late + KEEPALIVE_INTERVAL), None);
    }

    #[test]
    fn a_session_that_does_not_read_does_not_blame_the_server() {
        let (mut deadlines, start) = silent(Waiting::default());
        assert_eq!(deadlines.next(), None);
        let read = start + 100 * KEEPALIVE_INTERVAL;
        deadlines.update(Waiting { can_ping: true, ..Waiting::default() }, read);
        assert_eq!(deadlines.next(), Some((read + KEEPALIVE_INTERVAL, Due::Ping)));
    }

    #[test]
    fn each_answer_extends_the_time_to_leave_up_to_the_limit() {
        let (mut deadlines, start) = silent(Waiting { is_leaving: true, ..Waiting::default() });
        assert_eq!(deadlines.next(), Some((start + LEAVE_TIMEOUT, Due::Leave)));
        deadlines.answered(start + SECOND);
        assert_eq!(deadlines.next(), Some((start + SECOND + LEAVE_TIMEOUT, Due::Leave)));
        deadlines.leave_by(Some(start + 5 * SECOND));
        deadlines.leave_by(None);
        assert_eq!(deadlines.next(), Some((start + 5 * SECOND, Due::Leave)));
    }

    #[test]
    fn intervals_that_overflow_are_no_limit() {
        let start = Instant::now();
        let mut deadlines = Deadlines::new(Some(Duration::MAX), start);
        deadlines.update(Waiting { can_ping: true, ..Waiting::default() }, start);
        assert_eq!(deadlines.next(), None);
    }
}
