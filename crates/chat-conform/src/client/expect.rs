//! The steps that expect something of a client: a line, a close, nothing, or some output.

use tokio::time::{Instant, timeout_at};

use super::{
    CaseRun,
    process::{Exit, LAST_OUTPUT, MAX_OUTPUT},
    session::{Reaction, read_line},
};
use crate::{
    case::Act,
    clock::deadline_after,
    play::{LineRead, Violation},
    transcript::{Mark, shortened},
};

impl CaseRun {
    /// Expects this line. Answers `PING` and `REQ CLIENTS` before it.
    pub(super) async fn expect(&mut self, expected: &str, deadline: Instant) -> Result<(), Violation> {
        let expectation = format!("\"{}\"", shortened(expected.as_bytes()));
        loop {
            let text = self.next(deadline).await.map_err(|read| self.missing_line(&read, &expectation))?;
            if text == expected {
                self.pings = self.pings.saturating_sub(u32::from(text == "PONG"));
                return Ok(());
            }
            if self.is_typed_hello(&text) {
                self.answer(&["OK".to_owned()], deadline).await;
                continue;
            }
            match self.session.react(&text) {
                Reaction::Answer(lines) => self.answer(&lines, deadline).await,
                Reaction::Unexpected if self.is_late_pong(&text, expected) => {}
                Reaction::Unexpected => {
                    let what = format!("the client should send {expectation}");
                    let violation = self.wrong_line(&text, &what);
                    let only_case_differs = text.eq_ignore_ascii_case(expected);
                    return Err(if only_case_differs { Violation::new(violation.what) } else { violation });
                }
            }
        }
    }

    /// Expects the client to close. It may send `BYE` before that.
    pub(super) async fn expect_end(&mut self, deadline: Instant) -> Result<(), Violation> {
        loop {
            match self.next(deadline).await {
                Err(LineRead::Eof(_)) => {
                    self.transcript.event('S', "the client has closed", Mark::Fine);
                    return Ok(());
                }
                Ok(text) if text == "BYE" => {}
                Ok(text) => match self.session.react(&text) {
                    Reaction::Answer(lines) => self.answer(&lines, deadline).await,
                    Reaction::Unexpected => {
                        return Err(self.wrong_line(&text, "the client should close"));
                    }
                },
                Err(_) => {
                    self.transcript.event('S', "still open", Mark::Wrong);
                    return Err(Violation::new("the client should close, but does not"));
                }
            }
        }
    }

    /// Expects no line up to the deadline.
    pub(super) async fn expect_nothing(&mut self, deadline: Instant) -> Result<(), Violation> {
        match self.next(deadline).await {
            // A client that has closed sends nothing.
            Err(LineRead::TimedOut | LineRead::Eof(_)) => Ok(()),
            Err(read) => Err(self.missing_line(&read, "nothing")),
            Ok(text) if self.is_typed_hello(&text) => {
                self.answer(&["OK".to_owned()], deadline).await;
                Box::pin(self.expect_nothing(deadline)).await
            }
            Ok(text) => match self.session.react(&text) {
                Reaction::Answer(lines) => {
                    self.answer(&lines, deadline).await;
                    Box::pin(self.expect_nothing(deadline)).await
                }
                Reaction::Unexpected if self.is_late_pong(&text, "") => Box::pin(self.expect_nothing(deadline)).await,
                Reaction::Unexpected => Err(self.wrong_line(&text, "the client should send nothing yet")),
            },
        }
    }

    /// Expects that the client neither sends a line nor closes up to the deadline.
    pub(super) async fn expect_open(&mut self, deadline: Instant) -> Result<(), Violation> {
        self.expect_nothing(deadline).await?;
        if self.peer.as_ref().is_some_and(|peer| !peer.has_ended()) {
            return Ok(());
        }
        self.transcript.event('S', "the client has closed", Mark::Wrong);
        Err(Violation::new("the client should wait, but closes"))
    }

    /// Whether the line is the `hello` that the judge typed before the client sent its first line.
    fn is_typed_hello(&mut self, text: &str) -> bool {
        let is_hello = self.has_typed_hello && text == self.session.message("hello");
        self.has_typed_hello &= !is_hello;
        is_hello
    }

    /// Whether the line is the reply to a `PING` that no step has expected yet.
    fn is_late_pong(&mut self, text: &str, expected: &str) -> bool {
        let is_pong = text == "PONG" && expected != "PONG" && self.pings > 0;
        self.pings -= u32::from(is_pong);
        is_pong
    }

    /// The violation if the client sends this line, which is the last one of the transcript, and should do something
    /// else. A line that is no request breaks its own clause.
    fn wrong_line(&mut self, text: &str, should: &str) -> Violation {
        self.mark_last_line();
        let what = format!("{should}, but sends \"{}\"", shortened(text.as_bytes()));
        Violation::maybe(self.session.broken_clause(text), what)
    }

