//! Events on their way to a reader that may be slow, or gone.

use tokio::sync::mpsc::{self, error::TrySendError};

use crate::{Closed, Event};

/// The sending side of [`Events`](crate::Events). It never waits and never grows: what does not fit is counted.
#[derive(Debug)]
pub(super) struct Outbox {
    events: mpsc::Sender<Event>,
    /// The one that did not fit.
    held: Option<Event>,
    /// How many came after `held`.
    missed: u64,
}

impl Outbox {
    pub(super) fn new(events: mpsc::Sender<Event>) -> Self {
        Self { events, held: None, missed: 0 }
    }

    /// Whether the next event might be missed.
    pub(super) fn is_blocked(&self) -> bool {
        self.held.is_some() || self.missed > 0
    }

    /// Hands `event` on, or keeps it, or counts it.
    pub(super) fn put(&mut self, event: Event) {
        self.catch_up();
        if self.is_blocked() {
            self.missed += 1;
        } else {
            self.held = self.offer(event);
        }
    }

    /// Hands on what was kept, as far as there is room.
    pub(super) fn catch_up(&mut self) {
        if let Some(held) = self.held.take() {
            self.held = self.offer(held);
        }
        if self.held.is_none() && self.missed > 0 && self.offer(Event::Missed(self.missed)).is_none() {
            self.missed = 0;
        }
    }

    /// Gives the event back if there is no room. Nobody misses what goes to a reader that is gone.
    fn offer(&self, event: Event) -> Option<Event> {
        match self.events.try_send(event) {
            Err(TrySendError::Full(event)) => Some(event),
            Ok(()) | Err(TrySendError::Closed(_)) => None,
        }
    }

    /// Waits until there is room, or no reader any more. It may be dropped unfinished.
    pub(super) async fn room(&self) {
        // The permit goes back at once: only this task fills the channel.
        drop(self.events.reserve().await);
    }

    /// A way to learn that the reader is gone.
    pub(super) fn listener(&self) -> mpsc::Sender<Event> {
        self.events.clone()
    }

    /// Waits until the reader has taken all there is, and says goodbye.
    pub(super) async fn finish(mut self, closed: Closed) {
        while self.is_blocked() && !self.events.is_closed() {
            self.room().await;
            self.catch_up();
        }
        // An error says that nobody listens.
        drop(self.events.send(Event::Closed(closed)).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(number: u32) -> Event {
        Event::Other(number.to_string())
    }

    #[test]
    fn what_does_not_fit_is_counted_in_its_place() {
        let (events, mut read) = mpsc::channel(2);
        let mut outbox = Outbox::new(events);
        (1..=5).for_each(|number| outbox.put(other(number)));
        assert!(outbox.is_blocked());
        assert_eq!((read.try_recv(), read.try_recv()), (Ok(other(1)), Ok(other(2))));
        (6..=7).for_each(|number| outbox.put(other(number)));
        assert_eq!((read.try_recv(), read.try_recv()), (Ok(other(3)), Ok(Event::Missed(2))));
        outbox.catch_up();
        assert_eq!((read.try_recv(), read.try_recv()), (Ok(other(6)), Ok(Event::Missed(1))));
        assert!(!outbox.is_blocked());
        outbox.put(other(8));
        assert_eq!(read.try_recv(), Ok(other(8)));
    }

    #[test]
    fn a_reader_that_is_gone_blocks_nothing() {
        let (events, read) = mpsc::channel(1);
        let mut outbox = Outbox::new(events);
        (1..=3).for_each(|number| outbox.put(other(number)));
        drop(read);
        outbox.catch_up();
        assert!(!outbox.is_blocked());
    }
}
