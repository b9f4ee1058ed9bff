//! One's own messages that have no `OK` yet.

use std::{collections::VecDeque, future::poll_fn, pin::Pin, task::Poll, time::Duration};

use chat_client::{Receipt, SendError, Text};
use tokio::time::Instant;

/// A message that is acknowledged within this time is shown once, in its place; one that is not is shown before, marked.
const MARK_AFTER: Duration = Duration::from_millis(500);

/// Where messages cannot be sent.
pub(super) const CONNECTING_PROMPT: &str = ".. ";

#[derive(Debug, Default)]
pub(super) struct SentMessages {
    waiting: VecDeque<(Text, Receipt, Instant)>,
    /// Those at the front of `waiting` that were shown as not acknowledged.
    marked: usize,
    has_unknown: bool,
}

impl SentMessages {
    pub(super) fn push(&mut self, text: Text, receipt: Receipt) {
        self.waiting.push_back((text, receipt, Instant::now() + MARK_AFTER));
    }

    /// It tells how many messages have no `OK` yet.
    pub(super) fn prompt(&self) -> &'static str {
        const COUNTED: [&str; 10] = [">> ", "1> ", "2> ", "3> ", "4> ", "5> ", "6> ", "7> ", "8> ", "9> "];
        COUNTED.get(self.waiting.len()).copied().unwrap_or("+> ")
    }

    /// Waits until the oldest message is settled. The text is that of one of which nobody knows what became of it.
    pub(super) async fn settled(&mut self) -> Option<String> {
        let answer = poll_fn(|cx| match self.waiting.front_mut() {
            Some((_, receipt, _)) => Pin::new(receipt).poll(cx),
            None => Poll::Pending,
        });
        let answer = answer.await;
        self.marked = self.marked.saturating_sub(1);
        let (text, ..) = self.waiting.pop_front()?;
        match answer {
            // The room tells of these, in their place.
            Ok(()) | Err(SendError::Refused) => None,
            Err(_) => {
                self.has_unknown = true;
                Some(text.as_str().to_owned())
            }
        }
    }

    /// When the next message is to be shown as not acknowledged.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.get(self.marked).map(|(_, _, due)| *due)
    }

    /// Those that are to be shown so now.
    pub(super) fn overdue(&mut self) -> Vec<String> {
        let now = Instant::now();
        let due = self.waiting.iter().skip(self.marked).take_while(|(_, _, due)| *due <= now);
        let texts: Vec<_> = due.map(|(text, ..)| text.as_str().to_owned()).collect();
        self.marked += texts.len();
        texts
    }

    /// Nobody waits for the others any more.
    pub(super) fn abandon(&mut self) -> Vec<String> {
        std::mem::take(&mut self.waiting).into_iter().map(|(text, ..)| text.as_str().to_owned()).collect()
    }

    /// Whether of any message it is not known what became of it.
    pub(super) fn has_unknown(&self) -> bool {
        self.has_unknown
    }
}
