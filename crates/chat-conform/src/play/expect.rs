//! The steps that expect something: a line, bytes, a close, or nothing. Each has a deadline, and ignores lines about
//! clients outside of the case.

use std::time::Duration;

use tokio::time::Instant;

use super::{CaseRun, LineRead, Violation, check_bytes, guests};
use crate::{
    annotate::Note,
    clock::deadline_after,
    transcript::{Mark, shortened},
};

/// How long to wait for the line of another guest after a wrong line, if nobody else is known to be in the room.
const WAIT_FOR_ANOTHER_GUEST: Duration = Duration::from_millis(100);

/// A line that was read.
pub(super) struct Received {
    pub(super) text: String,
    pub(super) note: Note,
    /// Its position in the transcript.
    pub(super) at: u64,
}

impl CaseRun<'_> {
    /// Expects this line. Skips unrelated lines before it. `crlf`: the terminator, if not the one of clause 1.2.
    pub(super) async fn expect(&mut self, who: char, line: &str, crlf: Option<bool>) -> Result<(), Violation> {
        let line = self.names.expected(line);
        let expectation = format!("expected \"{}\"", shortened(line.as_bytes()));
        if let Some((letter, form)) = guests::split_expected(&line) {
            self.guests.expect_line(who, letter, form.clone());
            return self.expect_guest(who, &form, crlf, &expectation).await;
        }
        loop {
            let received = self.receive(who, crlf, &expectation).await?;
            if let Some(is_complete) = self.room.matches(&line, &received.text, &mut self.guests, who, received.at) {
                self.transcript.mark(received.at, Mark::Fine);
                if is_complete {
                    return Ok(());
                }
            } else if !self.skip_unrelated(who, &received).await? {
                let Received { text, note, at } = received;
                return Err(self.wrong_line(who, &text, &note, at, &expectation));
            }
        }
    }

    /// Waits until the line about a guest that was expected last has arrived. `form` is the line without the guest.
    async fn expect_guest(
        &mut self,
        who: char,
        form: &str,
        crlf: Option<bool>,
        expectation: &str,
    ) -> Result<(), Violation> {
        // It may have arrived while another line was expected.
        let mut may_be_there = true;
        loop {
            if may_be_there && let Some(lines) = self.guests.all_arrived(who) {
                for at in lines {
                    self.transcript.mark(at, Mark::Fine);
                }
                return Ok(());
            }
            if !self.pace.may_have_strangers() && !self.guests.can_arrive() {
                self.deadline = self.deadline.min(Instant::now() + WAIT_FOR_ANOTHER_GUEST);
            }
            let received = match self.receive(who, crlf, expectation).await {
                Ok(received) => received,
                Err(violation) => return Err(self.blame_guest_line(who, violation, expectation)),
            };
            may_be_there = guests::split(&received.text).is_some_and(|(_, other)| other == form);
            if !self.skip_unrelated(who, &received).await? {
                let Received { text, note, at } = received;
                return Err(self.wrong_line(who, &text, &note, at, expectation));
            }
        }
    }

    /// Blames a line about a guest that stands in place of the expected one. Without such a line, something else is wrong.
    fn blame_guest_line(&mut self, who: char, violation: Violation, expectation: &str) -> Violation {
        let Some(at) = self.guests.likely_wrong(who) else { return violation };
        self.transcript.mark(at, Mark::Wrong);
        self.transcript.nothing_more_came();
        Violation::maybe(self.clause_at(at), format!("{who}: {expectation}, got another line"))
    }

    /// Reads the next line, checks its bytes, and records it as one to be ignored.
    pub(super) async fn receive(
        &mut self,
        who: char,
        crlf: Option<bool>,
        expectation: &str,
    ) -> Result<Received, Violation> {
        let line = match self.next(who).await {
            LineRead::Line(bytes) => bytes,
            other => return Err(self.missing_line(who, other, expectation)),
        };
        let at = self.transcript.received(who, &line, Mark::Ignored);
        let note = self.annotate(who, &line);
        let crlf = crlf.unwrap_or_else(|| self.connections[&who].annotator.wants_crlf());
        match check_bytes(&line, crlf) {
            Ok(text) => Ok(Received { text, note, at }),
            Err(violation) => {
                self.transcript.mark(at, Mark::Wrong);
                // A reply to a line that has no end yet has the wrong terminator only by chance.
                let unfinished = Some(note.clause).filter(|clause| note.wrong && matches!(*clause, "1.7" | "7.5"));
                Err(Violation { clause: unfinished.or(violation.clause), ..violation })
            }
        }
    }

    /// Whether the line is unrelated to the expected one: it is about a client outside of the case, it is about a guest
    /// who may be one, or it is a `PING`, which a server may send at any time (clause 6.1). Answers the `PING`.
    pub(super) async fn skip_unrelated(&mut self, who: char, received: &Received) -> Result<bool, Violation> {
        if let Some((number, form)) = guests::split(&received.text) {
            self.check_echo(who, &form, received.at)?;
            self.guests.see(who, number, form, received.at);
            return Ok(true);
        }
        let is_ping = received.text == "PING" && !received.note.wrong;
        if !is_ping {
            let is_strangers = self.room.is_about_stranger(&received.text);
            if is_strangers && !self.names.is_of_run(&received.text) {
                self.pace.stranger_seen();
            }
            return Ok(is_strangers && !(received.note.wrong && received.note.clause == "2.1"));
        }
        self.transcript.mark(received.at, Mark::Fine);
        self.transcript.sent(who, b"PONG\r\n");
        if let Some(connection) = self.connections.get_mut(&who) {
            connection.peer.send(b"PONG\r\n", usize::MAX, self.deadline).await;
        }
        Ok(true)
    }

    /// Expects these bytes, line by line. Skips unrelated lines between them. The wait starts again at each line.
    pub(super) async fn expect_bytes(&mut self, who: char, bytes: &[u8], wait: Duration) -> Result<(), Violation> {
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.deadline = deadline_after(wait);
            let crlf = line.ends_with(b"\r\n");
            let text = line.strip_suffix(b"\n").map(|text| text.strip_suffix(b"\r").unwrap_or(text));
            match text.and_then(|text| str::from_utf8(text).ok()) {
                Some(text) => self.expect(who, text, Some(crlf)).await?,
                None => return Err(Violation::new("only whole lines of text can be expected: correct the case")),
            }
        }
        Ok(())
    }

    /// Expects the server to close the connection, with no line before that.
    pub(super) async fn expect_end(&mut self, who: char) -> Result<(), Violation> {
        loop {
            match self.next(who).await {
                LineRead::Eof(rest) if rest.is_empty() => {
                    self.transcript.event(who, "closed", Mark::Fine);
                    return Ok(());
                }
                LineRead::Line(line) => {
                    self.skip_or_fail(who, &line, "the server should close, but sends more").await?;
                }
                LineRead::Eof(line) | LineRead::TooLong(line) => {
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

    /// As [`Self::expect_end`], and the server must not reset the connection: a reset can destroy its last line.
    pub(super) async fn expect_clean_end(&mut self, who: char) -> Result<(), Violation> {
        self.expect_end(who).await?;
        if self.connections.get(&who).is_some_and(|connection| connection.peer.was_reset()) {
            self.transcript.event(who, "reset", Mark::Wrong);
            return Err(Violation::new(format!("{who}: the server should close, but resets the connection")));
        }
        Ok(())
    }

    /// Sends a byte now and then, and expects the server to close before the time is over.
    pub(super) async fn trickle(&mut self, who: char, time: Duration) -> Result<(), Violation> {
        const BYTES: u32 = 20;
        self.transcript.sent(who, b"a");
        for _ in 0..BYTES {
            self.deadline = deadline_after(time / BYTES);
            let deadline = self.deadline;
            let Some(connection) = self.connections.get_mut(&who) else { return Ok(()) };
            connection.annotator.client_bytes(b"a");
            connection.peer.send(b"a", 1, deadline).await;
            match connection.peer.line(deadline).await {
                LineRead::Eof(rest) if rest.is_empty() => {
                    self.transcript.event(who, "closed", Mark::Fine);
                    return Ok(());
                }
                LineRead::TimedOut => {}
                LineRead::Line(line) => {
                    self.skip_or_fail(who, &line, "the server should close, but sends more").await?;
                }
                LineRead::Eof(line) | LineRead::TooLong(line) => {
                    self.transcript.received(who, &line, Mark::Wrong);
                    return Err(Violation::new(format!("{who}: the server should close, but sends more")));
                }
            }
        }
        self.transcript.event(who, "still open", Mark::Wrong);
        Err(Violation::new(format!("{who}: the server should close, but does not")))
    }

    /// Expects the connection to stay open without a line up to the deadline.
    pub(super) async fn expect_nothing(&mut self, who: char) -> Result<(), Violation> {
        loop {
            let Some(connection) = self.connections.get_mut(&who) else { return Ok(()) };
            match connection.peer.line(self.deadline).await {
                LineRead::TimedOut => return Ok(()),
                LineRead::Line(line) => {
                    self.skip_or_fail(who, &line, "the server should send nothing").await?;
                }
                LineRead::TooLong(line) => {
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

    /// Expects that no guest outside of the case joins for this long. If one has joined, watches for longer: where guests
    /// come and go without this case, nobody can say whose they are.
    pub(super) async fn expect_alone(&mut self, who: char, time: Duration) -> Result<(), Violation> {
        if self.pace.is_wide() {
            return Ok(());
        }
        self.deadline = deadline_after(time);
        self.expect_nothing(who).await?;
        let others = self.guests.joins_of_others(who);
        let Some(&first) = others.first() else { return Ok(()) };
        self.pace.stranger_seen();
        self.deadline = deadline_after(time.saturating_mul(8));
        self.expect_nothing(who).await?;
        if self.guests.joins_of_others(who).len() > others.len() {
            return Ok(());
        }
        self.transcript.mark(first, Mark::Wrong);
        Err(Violation::new(format!("{who}: a guest has joined, but no client of the case has")))
    }

    async fn skip_or_fail(&mut self, who: char, line: &[u8], what: &str) -> Result<(), Violation> {
        let at = self.transcript.received(who, line, Mark::Ignored);
        let note = self.annotate(who, line);
        let text = String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned();
        let received = Received { text, note, at };
        if self.skip_unrelated(who, &received).await? {
            return Ok(());
        }
        self.transcript.mark(at, Mark::Wrong);
        let clause = received.note.wrong.then_some(received.note.clause);
        Err(Violation::maybe(clause, format!("{who}: {what}")))
    }
}
