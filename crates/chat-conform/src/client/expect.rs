//! What is awaited of a client: a line, its end, silence, or something on its screen.

use tokio::time::{Instant, timeout_at};

use super::{
    Play,
    process::MOST_SHOWN,
    session::{Reaction, line},
};
use crate::{
    case::Act,
    play::{Got, Wrong},
    transcript::{Mark, shortened},
};

impl Play {
    pub(super) async fn expect(&mut self, expected: &str, until: Instant) -> Result<(), Wrong> {
        let wanted = format!("\"{}\"", shortened(expected.as_bytes()));
        loop {
            let text = self.next(until).await.map_err(|got| self.nothing(&got, &wanted))?;
            if text == expected {
                return Ok(());
            }
            match self.session.hear(&text) {
                Reaction::Answer(lines) => self.answer(&lines, until).await,
                Reaction::Judge => {
                    self.transcript.event('S', "another line", Mark::Wrong);
                    return Err(Wrong::new(format!("the client should send {wanted}, and sends another line")));
                }
            }
        }
    }

    pub(super) async fn expect_end(&mut self, until: Instant) -> Result<(), Wrong> {
        loop {
            match self.next(until).await {
                Err(Got::Eof(_)) => {
                    self.transcript.event('S', "the client has closed", Mark::Fine);
                    return Ok(());
                }
                // A farewell on the way out.
                Ok(text) if text == "BYE" => {}
                Ok(text) => match self.session.hear(&text) {
                    Reaction::Answer(lines) => self.answer(&lines, until).await,
                    Reaction::Judge => {
                        self.transcript.event('S', "not the end", Mark::Wrong);
                        return Err(Wrong::new("the client should close, and says more"));
                    }
                },
                Err(_) => {
                    self.transcript.event('S', "still open", Mark::Wrong);
                    return Err(Wrong::new("the client should close, and does not"));
                }
            }
        }
    }

    pub(super) async fn expect_nothing(&mut self, until: Instant) -> Result<(), Wrong> {
        match self.next(until).await {
            // Who has left says nothing.
            Err(Got::Silent | Got::Eof(_)) => Ok(()),
            Err(got) => Err(self.nothing(&got, "nothing")),
            Ok(text) => match self.session.hear(&text) {
                Reaction::Answer(_) => Ok(()),
                Reaction::Judge => Err(Wrong::new("the client should send nothing")),
            },
        }
    }

    pub(super) async fn next(&mut self, until: Instant) -> Result<String, Got> {
        let Some(peer) = &mut self.peer else { return Err(Got::Eof(Vec::new())) };
        let (bytes, text) = line(peer, until).await?;
        self.transcript.received('S', &bytes, Mark::Fine);
        Ok(text)
    }

    pub(super) fn nothing(&mut self, got: &Got, wanted: &str) -> Wrong {
        let (event, what) = match got {
            Got::Eof(_) => ("the client has closed", "closes"),
            Got::TooLong(_) => ("a line without end", "sends a line without end"),
            Got::Silent | Got::Line(_) => ("nothing came", "sends nothing"),
        };
        self.transcript.event('S', event, Mark::Wrong);
        Wrong::new(format!("the client should send {wanted}, and {what}"))
    }

    /// What only the client's own screen can tell. A person's screen is not seen.
    pub(super) async fn screen(&mut self, act: &Act, until: Instant) -> Result<(), Wrong> {
        let Some(process) = &mut self.process else { return Ok(()) };
        match act {
            Act::Expect(text) if process.shows(text.as_bytes(), until).await => Ok(()),
            Act::Never(bytes) if process.has_shown(bytes) => {
                self.transcript.received('O', bytes, Mark::Wrong);
                Err(Wrong::new(format!("the client should not show \"{}\" as it is", shortened(bytes))))
            }
            Act::Expect(_) | Act::Never(_) if process.shows_too_much() => {
                self.transcript.event('O', "prints and prints", Mark::Wrong);
                Err(Wrong::new(format!(
                    "the client has printed more than {MOST_SHOWN} bytes, which is all that is read"
                )))
            }
            Act::Expect(text) => {
                self.transcript.event('O', "not shown", Mark::Wrong);
                Err(Wrong::new(format!("the client should show \"{text}\", and does not")))
            }
            Act::Never(_) => Ok(()),
            Act::ExpectEof => match timeout_at(until, process.ends(until)).await.ok().flatten() {
                Some(true) => Ok(()),
                Some(false) => Err(Wrong::new("the client was ended by a signal")),
                None => {
                    self.transcript.event('O', "still running", Mark::Wrong);
                    Err(Wrong::new("the client should end, and does not"))
                }
            },
            act => Err(Wrong::new(format!("a screen cannot do {act:?}: the case is wrong"))),
        }
    }
}
