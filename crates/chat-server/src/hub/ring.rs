//! The ring: the last batches, shared by all writers, and the writers to wake for the next one.

use std::sync::Arc;

use chat_room::{Batch, ConnId};
use tokio::sync::broadcast;

use super::reply_queue::ReplyQueue;

#[derive(Debug)]
pub(super) struct Ring {
    batches: broadcast::Sender<Arc<Batch>>,
    /// Drop order matters: this comes after the sender, so that woken writers see a closed channel.
    writers: Writers,
    left: Vec<ConnId>,
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
    /// A ring that keeps `batches` batches for slow writers.
    pub(super) fn new(batches: usize) -> Self {
        let (batches, _) = broadcast::channel(batches);
        Self { batches, writers: Writers::default(), left: Vec::new() }
    }

    /// Subscribes a writer: it gets and is woken for every later batch.
    pub(super) fn subscribe(&mut self, conn: ConnId, replies: Arc<ReplyQueue>) -> broadcast::Receiver<Arc<Batch>> {
        self.writers.0.push((conn, replies));
        self.batches.subscribe()
    }

    /// Stops waking a writer after the next batch, which has its leave.
    pub(super) fn unsubscribe(&mut self, conn: ConnId) {
        self.left.push(conn);
    }

    /// Adds a batch and wakes all writers.
    pub(super) fn publish(&mut self, batch: Batch) {
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
        }
    }
}