    /// Takes a line of the login, which is the last one of the transcript. Returns the answer.
    pub(super) fn take_login(&mut self, text: &str) -> Result<Vec<String>, Violation> {
        let answer = self.session.login(text);
        if answer.is_err() {
            self.mark_last_line();
        }
        answer
    }

    fn mark_last_line(&mut self) {
        let at = self.transcript.last_position();
        self.transcript.mark(at, Mark::Wrong);
    }

    /// Reads the next line. `Err`: why there is none.
    pub(super) async fn next(&mut self, deadline: Instant) -> Result<String, LineRead> {
        let Some(peer) = &mut self.peer else { return Err(LineRead::Eof(Vec::new())) };
        let (bytes, text) = read_line(peer, deadline).await?;
        self.transcript.received('S', &bytes, Mark::Fine);
        Ok(text)
    }

    /// Waits until a client whose server is gone has printed all, or for a moment.
    async fn await_last_output(&mut self) {
        if let Some(process) = self.process.as_mut().filter(|_| self.is_over) {
            process.wait_for_end(deadline_after(LAST_OUTPUT)).await;
        }
    }

    /// The violation if `read` is not a line, where a line was expected.
    pub(super) fn missing_line(&mut self, read: &LineRead, expectation: &str) -> Violation {
        let (event, what) = match read {
            LineRead::Eof(_) => ("the client has closed", "closes"),
            LineRead::TooLong(_) => ("too many bytes without LF", "sends too many bytes without LF"),
            LineRead::TimedOut | LineRead::Line(_) => ("nothing came", "sends nothing"),
        };
        let unfinished = self.peer.as_ref().map(|peer| peer.unfinished().to_vec()).filter(|bytes| !bytes.is_empty());
        if let Some(bytes) = unfinished.filter(|_| matches!(read, LineRead::TimedOut)) {
            self.transcript.received('S', &bytes, Mark::Wrong);
            return Violation::of("1.1", format!("the client should send {expectation}, but sends a line without LF"));
        }
        self.transcript.event('S', event, Mark::Wrong);
        Violation::new(format!("the client should send {expectation}, but {what}"))
    }

    /// Checks what the client prints. Passes if a person runs the client, because then its output is not known.
    pub(super) async fn check_screen(&mut self, act: &Act, deadline: Instant) -> Result<(), Violation> {
        if matches!(act, Act::NotShown(_)) {
            self.await_last_output().await;
        }
        let Some(process) = &mut self.process else { return Ok(()) };
        match act {
            Act::ShownTimes { count, bytes } => {
                let times = process.times_printed(bytes);
                if times == *count {
                    return Ok(());
                }
                self.transcript.received('O', bytes, Mark::Wrong);
                let (shown, hint) = (shortened(bytes), process.hint_if_silent());
                Err(Violation::new(format!(
                    "the client should print \"{shown}\" {count} times, but prints it {times} times{hint}"
                )))
            }
            Act::Memory(limit) => {
                let Some(taken) = process.memory_taken() else { return Ok(()) };
                if taken < limit * 1024 * 1024 {
                    return Ok(());
                }
                self.transcript.event('O', "too much memory", Mark::Wrong);
                let taken = taken / (1024 * 1024);
                Err(Violation::new(format!("the client should take less than {limit} MiB, but takes {taken} MiB")))
            }
            Act::Expect(text) if process.wait_for_output(text.as_bytes(), deadline).await => Ok(()),
            Act::NotShown(bytes) if process.has_printed(bytes) => {
                self.transcript.received('O', bytes, Mark::Wrong);
                Err(Violation::new(format!("the client should not print \"{}\" unescaped", shortened(bytes))))
            }
            Act::Expect(_) | Act::NotShown(_) if process.is_truncated() => {
                self.transcript.event('O', "too much output", Mark::Wrong);
                Err(Violation::new(format!(
                    "the client has printed more than {MAX_OUTPUT} bytes, the most that is searched"
                )))
            }
            Act::Expect(text) => {
                self.transcript.event('O', "not printed", Mark::Wrong);
                let hint = process.hint_if_silent();
                Err(Violation::new(format!("the client should print \"{text}\", but does not{hint}")))
            }
            Act::NotShown(_) => Ok(()),
            Act::ExpectEof => match timeout_at(deadline, process.wait_exit(deadline)).await.ok().flatten() {
                Some(Exit::ByItself(_)) => Ok(()),
                Some(Exit::BySignal) => Err(Violation::new("a signal killed the client")),
                None => {
                    self.transcript.event('O', "still running", Mark::Wrong);
                    Err(Violation::new("the client should exit, but does not"))
                }
            },
            act => Err(Violation::new(format!("O cannot do {act:?}: correct the case"))),
        }
    }
}
