//! The ring: the last batches, shared by all writers, and who is to be woken when there is one more.

use std::sync::Arc;

use tokio::sync::broadcast;

use super::{batch::Batch, outbox::Outbox};
use crate::peer::ConnId;

#[derive(Debug)]
pub(super) struct Ring {
    batches: broadcast::Sender<Arc<Batch>>,
    /// Dropped after the sender, so that who is woken then finds that nothing more will come.
    writers: Writers,
    left: Vec<ConnId>,
}

/// Every writer is woken through its own outbox. Were it the ring that wakes them, all of them would take the one lock
/// of its list of waiters for every batch.
#[derive(Debug, Default)]
struct Writers(Vec<(ConnId, Arc<Outbox>)>);

impl Drop for Writers {
    fn drop(&mut self) {
        self.0.iter().for_each(|(_, outbox)| outbox.close());
    }
}

impl Ring {
    /// Keeps so many batches for those who are behind.
    pub(super) fn new(batches: usize) -> Self {
        let (batches, _) = broadcast::channel(batches);
        Self { batches, writers: Writers::default(), left: Vec::new() }
    }

    /// From here on this writer gets every batch, and is woken for it.
    pub(super) fn enter(&mut self, conn: ConnId, outbox: Arc<Outbox>) -> broadcast::Receiver<Arc<Batch>> {
        self.writers.0.push((conn, outbox));
        self.batches.subscribe()
    }

    /// This writer is not woken any more, after the next batch.
    pub(super) fn leave(&mut self, conn: ConnId) {
        self.left.push(conn);
    }

    /// Puts a batch in, and wakes everybody.
    pub(super) fn publish(&mut self, batch: Batch) {
        let next = batch.end().batch;
        // An error says that nobody is connected.
        let _ = self.batches.send(Arc::new(batch));
        self.writers.0.iter().for_each(|(_, outbox)| outbox.publish(next));
        if !self.left.is_empty() {
            self.left.sort_unstable();
            self.writers.0.retain(|(conn, _)| self.left.binary_search(conn).is_err());
            self.left.clear();
        }
    }
}
