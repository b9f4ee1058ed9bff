//! This client's messages that have no `OK` yet.

use std::{collections::VecDeque, future::poll_fn, pin::Pin, task::Poll, time::Duration};

use chat_client::{Receipt, SendError, Text};
use tokio::time::Instant;

/// A message without `OK` is shown, with a remark, after this time. One that is acknowledged earlier is shown only
/// once, in its place in the order.
const MARK_AFTER: Duration = Duration::from_millis(500);

/// The prompt without a session.
pub(super) const CONNECTING_PROMPT: &str = ".. ";

#[derive(Debug, Default)]
pub(super) struct SentMessages {
    waiting: VecDeque<(Text, Receipt, Instant)>,
    /// Number of messages at the front of `waiting` that were shown with the remark.
    marked: usize,
    has_unknown: bool,
}

impl SentMessages {
    pub(super) fn push(&mut self, text: Text, receipt: Receipt) {
        self.waiting.push_back((text, receipt, Instant::now() + MARK_AFTER));
    }

    /// The prompt, with the number of messages that have no `OK`.
    pub(super) fn prompt(&self) -> &'static str {
        const COUNTED: [&str; 10] = [">> ", "1> ", "2> ", "3> ", "4> ", "5> ", "6> ", "7> ", "8> ", "9> "];
        COUNTED.get(self.waiting.len()).copied().unwrap_or("+> ")
    }

    /// Waits for the outcome of the oldest message. Returns its text if the outcome is unknown.
    pub(super) async fn settled(&mut self) -> Option<String> {
        let answer = poll_fn(|cx| match self.waiting.front_mut() {
            Some((_, receipt, _)) => Pin::new(receipt).poll(cx),
            None => Poll::Pending,
        });
        let answer = answer.await;
        self.marked = self.marked.saturating_sub(1);
        let (text, ..) = self.waiting.pop_front()?;
        match answer {
            // The client's events already show these outcomes.
            Ok(()) | Err(SendError::Refused) => None,
            Err(_) => {
                self.has_unknown = true;
                Some(text.as_str().to_owned())
            }
        }
    }

    /// When the next message is shown with the remark.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.get(self.marked).map(|(_, _, due)| *due)
    }

    /// The messages that must be shown with the remark now.
    pub(super) fn overdue(&mut self) -> Vec<String> {
        let now = Instant::now();
        let due = self.waiting.iter().skip(self.marked).take_while(|(_, _, due)| *due <= now);
        let texts: Vec<_> = due.map(|(text, ..)| text.as_str().to_owned()).collect();
        self.marked += texts.len();
        texts
    }

    /// Takes all messages without an outcome.
    pub(super) fn abandon(&mut self) -> Vec<String> {
        std::mem::take(&mut self.waiting).into_iter().map(|(text, ..)| text.as_str().to_owned()).collect()
    }

    /// Whether the outcome of a message is unknown.
    pub(super) fn has_unknown(&self) -> bool {
        self.has_unknown
    }
}
