//! One order for everybody (clause 5.2): what several clients see of messages that are sent at the same time.

use tokio::time::Instant;

use super::{Got, Play, Wrong, check_bytes};
use crate::transcript::Mark;

impl Play {
    /// The next `count` messages of `who` come to the others in the same order, an `OK` in the place of one's own.
    pub(super) async fn same_order(
        &mut self,
        who: char,
        count: usize,
        others: &[char],
        until: Instant,
    ) -> Result<(), Wrong> {
        let seen = self.messages(who, count, until).await?;
        for &other in others {
            let mut theirs = self.messages(other, count, until).await?;
            // An OK is one's own message: the one that stands there for everybody else, and for nobody else's.
            let lines: Vec<&str> = theirs.iter().map(String::as_str).collect();
            let own: Vec<_> =
                seen.iter().zip(&lines).filter(|(_, line)| **line == "OK").map(|(seen, _)| seen).collect();
            let sender = own.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
            for (line, seen) in theirs.iter_mut().zip(&seen) {
                if line == "OK" && seen.split(' ').nth(1) == Some(&sender) {
                    line.clone_from(seen);
                }
            }
            if let Some(place) = theirs.iter().zip(&seen).position(|(theirs, seen)| theirs != seen) {
                let (theirs, seen) = (&theirs[place], &seen[place]);
                self.transcript.received(who, seen.as_bytes(), Mark::Fine);
                self.transcript.received(other, theirs.as_bytes(), Mark::Wrong);
                let what = format!("message {} of {count} is another for {other} than for {who}", place + 1);
                return Err(Wrong::new(what));
            }
        }
        Ok(())
    }

    /// So many messages and OKs, strangers' left out.
    async fn messages(&mut self, who: char, count: usize, until: Instant) -> Result<Vec<String>, Wrong> {
        let mut lines = Vec::with_capacity(count);
        while lines.len() < count {
            let line = match self.next(who, until).await {
                Got::Line(bytes) => bytes,
                other => return Err(self.nothing(who, other, &format!("message {} of {count}", lines.len() + 1))),
            };
            let text = match check_bytes(&line, self.peers[&who].wants_crlf()) {
                Ok(text) => text,
                Err(wrong) => {
                    self.transcript.received(who, &line, Mark::Wrong);
                    return Err(wrong);
                }
            };
            if self.passes_over(who, &text, &line, until).await {
                continue;
            }
            if text != "OK" && !text.starts_with("FROM ") {
                self.transcript.received(who, &line, Mark::Wrong);
                return Err(Wrong::new(format!("{who}: a message or an OK was expected")));
            }
            lines.push(text);
        }
        Ok(lines)
    }
}
