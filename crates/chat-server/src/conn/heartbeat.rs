//! When to send `PING` to a silent client, and when to give it up (clause 6.1).

use std::time::Duration;

use tokio::time::Instant;

/// How long a client may be silent.
#[derive(Clone, Copy, Debug)]
pub(super) struct PingTimes {
    /// Before it is sent `PING`.
    pub(super) interval: Duration,
    /// After the `PING`. `None`: for ever.
    pub(super) timeout: Option<Duration>,
}

#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    /// When the last `PING` was sent, if nothing was received since.
    pinged: Option<Instant>,
}

/// What to do now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    /// Nothing before this instant. `None`: it is too far away for the clock.
    WaitUntil(Option<Instant>),
    /// Send `PING`, and do nothing more before this instant.
    Ping(Option<Instant>),
    /// Close the connection: the client did not answer.
    GiveUp,
}

impl Heartbeat {
    /// Decides what to do about a client from which the last byte was received at `received`. Calling it late is fine:
    /// the silence is computed here, not when bytes are received.
    pub(super) fn action(&mut self, now: Instant, received: Instant, times: PingTimes) -> Action {
        if let Some(pinged) = self.pinged.filter(|pinged| received < *pinged) {
            return match times.timeout.and_then(|timeout| pinged.checked_add(timeout)) {
                Some(deadline) if now >= deadline => Action::GiveUp,
                deadline => Action::WaitUntil(deadline),
            };
        }
        self.pinged = None;
        match received.checked_add(times.interval) {
            Some(ping_at) if now >= ping_at => {
                // The timeout starts now: a late check must not count against the client.
                self.pinged = Some(now);
                Action::Ping(times.timeout.and_then(|timeout| now.checked_add(timeout)))
            }
            ping_at => Action::WaitUntil(ping_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_client_is_pinged_and_then_given_up() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let wait_until = |secs| Action::WaitUntil(Some(at(secs)));
        let times = PingTimes { interval: Duration::from_secs(60), timeout: Some(Duration::from_secs(3)) };
        let mut heartbeat = Heartbeat::default();
        assert_eq!(heartbeat.action(at(1), start, times), wait_until(60));
        assert_eq!(heartbeat.action(at(60), at(30), times), wait_until(90));
        assert_eq!(heartbeat.action(at(90), at(30), times), Action::Ping(Some(at(93))));
        assert_eq!(heartbeat.action(at(90), at(30), times), wait_until(93));
        assert_eq!(heartbeat.action(at(93), at(91), times), wait_until(151));
        assert_eq!(heartbeat.action(at(160), at(91), times), Action::Ping(Some(at(163))));
        assert_eq!(heartbeat.action(at(162), at(91), times), wait_until(163));
        assert_eq!(heartbeat.action(at(163), at(91), times), Action::GiveUp);
    }

    #[test]
    fn times_beyond_the_clock_mean_never() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        for timeout in [Some(Duration::MAX), None] {
            let endless = PingTimes { interval: Duration::MAX, timeout };
            assert_eq!(Heartbeat::default().action(now, now, endless), Action::WaitUntil(None));
            let times = PingTimes { interval: Duration::from_secs(1), timeout };
            let mut heartbeat = Heartbeat::default();
            assert_eq!(heartbeat.action(later, now, times), Action::Ping(None));
            assert_eq!(heartbeat.action(later, now, times), Action::WaitUntil(None));
        }
    }
}
