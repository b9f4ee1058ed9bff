//! The ring: the last batches, shared by all writers, and the writers to wake for the next one.
//!
//! An idle server holds a small ring. When a writer falls behind, a larger one continues it: writers drain the small one
//! first, so none of them loses a batch.

use std::sync::Arc;

use chat_room::{Batch, ConnId};
use tokio::sync::broadcast::{Receiver, Sender, error::TryRecvError};

use super::reply_queue::ReplyQueue;

/// The batches of the first ring.
const FIRST: usize = 64;
/// How much larger the ring becomes at a time.
const GROWTH: usize = 8;

#[derive(Debug)]
pub(super) struct Ring {
    batches: Sender<Arc<Batch>>,
    /// Drop order matters: this comes after the sender, so that woken writers see a closed channel.
    writers: Writers,
    left: Vec<ConnId>,
    capacity: usize,
    max_capacity: usize,
    /// Batches to publish before the ring looks again whether it has to grow.
    until_look: usize,
}

/// Each writer is woken through its own reply queue. If the broadcast channel woke them, all writers would contend for
/// the lock of its waiter list for every batch.
#[derive(Debug, Default)]
struct Writers(Vec<(ConnId, Arc<ReplyQueue>)>);

impl Drop for Writers {
    fn drop(&mut self) {
        for (_, replies) in &self.0 {
            replies.close();
        }
    }
}

impl Ring {
    /// A ring that keeps up to `max_capacity` batches for slow writers.
    pub(super) fn new(max_capacity: usize) -> Self {
        let capacity = FIRST.min(max_capacity);
        let (writers, left) = (Writers::default(), Vec::new());
        Self { batches: Sender::new(capacity), writers, left, capacity, max_capacity, until_look: 0 }
    }

    /// Subscribes a writer: it gets and is woken for every later batch.
    pub(super) fn subscribe(&mut self, conn: ConnId, replies: Arc<ReplyQueue>) -> Subscription {
        self.writers.0.push((conn, Arc::clone(&replies)));
        Subscription { batches: self.batches.subscribe(), replies }
    }

    /// The replies of a writer.
    pub(super) fn replies(&self, conn: ConnId) -> Option<&Arc<ReplyQueue>> {
        self.writers.0.iter().find_map(|(other, replies)| (*other == conn).then_some(replies))
    }

    /// Stops waking a writer after the next batch, which has its leave.
    pub(super) fn unsubscribe(&mut self, conn: ConnId) {
        self.left.push(conn);
    }

    /// Adds a batch and wakes all writers.
    pub(super) fn publish(&mut self, batch: Batch) {
        self.grow_if_needed();
        let next = batch.end().batch;
        // It fails only if no writer is subscribed.
        let _ = self.batches.send(Arc::new(batch));
        for (_, replies) in &self.writers.0 {
            replies.publish(next);
        }
        if !self.left.is_empty() {
            self.left.sort_unstable();
            self.writers.0.retain(|(conn, _)| self.left.binary_search(conn).is_err());
            self.left.clear();
            if self.writers.0.is_empty() && self.capacity > FIRST {
                // An empty room holds a small ring again. The last writers still have their receivers.
                self.replace(FIRST.min(self.max_capacity));
            }
        }
    }

    /// Grows before the slowest writer could lose a batch. Looking costs a few hundred nanoseconds, so it looks once in
    /// a quarter of the capacity.
    fn grow_if_needed(&mut self) {
        if self.capacity == self.max_capacity {
            return;
        }
        if self.until_look > 0 {
            self.until_look -= 1;
            return;
        }
        let quarter = self.capacity / 4;
        self.until_look = quarter.saturating_sub(1);
        if self.batches.len() > 2 * quarter {
            self.replace(self.capacity.saturating_mul(GROWTH).min(self.max_capacity));
        }
    }

    /// Continues with a ring of another capacity. Writers find it when they have drained this one.
    fn replace(&mut self, capacity: usize) {
        let batches = Sender::new(capacity);
        for (_, replies) in &self.writers.0 {
            replies.continue_with(batches.subscribe());
        }
        (self.batches, self.capacity, self.until_look) = (batches, capacity, capacity / 4);
    }
}

