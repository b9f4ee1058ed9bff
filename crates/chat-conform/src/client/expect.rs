//! The steps that expect something of a client: a line, a close, nothing, or some output.

use tokio::time::{Instant, timeout_at};

use super::{
    CaseRun,
    process::{Exit, MAX_OUTPUT},
    session::{Reaction, read_line},
};
use crate::{
    case::Act,
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
                return Ok(());
            }
            match self.session.react(&text) {
                Reaction::Answer(lines) => self.answer(&lines, deadline).await,
                Reaction::Unexpected => {
                    self.transcript.event('S', "another line", Mark::Wrong);
                    return Err(Violation::new(format!(
                        "the client should send {expectation}, but sends another line"
                    )));
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
                        self.transcript.event('S', "another line", Mark::Wrong);
                        return Err(Violation::new("the client should close, but sends more"));
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
            Ok(text) => match self.session.react(&text) {
                Reaction::Answer(_) => Ok(()),
                Reaction::Unexpected => Err(Violation::new("the client should send nothing")),
            },
        }
    }

    /// Reads the next line. `Err`: why there is none.
    pub(super) async fn next(&mut self, deadline: Instant) -> Result<String, LineRead> {
        let Some(peer) = &mut self.peer else { return Err(LineRead::Eof(Vec::new())) };
        let (bytes, text) = read_line(peer, deadline).await?;
        self.transcript.received('S', &bytes, Mark::Fine);
        Ok(text)
    }

    /// The violation if `read` is not a line, where a line was expected.
    pub(super) fn missing_line(&mut self, read: &LineRead, expectation: &str) -> Violation {
        let (event, what) = match read {
            LineRead::Eof(_) => ("the client has closed", "closes"),
            LineRead::TooLong(_) => ("too many bytes without LF", "sends too many bytes without LF"),
            LineRead::TimedOut | LineRead::Line(_) => ("nothing came", "sends nothing"),
        };
        self.transcript.event('S', event, Mark::Wrong);
        Violation::new(format!("the client should send {expectation}, but {what}"))
    }

    /// Checks what the client prints. Passes if a person runs the client, because then its output is not known.
    pub(super) async fn check_screen(&mut self, act: &Act, deadline: Instant) -> Result<(), Violation> {
        let Some(process) = &mut self.process else { return Ok(()) };
        match act {
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
                Err(Violation::new(format!("the client should print \"{text}\", but does not")))
            }
            Act::NotShown(_) => Ok(()),
            Act::ExpectEof => match timeout_at(deadline, process.wait_exit(deadline)).await.ok().flatten() {
                Some(Exit::ByItself) => Ok(()),
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
