//! Tracks the messages of this client that have no `OK` yet.

use std::{collections::VecDeque, future::poll_fn, pin::Pin, task::Poll, time::Duration};

use chat_client::{Receipt, SendError, Text};
use tokio::time::Instant;

/// Time after which a message without `OK` is shown with a remark. A message that is acknowledged earlier is shown
/// once, in its place in the order.
const MARK_AFTER: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(super) struct SentMessages {
    /// Each message, its receipt, and the time at which it is shown with the remark. Oldest first.
    waiting: VecDeque<(Text, Receipt, Instant)>,
    /// Number of messages at the front of `waiting` that are already shown with the remark.
    marked: usize,
    /// The outcome of an earlier message is unknown.
    has_unknown: bool,
}

impl SentMessages {
    pub(super) fn push(&mut self, text: Text, receipt: Receipt) {
        self.waiting.push_back((text, receipt, Instant::now() + MARK_AFTER));
    }

    /// Number of messages without an outcome.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Waits for the outcome of the oldest message. Returns its text if the outcome is unknown.
    pub(super) async fn next_outcome(&mut self) -> Option<String> {
        let outcome = poll_fn(|cx| match self.waiting.front_mut() {
            Some((_, receipt, _)) => Pin::new(receipt).poll(cx),
            None => Poll::Pending,
        });
        let outcome = outcome.await;
        self.marked = self.marked.saturating_sub(1);
        let (text, ..) = self.waiting.pop_front()?;
        match outcome {
            // Events already show these outcomes.
            Ok(()) | Err(SendError::Refused) => None,
            Err(_) => {
                self.has_unknown = true;
                Some(text.as_str().to_owned())
            }
        }
    }

    /// The time at which the next message must be shown with the remark.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.get(self.marked).map(|(_, _, due)| *due)
    }

    /// The messages that must be shown with the remark now. Each is returned once.
    pub(super) fn overdue(&mut self) -> Vec<String> {
        let now = Instant::now();
        let due = self.waiting.iter().skip(self.marked).take_while(|(_, _, due)| *due <= now);
        let texts: Vec<_> = due.map(|(text, ..)| text.as_str().to_owned()).collect();
        self.marked += texts.len();
        texts
    }

    /// Stops waiting, and returns all messages without an outcome.
    pub(super) fn abandon(&mut self) -> Vec<String> {
        std::mem::take(&mut self.waiting).into_iter().map(|(text, ..)| text.as_str().to_owned()).collect()
    }

    /// Whether the outcome of an earlier message is unknown.
    pub(super) fn has_unknown(&self) -> bool {
        self.has_unknown
    }
}