/// A writer's place in the ring. Dropped, it holds no batches, and gets no rings that continue this one.
#[derive(Debug)]
pub(crate) struct Subscription {
    batches: Receiver<Arc<Batch>>,
    replies: Arc<ReplyQueue>,
}

/// What a writer takes from the ring.
#[derive(Debug)]
pub(crate) enum Taken {
    Batch(Arc<Batch>),
    /// The writer was too slow: the next batch would come after a gap.
    Lagged,
    /// The server stops, and all batches were taken.
    Closed,
}

impl Subscription {
    /// The queue that announces batches, and holds the writer's own replies.
    pub(crate) fn replies(&self) -> &ReplyQueue {
        &self.replies
    }

    /// Takes the next batch, which the queue has announced.
    pub(crate) fn take(&mut self) -> Taken {
        loop {
            match self.batches.try_recv() {
                Ok(batch) => return Taken::Batch(batch),
                // Reported once: the next batch would come after a gap. A batch that was announced and is not there is
                // a gap too.
                Err(TryRecvError::Lagged(_) | TryRecvError::Empty) => return Taken::Lagged,
                Err(TryRecvError::Closed) => match self.replies.next_ring() {
                    Some(next) => self.batches = next,
                    None => return Taken::Closed,
                },
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.replies.writer_ended();
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::{Name, Text};
    use chat_room::{JoinAs, Room};

    use super::*;

    /// A ring with one writer, which has not taken anything of what `messages` says in as many batches.
    fn filled(max_capacity: usize, messages: usize) -> (Ring, Subscription) {
        let (mut room, mut ring, conn) = (Room::default(), Ring::new(max_capacity), ConnId::new(1));
        let replies = Arc::new(ReplyQueue::new(room.position()));
        let subscription = ring.subscribe(conn, replies);
        room.join(conn, JoinAs::Name(Name::new("ann").unwrap())).unwrap();
        for number in 0..messages {
            room.say(conn, Text::new(number.to_string()).unwrap());
            ring.publish(room.take_batch().unwrap());
        }
        (ring, subscription)
    }

    #[test]
    fn a_slow_writer_loses_nothing_while_the_ring_grows() {
        for messages in [10, FIRST, 100, 1_000, 4_096] {
            let (ring, mut subscription) = filled(4_096, messages);
            for number in 0..messages as u64 {
                match subscription.take() {
                    Taken::Batch(batch) => assert_eq!(batch.end().batch, number + 1, "of {messages}"),
                    other => panic!("{other:?} after {number} of {messages}"),
                }
            }
            drop(ring);
            assert!(matches!(subscription.take(), Taken::Closed));
        }
    }

    #[test]
    fn a_writer_that_is_too_slow_is_told_and_the_ring_is_bounded() {
        let (ring, mut subscription) = filled(1_000, 3_000);
        assert_eq!(ring.capacity, 1_000);
        let mut taken = 0;
        while let Taken::Batch(_) = subscription.take() {
            taken += 1;
        }
        assert!(taken <= 2 * FIRST * GROWTH, "{taken} batches of the smaller rings were kept");
    }

    /// Such as a local client, which receives events instead.
    #[test]
    fn a_member_that_has_dropped_its_subscription_holds_no_batches() {
        let (mut ring, mut slow) = filled(4_096, 10);
        let mut room = Room::default();
        let other = Arc::new(ReplyQueue::new(room.position()));
        drop(ring.subscribe(ConnId::new(2), other));
        for number in 0..1_000 {
            room.notice(Text::new(number.to_string()).unwrap());
            ring.publish(room.take_batch().unwrap());
        }
        assert_eq!(ring.capacity, 4_096);
        while !ring.batches.is_empty() {
            assert!(matches!(slow.take(), Taken::Batch(_)), "somebody else holds {} batches", ring.batches.len());
        }
    }
}
