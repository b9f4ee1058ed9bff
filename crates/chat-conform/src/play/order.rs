//! Checks that several clients receive messages in the same order (clause 5.2).

use std::time::Duration;

use super::{CaseRun, Violation, guests};
use crate::{clock::deadline_after, transcript::Mark};

impl CaseRun<'_> {
    /// Expects that `who` and `others` receive the next `count` messages in the same order. `who` sends none of them.
    /// Each of `others` receives `OK` in place of its own messages.
    pub(super) async fn same_order(
        &mut self,
        who: char,
        count: usize,
        others: &[char],
        wait: Duration,
    ) -> Result<(), Violation> {
        let reference = self.messages(who, count, wait).await?;
        for &other in others {
            let mut theirs = self.messages(other, count, wait).await?;
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

    /// Reads `count` messages and `OK`s. Skips unrelated lines. The wait starts again at each line.
    async fn messages(&mut self, who: char, count: usize, wait: Duration) -> Result<Vec<String>, Violation> {
        let mut lines = Vec::with_capacity(count);
        while lines.len() < count {
            self.deadline = deadline_after(wait);
            let expectation = format!("expected message {} of {count}", lines.len() + 1);
            let received = loop {
                let received = self.receive(who, None, &expectation).await?;
                let is_own = match guests::split(&received.text) {
                    Some((_, form)) => form.strip_prefix("FROM MSG ").is_some_and(|text| self.room.is_own_text(text)),
                    None => received.text == "OK" || received.text.starts_with("FROM "),
                };
                if is_own && !self.room.is_about_named_stranger(&received.text) {
                    break received;
                }
                if !self.skip_unrelated(who, &received).await? {
                    return Err(self.wrong_line(who, &received.text, &received.note, received.at, &expectation));
                }
            };
            self.transcript.mark(received.at, Mark::Fine);
            lines.push(received.text);
        }
        Ok(lines)
    }
}
