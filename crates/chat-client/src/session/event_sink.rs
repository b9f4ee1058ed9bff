//! The sending side of the event stream, for a reader that may be slow or gone.

use tokio::sync::mpsc::{self, error::TrySendError};

use crate::{CloseReason, Event};

/// Sends to [`Events`](crate::Events). It never waits and never grows: events that do not fit are counted.
#[derive(Debug)]
pub(super) struct EventSink {
    events: mpsc::Sender<Event>,
    /// The event that did not fit.
    held: Option<Event>,
    /// Number of events after `held`.
    missed: u64,
}

impl EventSink {
    pub(super) fn new(events: mpsc::Sender<Event>) -> Self {
        Self { events, held: None, missed: 0 }
    }

    /// Whether the next event may be lost.
    pub(super) fn is_blocked(&self) -> bool {
        self.held.is_some() || self.missed > 0
    }

    /// Sends the event, holds it, or counts it.
    pub(super) fn push(&mut self, event: Event) {
        self.catch_up();
        if self.is_blocked() {
            self.missed += 1;
        } else {
            self.held = self.offer(event);
        }
    }

    /// Sends what was held, as far as there is room.
    pub(super) fn catch_up(&mut self) {
        if let Some(held) = self.held.take() {
            self.held = self.offer(held);
        }
        if self.held.is_none() && self.missed > 0 && self.offer(Event::Missed(self.missed)).is_none() {
            self.missed = 0;
        }
    }

    /// Returns the event if there is no room. A dropped reader misses nothing.
    fn offer(&self, event: Event) -> Option<Event> {
        match self.events.try_send(event) {
            Err(TrySendError::Full(event)) => Some(event),
            Ok(()) | Err(TrySendError::Closed(_)) => None,
        }
    }

    /// Waits until there is room or the reader is dropped. Cancel safe.
    pub(super) async fn writable(&self) {
        // The permit may be returned: only this task sends.
        drop(self.events.reserve().await);
    }

    /// A sender that tells when the reader is dropped.
    pub(super) fn reader(&self) -> mpsc::Sender<Event> {
        self.events.clone()
    }

    /// Waits until the reader has taken all events, then sends the last ones and the reason of the end.
    pub(super) async fn finish(mut self, last: Vec<Event>, reason: CloseReason) {
        while self.is_blocked() && !self.events.is_closed() {
            self.writable().await;
            self.catch_up();
        }
        for event in last.into_iter().chain([Event::Closed(reason)]) {
            // Fails if the reader is dropped.
            drop(self.events.send(event).await);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(number: u32) -> Event {
        Event::Other(number.to_string())
    }

    #[test]
    fn events_that_do_not_fit_are_counted_in_their_place() {
        let (events, mut read) = mpsc::channel(2);
        let mut sink = EventSink::new(events);
        (1..=5).for_each(|number| sink.push(other(number)));
        assert!(sink.is_blocked());
        assert_eq!((read.try_recv(), read.try_recv()), (Ok(other(1)), Ok(other(2))));
        (6..=7).for_each(|number| sink.push(other(number)));
        assert_eq!((read.try_recv(), read.try_recv()), (Ok(other(3)), Ok(Event::Missed(2))));
        sink.catch_up();
        assert_eq!((read.try_recv(), read.try_recv()), (Ok(other(6)), Ok(Event::Missed(1))));
        assert!(!sink.is_blocked());
        sink.push(other(8));
        assert_eq!(read.try_recv(), Ok(other(8)));
    }

    #[test]
    fn a_dropped_reader_blocks_nothing() {
        let (events, read) = mpsc::channel(1);
        let mut sink = EventSink::new(events);
        (1..=3).for_each(|number| sink.push(other(number)));
        drop(read);
        sink.catch_up();
        assert!(!sink.is_blocked());
    }
}
