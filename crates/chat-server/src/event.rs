//! Events of the room, for the embedding program.

use std::sync::Arc;

use chat_proto::{Name, ServerMessage, Text};
use tokio::sync::broadcast;

use crate::reason::EndReason;

/// The number of event batches that are kept for a slow subscriber.
const KEPT: usize = 1_024;

/// An event in the room's total order.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A client joined.
    Joined {
        /// The number in the order: 1 for the first event of the server, and one more for each.
        seq: u64,
        /// Its name; a guest's for a plain session.
        name: Name,
    },
    /// A client sent a message, which was acknowledged with `OK`.
    Message {
        /// The number in the order.
        seq: u64,
        /// Who.
        from: Name,
        /// The text that other clients get, after the [`Policy`](crate::Policy).
        text: Text,
    },
    /// A client left; its name is free.
    Left {
        /// The number in the order. A leave because the server stops has one too.
        seq: u64,
        /// Who.
        name: Name,
        /// Why. [`Stats::ended`](crate::Stats::ended) counts it under the same reason.
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

/// The hub's side. It makes no events while there is no subscriber. When dropped, it ends all subscriptions.
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
            // It fails only if the last subscriber is gone.
            let _ = self.batches.send(std::mem::take(&mut self.draft).into());
        }
    }
}

/// Makes subscriptions. It does not keep them open when the hub has ended.
#[derive(Debug)]
pub(crate) struct EventSource(broadcast::WeakSender<Arc<[Event]>>);

impl EventSource {
    pub(crate) fn subscribe(&self) -> Events {
        // The hub has ended: a closed channel.
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

/// The subscriber was too slow and missed events. The next event comes after the gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("events were lost, because the subscriber was too slow")]
pub struct EventsLost;

impl Events {
    /// Receives the next event. `None`: the server has stopped, and all events were received. A subscription does not
    /// keep the server alive: it also ends when the last handle, connection and local client are gone.
    ///
    /// At least 1,024 batches of events are kept for a subscriber. If it is slower, it gets [`EventsLost`] once for each gap.
    /// Nothing is lost if the future is dropped.
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
