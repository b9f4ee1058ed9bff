//! What is awaited: a line, bytes, the end, or nothing; each up to a time, and strangers passed over.

use tokio::time::Instant;

use super::{Got, Play, Wrong, check_bytes};
use crate::transcript::{Mark, shortened};

impl Play {
    /// The next line that is not a stranger's is the expected one.
    pub(super) async fn expect(&mut self, who: char, expected: &str, until: Instant) -> Result<(), Wrong> {
        let wanted = format!("expected \"{}\"", shortened(expected.as_bytes()));
        loop {
            let line = match self.next(who, until).await {
                Got::Line(bytes) => bytes,
                other => return Err(self.nothing(who, other, &wanted)),
            };
            let text = check_bytes(&line, self.peers[&who].wants_crlf());
            let text = match text {
                Ok(text) => text,
                Err(wrong) => {
                    self.transcript.received(who, &line, Mark::Wrong);
                    return Err(wrong);
                }
            };
            if self.room.matches(expected, &text) {
                self.transcript.received(who, &line, Mark::Fine);
                if self.room.is_partial() {
                    continue;
                }
                return Ok(());
            }
            if self.passes_over(who, &text, &line, until).await {
                continue;
            }
            self.transcript.received(who, &line, Mark::Wrong);
            return Err(Wrong::new(format!("{who}: {wanted}, got another line")));
        }
    }

    /// A stranger's line is no answer; a server may ask whether somebody is still there (clause 6.1).
    pub(super) async fn passes_over(&mut self, who: char, text: &str, line: &[u8], until: Instant) -> bool {
        let is_ping = text == "PING";
        if !is_ping && !self.room.is_strangers(text) {
            return false;
        }
        self.transcript.received(who, line, Mark::Stranger);
        if is_ping && let Some(peer) = self.peers.get_mut(&who) {
            self.transcript.sent(who, b"PONG\r\n");
            peer.send(b"PONG\r\n", usize::MAX, until).await;
        }
        true
    }

    pub(super) async fn expect_bytes(&mut self, who: char, expected: &[u8], until: Instant) -> Result<(), Wrong> {
        for expected in expected.split_inclusive(|&byte| byte == b'\n') {
            let wanted = format!("expected \"{}\"", shortened(expected));
            loop {
                let line = match self.next(who, until).await {
                    Got::Line(bytes) => bytes,
                    other => return Err(self.nothing(who, other, &wanted)),
                };
                if self.room.matches_bytes(expected, &line) {
                    self.transcript.received(who, &line, Mark::Fine);
                    break;
                }
                let text = String::from_utf8_lossy(&line);
                if self.room.is_strangers(text.trim_end_matches(['\r', '\n'])) {
                    self.transcript.received(who, &line, Mark::Stranger);
                    continue;
                }
                self.transcript.received(who, &line, Mark::Wrong);
                let is_end = expected.trim_ascii_end() == line.trim_ascii_end();
                let clause = is_end.then_some("1.2");
                return Err(Wrong { clause, what: format!("{who}: {wanted}, got other bytes") });
            }
        }
        Ok(())
    }

    pub(super) async fn expect_end(&mut self, who: char, until: Instant) -> Result<(), Wrong> {
        loop {
            match self.next(who, until).await {
                Got::Eof(rest) if rest.is_empty() => {
                    self.transcript.event(who, "closed", Mark::Fine);
                    return Ok(());
                }
                Got::Line(line) if self.room.is_strangers(String::from_utf8_lossy(&line).trim_end()) => {
                    self.transcript.received(who, &line, Mark::Stranger);
                }
                Got::Line(line) | Got::Eof(line) | Got::TooLong(line) => {
                    self.transcript.received(who, &line, Mark::Wrong);
                    return Err(Wrong::new(format!("{who}: the server should have closed, and says more")));
                }
                Got::Silent => {
                    self.transcript.event(who, "still open", Mark::Wrong);
                    return Err(Wrong::new(format!("{who}: the server should have closed, and has not")));
                }
            }
        }
    }

    pub(super) async fn expect_nothing(&mut self, who: char, until: Instant) -> Result<(), Wrong> {
        loop {
            match self.next(who, until).await {
                Got::Silent => return Ok(()),
                Got::Line(line) if self.room.is_strangers(String::from_utf8_lossy(&line).trim_end()) => {
                    self.transcript.received(who, &line, Mark::Stranger);
                }
                Got::Line(line) | Got::TooLong(line) => {
                    self.transcript.received(who, &line, Mark::Wrong);
                    return Err(Wrong::new(format!("{who}: nothing should have come")));
                }
                Got::Eof(_) => {
                    self.transcript.event(who, "closed", Mark::Wrong);
                    return Err(Wrong::new(format!("{who}: the connection should have stayed open")));
                }
            }
        }
    }

    pub(super) async fn next(&mut self, who: char, until: Instant) -> Got {
        match self.peers.get_mut(&who) {
            Some(peer) => peer.line(until).await,
            None => Got::Eof(Vec::new()),
        }
    }

    /// Why there is no line.
    pub(super) fn nothing(&mut self, who: char, got: Got, wanted: &str) -> Wrong {
        match got {
            Got::TooLong(bytes) => {
                self.transcript.received(who, &bytes, Mark::Wrong);
                Wrong::by("1.3", format!("{who}: {wanted}, got more bytes than any line has"))
            }
            Got::Eof(rest) if !rest.is_empty() => {
                self.transcript.received(who, &rest, Mark::Wrong);
                Wrong::by("1.1", format!("{who}: {wanted}, got a line without an end"))
            }
            Got::Eof(_) => {
                self.transcript.event(who, "closed", Mark::Wrong);
                Wrong::new(format!("{who}: {wanted}, the server closed instead"))
            }
            Got::Silent | Got::Line(_) => {
                self.transcript.event(who, "nothing came", Mark::Wrong);
                Wrong::new(format!("{who}: {wanted}, nothing came"))
            }
        }
    }
}
