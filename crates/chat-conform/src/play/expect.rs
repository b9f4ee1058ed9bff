//! The steps that expect something: a line, bytes, a close, or nothing. Each has a deadline, and ignores lines about
//! clients outside of the case.

use tokio::time::Instant;

use super::{CaseRun, LineRead, Violation, check_bytes};
use crate::transcript::{Mark, shortened};

impl CaseRun {
    /// Expects this line. Skips unrelated lines before it.
    pub(super) async fn expect(&mut self, who: char, expected: &str, deadline: Instant) -> Result<(), Violation> {
        let expectation = format!("expected \"{}\"", shortened(expected.as_bytes()));
        loop {
            let line = match self.next(who, deadline).await {
                LineRead::Line(bytes) => bytes,
                other => return Err(self.missing_line(who, other, &expectation)),
            };
            let text = match check_bytes(&line, self.peers[&who].wants_crlf()) {
                Ok(text) => text,
                Err(violation) => {
                    self.transcript.received(who, &line, Mark::Wrong);
                    return Err(violation);
                }
            };
            if self.room.matches(expected, &text) {
                self.transcript.received(who, &line, Mark::Fine);
                if self.room.is_partial() {
                    continue;
                }
                return Ok(());
            }
            if self.skip_unrelated(who, &text, &line, deadline).await {
                continue;
            }
            self.transcript.received(who, &line, Mark::Wrong);
            return Err(Violation::new(format!("{who}: {expectation}, got another line")));
        }
    }

    /// Whether the line is unrelated to the case: it is about a client outside of it, or it is a `PING`, which a server
    /// may send at any time (clause 6.1). Answers the `PING`.
    pub(super) async fn skip_unrelated(&mut self, who: char, text: &str, line: &[u8], deadline: Instant) -> bool {
        let is_ping = text == "PING";
        if !is_ping && !self.room.is_about_stranger(text) {
            return false;
        }
        self.transcript.received(who, line, Mark::Ignored);
        if is_ping && let Some(peer) = self.peers.get_mut(&who) {
            self.transcript.sent(who, b"PONG\r\n");
            peer.send(b"PONG\r\n", usize::MAX, deadline).await;
        }
        true
    }

    /// Expects these bytes, line by line. Skips unrelated lines between them.
    pub(super) async fn expect_bytes(
        &mut self,
        who: char,
        expected: &[u8],
        deadline: Instant,
    ) -> Result<(), Violation> {
        for expected in expected.split_inclusive(|&byte| byte == b'\n') {
            let expectation = format!("expected \"{}\"", shortened(expected));
            loop {
                let line = match self.next(who, deadline).await {
                    LineRead::Line(bytes) => bytes,
                    other => return Err(self.missing_line(who, other, &expectation)),
                };
                if self.room.matches_bytes(expected, &line) {
                    self.transcript.received(who, &line, Mark::Fine);
                    break;
                }
                let text = String::from_utf8_lossy(&line);
                if self.room.is_about_stranger(text.trim_end_matches(['\r', '\n'])) {
                    self.transcript.received(who, &line, Mark::Ignored);
                    continue;
                }
                self.transcript.received(who, &line, Mark::Wrong);
                let only_terminator_differs = expected.trim_ascii_end() == line.trim_ascii_end();
                let clause = only_terminator_differs.then_some("1.2");
                return Err(Violation { clause, what: format!("{who}: {expectation}, got other bytes") });
            }
        }
        Ok(())
    }

    /// Expects the server to close the connection, with no line before that.
    pub(super) async fn expect_end(&mut self, who: char, deadline: Instant) -> Result<(), Violation> {
        loop {
            match self.next(who, deadline).await {
                LineRead::Eof(rest) if rest.is_empty() => {
                    self.transcript.event(who, "closed", Mark::Fine);
                    return Ok(());
                }
                LineRead::Line(line) if self.room.is_about_stranger(String::from_utf8_lossy(&line).trim_end()) => {
                    self.transcript.received(who, &line, Mark::Ignored);
                }
                LineRead::Line(line) | LineRead::Eof(line) | LineRead::TooLong(line) => {
                    self.transcript.received(who, &line, Mark::Wrong);
                    return Err(Violation::new(format!("{who}: the server should close, but sends more")));
                }
                LineRead::TimedOut => {
                    self.transcript.event(who, "still open", Mark::Wrong);
                    return Err(Violation::new(format!("{who}: the server should close, but does not")));
                }
            }
        }
    }

    /// Expects the connection to stay open without a line up to the deadline.
    pub(super) async fn expect_nothing(&mut self, who: char, deadline: Instant) -> Result<(), Violation> {
        loop {
            match self.next(who, deadline).await {
                LineRead::TimedOut => return Ok(()),
                LineRead::Line(line) if self.room.is_about_stranger(String::from_utf8_lossy(&line).trim_end()) => {
                    self.transcript.received(who, &line, Mark::Ignored);
                }
                LineRead::Line(line) | LineRead::TooLong(line) => {
                    self.transcript.received(who, &line, Mark::Wrong);
                    return Err(Violation::new(format!("{who}: the server should send nothing")));
                }
                LineRead::Eof(_) => {
                    self.transcript.event(who, "closed", Mark::Wrong);
                    return Err(Violation::new(format!("{who}: the connection should stay open")));
                }
            }
        }
    }

    /// Reads the next line. After a reset there is none.
    pub(super) async fn next(&mut self, who: char, deadline: Instant) -> LineRead {
        match self.peers.get_mut(&who) {
            Some(peer) => peer.line(deadline).await,
            None => LineRead::Eof(Vec::new()),
        }
    }

    /// The violation if `read` is not a line, where a line was expected.
    pub(super) fn missing_line(&mut self, who: char, read: LineRead, expectation: &str) -> Violation {
        match read {
            LineRead::TooLong(bytes) => {
                self.transcript.received(who, &bytes, Mark::Wrong);
                Violation::of("1.3", format!("{who}: {expectation}, got more bytes than a line may have"))
            }
            LineRead::Eof(rest) if !rest.is_empty() => {
                self.transcript.received(who, &rest, Mark::Wrong);
                Violation::of("1.1", format!("{who}: {expectation}, got a line without LF"))
            }
            LineRead::Eof(_) => {
                self.transcript.event(who, "closed", Mark::Wrong);
                Violation::new(format!("{who}: {expectation}, the server closed instead"))
            }
            LineRead::TimedOut | LineRead::Line(_) => {
                self.transcript.event(who, "nothing came", Mark::Wrong);
                Violation::new(format!("{who}: {expectation}, nothing came"))
            }
        }
    }
}
