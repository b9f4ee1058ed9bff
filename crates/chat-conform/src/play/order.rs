//! Checks that several clients receive messages in the same order (clause 5.2).

use tokio::time::Instant;

use super::{CaseRun, LineRead, Violation, check_bytes};
use crate::transcript::Mark;

impl CaseRun {
    /// Expects that `who` and `others` receive the next `count` messages in the same order. `who` sends none of them.
    /// Each of `others` receives `OK` in place of its own messages.
    pub(super) async fn same_order(
        &mut self,
        who: char,
        count: usize,
        others: &[char],
        deadline: Instant,
    ) -> Result<(), Violation> {
        let reference = self.messages(who, count, deadline).await?;
        for &other in others {
            let mut theirs = self.messages(other, count, deadline).await?;
            // Each `OK` must stand where `who` received a message of this client. The first `OK` shows the client's
            // name.
            let lines: Vec<&str> = theirs.iter().map(String::as_str).collect();
            let own: Vec<_> =
                reference.iter().zip(&lines).filter(|(_, line)| **line == "OK").map(|(message, _)| message).collect();
            let sender = own.first().and_then(|message| message.split(' ').nth(1)).unwrap_or_default().to_owned();
            for (line, message) in theirs.iter_mut().zip(&reference) {
                if line == "OK" && message.split(' ').nth(1) == Some(&sender) {
                    line.clone_from(message);
                }
            }
            if let Some(index) = theirs.iter().zip(&reference).position(|(line, message)| line != message) {
                let (line, message) = (&theirs[index], &reference[index]);
                self.transcript.received(who, message.as_bytes(), Mark::Fine);
                self.transcript.received(other, line.as_bytes(), Mark::Wrong);
                let what = format!("{other} receives another message {} of {count} than {who}", index + 1);
                return Err(Violation::new(what));
            }
        }
        Ok(())
    }

    /// Reads `count` messages and `OK`s. Skips unrelated lines.
    async fn messages(&mut self, who: char, count: usize, deadline: Instant) -> Result<Vec<String>, Violation> {
        let mut lines = Vec::with_capacity(count);
        while lines.len() < count {
            let line = match self.next(who, deadline).await {
                LineRead::Line(bytes) => bytes,
                other => return Err(self.missing_line(who, other, &format!("message {} of {count}", lines.len() + 1))),
            };
            let text = match check_bytes(&line, self.peers[&who].wants_crlf()) {
                Ok(text) => text,
                Err(violation) => {
                    self.transcript.received(who, &line, Mark::Wrong);
                    return Err(violation);
                }
            };
            if self.skip_unrelated(who, &text, &line, deadline).await {
                continue;
            }
            if text != "OK" && !text.starts_with("FROM ") {
                self.transcript.received(who, &line, Mark::Wrong);
                return Err(Violation::new(format!("{who}: expected a message or OK, got another line")));
            }
            lines.push(text);
        }
        Ok(lines)
    }
}
