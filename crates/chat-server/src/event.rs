//! What happens in the room, as typed events for the embedding program.

use std::sync::Arc;

use chat_proto::{Name, ServerMessage, Text};
use tokio::sync::broadcast;

use crate::reason::EndReason;

/// Batches of events that are kept for a subscriber that is behind.
const KEPT: usize = 1_024;

/// Something that has its place in the order that everybody sees.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Somebody came in.
    Joined {
        /// The number in the order: 1 for the first event of the server, and one more for each.
        seq: u64,
        /// Who; a guest for a plain session.
        name: Name,
    },
    /// Somebody said something, and it was acknowledged with `OK`.
    Message {
        /// The number in the order.
        seq: u64,
        /// Who.
        from: Name,
        /// What everybody else gets: the text after the [`Policy`](crate::Policy).
        text: Text,
    },
    /// Somebody left; the name is free.
    Left {
        /// The number in the order, also of those who leave because the server stops.
        seq: u64,
        /// Who.
        name: Name,
        /// Why. [`Stats::ended`](crate::Stats::ended) has counted it by the same reason.
        reason: EndReason,
    },
}

impl Event {
    /// The number in the order.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Joined { seq, .. } | Self::Message { seq, .. } | Self::Left { seq, .. } => *seq,
        }
    }
}

/// The hub's end. Where nobody subscribes, events are not even made. Dropped, it ends all subscriptions.
#[derive(Debug)]
pub(crate) struct EventSender {
    batches: broadcast::Sender<Arc<[Event]>>,
    draft: Vec<Event>,
}

impl EventSender {
    pub(crate) fn new() -> Self {
        Self { batches: broadcast::Sender::new(KEPT), draft: Vec::new() }
    }

    pub(crate) fn source(&self) -> EventSource {
        EventSource(self.batches.downgrade())
    }

    pub(crate) fn push(&mut self, event: impl FnOnce() -> Event) {
        if self.batches.receiver_count() > 0 {
            self.draft.push(event());
        }
    }

    pub(crate) fn push_message(&mut self, seq: u64, message: ServerMessage) {
        if let ServerMessage::From { name: from, text } = message {
            self.push(|| Event::Message { seq, from, text });
        }
    }

    pub(crate) fn publish(&mut self) {
        if !self.draft.is_empty() {
            // An error says that the last subscriber has gone meanwhile.
            let _ = self.batches.send(std::mem::take(&mut self.draft).into());
        }
    }
}

/// Where to subscribe. It does not keep the subscriptions alive when the hub has ended.
#[derive(Debug)]
pub(crate) struct EventSource(broadcast::WeakSender<Arc<[Event]>>);

impl EventSource {
    pub(crate) fn subscribe(&self) -> Events {
        // Without a hub, a channel that is closed already.
        let batches = self.0.upgrade().unwrap_or_else(|| broadcast::Sender::new(1));
        Events { batches: batches.subscribe(), current: Arc::new([]), next: 0 }
    }
}

/// A subscription to the server's [`Event`]s, from [`ChatServer::events`](crate::ChatServer::events).
#[derive(Debug)]
pub struct Events {
    batches: broadcast::Receiver<Arc<[Event]>>,
    current: Arc<[Event]>,
    next: usize,
}

/// The subscriber was too slow: events are gone that it has not seen. What it receives next is after the gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("events were lost, because the subscriber was too slow")]
pub struct EventsLost;

impl Events {
    /// The next event; `None` once the server has stopped and all events were received. A server without a handle, a
    /// connection and a local client has stopped too: a subscription keeps nothing alive.
    ///
    /// At least 1,024 events are kept for a subscriber. One that falls further behind is told [`EventsLost`], once for
    /// each gap. Nothing is lost if the future is dropped.
    pub async fn recv(&mut self) -> Option<Result<Event, EventsLost>> {
        loop {
            if let Some(event) = self.current.get(self.next) {
                self.next += 1;
                return Some(Ok(event.clone()));
            }
            match self.batches.recv().await {
                Ok(batch) => (self.current, self.next) = (batch, 0),
                Err(broadcast::error::RecvError::Lagged(_)) => return Some(Err(EventsLost)),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}
