//! Many long messages with numbers, to a client that does not read: what it receives in the end has no holes (clauses
//! 5.5 and 6.5).

use std::time::Duration;

use super::{CaseRun, LineRead, Violation, check_bytes};
use crate::{clock::deadline_after, transcript::Mark};

/// The text of the message with this number.
fn text(number: usize, length: usize) -> String {
    format!("{number:04} {}", "\u{1F642}".repeat(length.saturating_sub(5)))
}

impl CaseRun<'_> {
    /// Sends `count` messages of `length` characters in a named session, and receives an `OK` for each.
    pub(super) async fn send_numbered(&mut self, who: char, count: usize, length: usize) {
        let messages: Vec<String> = (1..=count).map(|number| format!("MSG {}\r\n", text(number, length))).collect();
        self.send(who, messages.concat().as_bytes(), usize::MAX).await;
    }

    /// Expects the messages of `from` in their order. The server may close instead of sending all of them, but must not
    /// leave one out.
    pub(super) async fn expect_numbered(
        &mut self,
        who: char,
        count: usize,
        length: usize,
        from: &str,
        wait: Duration,
    ) -> Result<(), Violation> {
        let from = self.names.replace(from);
        let mut number = 1;
        while number <= count {
            self.deadline = deadline_after(wait);
            let line = match self.next(who).await {
                LineRead::Line(line) => line,
                LineRead::Eof(_) => {
                    self.transcript.event(who, "closed, because it does not read", Mark::Fine);
                    return Ok(());
                }
                read => return Err(self.missing_line(who, read, &format!("expected message {number} of {count}"))),
            };
            let at = self.transcript.received(who, &line, Mark::Ignored);
            let note = self.annotate(who, &line);
            let expected = format!("FROM {from} MSG {}", text(number, length));
            let text = check_bytes(&line, self.connections[&who].annotator.wants_crlf())?;
            if text == expected {
                self.transcript.mark(at, Mark::Fine);
                number += 1;
            } else if !self.skip_unrelated(who, &super::expect::Received { text, note, at }).await? {
                self.transcript.mark(at, Mark::Wrong);
                return Err(Violation::of(
                    "5.5",
                    format!("{who}: expected message {number} of {count}, got another line"),
                ));
            }
        }
        Ok(())
    }
}
