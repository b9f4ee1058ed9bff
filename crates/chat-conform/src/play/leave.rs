//! The end of a case: all clients leave, so that they do not disturb the next one. Finds lines that no step expected.

use std::time::Duration;

use super::{
    CaseRun, LineRead, Violation,
    guests::{self, Extra},
};
use crate::{clock::deadline_after, transcript::Mark};

/// How long to read after a failure.
const AFTER_FAILURE: Duration = Duration::from_millis(50);

impl CaseRun<'_> {
    /// Sends `BYE` on all connections, and closes them. Fails on a line that no step expected, such as a second `OK`.
    pub(super) async fn leave(&mut self) -> Result<(), Violation> {
        let open = self.send_bye(self.pace.leave_timeout()).await;
        let letters: Vec<_> = self.connections.keys().copied().collect();
        for &who in &letters {
            while let LineRead::Line(line) = self.next_to_leave(who).await {
                let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
                let at = self.transcript.received(who, &line, Mark::Ignored);
                let note = self.annotate(who, &line);
                if text == "BYE" {
                    // Whether the server closes after `BYE` is left to the cases that test it.
                    break;
                }
                if let Some((number, form)) = guests::split(&text) {
                    self.check_echo(who, &form, at)?;
                    self.guests.see(who, number, form, at);
                } else if !self.room.may_follow_bye(&text) && text != "PING" {
                    self.transcript.mark(at, Mark::Wrong);
                    let what = format!("{who}: the server sends a line that no step expects");
                    return Err(Violation::of(super::blame::clause_of(&text, &note), what));
                }
            }
        }
        let open: Vec<char> = open.iter().map(char::to_ascii_lowercase).collect();
        self.guests.check_nothing_else(&open).map_err(|Extra { who, at, about }| {
            self.transcript.mark(at, Mark::Wrong);
            let what = format!("{who}: the server sends a line about a guest that no step expects");
            Violation::maybe(self.clause_at(at).or(Some(about)), what)
        })
    }

    /// Sends `BYE` on all connections. Does not look at what comes back.
    pub(super) async fn leave_after_failure(&mut self) {
        self.send_bye(AFTER_FAILURE).await;
        let letters: Vec<_> = self.connections.keys().copied().collect();
        for who in letters {
            while let LineRead::Line(line) = self.next_to_leave(who).await {
                if line.starts_with(b"BYE") {
                    break;
                }
            }
        }
    }

    /// Sends `BYE` on the open connections, and returns their letters.
    async fn send_bye(&mut self, time: Duration) -> Vec<char> {
        self.deadline = deadline_after(time);
        let mut open = Vec::new();
        for (who, connection) in self.connections.iter_mut().filter(|(_, connection)| connection.peer.is_open()) {
            connection.annotator.client_bytes(b"BYE\r\n");
            connection.annotator.forget_notes();
            connection.peer.send(b"BYE\r\n", usize::MAX, self.deadline).await;
            connection.peer.half_close().await;
            open.push(*who);
        }
        open
    }

    /// Reads without a second wait: a server need not answer here.
    async fn next_to_leave(&mut self, who: char) -> LineRead {
        match self.connections.get_mut(&who) {
            Some(connection) => connection.peer.line(self.deadline).await,
            None => LineRead::TimedOut,
        }
    }
}
