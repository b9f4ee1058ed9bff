//! The replies for one connection, on their way from the hub to its writer. Also how the writer learns of new batches.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use chat_room::{Batch, Position, Reply, Request};
use futures::task::AtomicWaker;
use tokio::sync::{Semaphore, SemaphorePermit, broadcast::Receiver};

/// The replies for one connection. It takes no heap memory while it is empty.
#[derive(Debug)]
pub(crate) struct ReplyQueue {
    queue: Mutex<Queue>,
    /// What is left of [`Request::MAX_PENDING_COST`].
    capacity: Semaphore,
    /// Whether the queue has replies: written with the queue locked, read without.
    has_replies: AtomicBool,
    /// Whether the writer still has its subscription: written and read with the queue locked. It stands here, where it
    /// takes no space.
    reads_rings: AtomicBool,
    /// Batches with a lower number are in the ring.
    published: AtomicU64,
    writer: AtomicWaker,
}

/// What a writer has to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WriterTask {
    /// Read the ring: it has batches that the writer has not taken, or it is closed.
    Batches,
    /// Write replies that stand at the writer's position.
    Replies,
}

#[derive(Debug)]
struct Queue {
    /// Sorted by position.
    replies: VecDeque<Reply>,
    /// The position of the last reply.
    last: Position,
    /// The rings that continue the writer's. Boxed, because they are rare.
    #[expect(clippy::box_collection, reason = "an idle client would hold three more words")]
    next_rings: Option<Box<VecDeque<Receiver<Arc<Batch>>>>>,
}

impl ReplyQueue {
    /// A queue for a connection whose stream begins at `entered`.
    pub(super) fn new(entered: Position) -> Self {
        let queue = Mutex::new(Queue { replies: VecDeque::new(), last: entered, next_rings: None });
        Self {
            queue,
            capacity: Semaphore::new(Request::MAX_PENDING_COST as usize),
            has_replies: AtomicBool::new(false),
            reads_rings: AtomicBool::new(true),
            published: AtomicU64::new(entered.batch),
            writer: AtomicWaker::new(),
        }
    }

    /// Waits until the reply to a request fits, and reserves its cost: a client that does not read its replies is not
    /// read from (backpressure). For ever, if nobody writes replies any more: the session ends.
    pub(super) async fn reserve(&self, request: Request) {
        let permits = match self.capacity.try_acquire_many(request.cost()) {
            Ok(permits) => permits,
            // Boxed, because it is rare and would make every task larger.
            Err(_) => match Box::pin(self.capacity.acquire_many(request.cost())).await {
                Ok(permits) => permits,
                Err(_) => std::future::pending().await,
            },
        };
        permits.forget();
    }

    /// Reserves the cost of a notice. `false`: it does not fit now.
    pub(super) fn try_reserve_notice(&self) -> bool {
        self.capacity.try_acquire_many(Reply::NOTICE_COST).map(SemaphorePermit::forget).is_ok()
    }

    /// Waits until a notice fits, and reserves nothing. `false`: nobody writes replies any more.
    pub(super) async fn wait_for_space(&self) -> bool {
        self.capacity.acquire_many(Reply::NOTICE_COST).await.is_ok()
    }

    /// Adds a reply. Its position is not before that of the last one.
    pub(super) fn push(&self, reply: Reply) {
        self.push_at(|_| reply);
    }

    /// Asks whether the peer is there (clause 6.1).
    pub(crate) fn ping(&self) {
        self.push_at(Reply::ping);
    }

    fn push_at(&self, reply: impl FnOnce(Position) -> Reply) {
        let mut queue = self.queue();
        let reply = reply(queue.last);
        queue.last = reply.position();
        queue.replies.push_back(reply);
        self.has_replies.store(true, Ordering::Release);
        drop(queue);
        self.writer.wake();
    }

    /// Tells the writer that all batches with a lower number than `next` are in the ring.
    pub(super) fn publish(&self, next: u64) {
        self.published.store(next, Ordering::Release);
        self.writer.wake();
    }

    /// Adds the ring that continues the last one. The caller closes that one.
    pub(super) fn continue_with(&self, ring: Receiver<Arc<Batch>>) {
        let mut queue = self.queue();
        // A receiver that nobody reads would keep all batches of the ring.
        if self.reads_rings.load(Ordering::Relaxed) {
            queue.next_rings.get_or_insert_default().push_back(ring);
        }
    }

    /// The writer has ended: nobody reads the rings or writes replies any more.
    pub(super) fn writer_ended(&self) {
        self.capacity.close();
        let mut queue = self.queue();
        self.reads_rings.store(false, Ordering::Relaxed);
        queue.next_rings = None;
    }

    /// Takes the ring that continues a closed one. `None`: the server stops.
    pub(super) fn next_ring(&self) -> Option<Receiver<Arc<Batch>>> {
        let mut queue = self.queue();
        let next = queue.next_rings.as_mut()?.pop_front();
        queue.next_rings = queue.next_rings.take().filter(|rings| !rings.is_empty());
        next
    }

    /// Tells the writer that the ring is closed.
    pub(super) fn close(&self) {
        self.publish(u64::MAX);
    }

    /// Whether the ring has something for a writer at this position: a batch, or its end.
    pub(crate) fn has_batches(&self, reached: Position) -> bool {
        self.published.load(Ordering::Acquire) > reached.batch
    }

    /// Waits until the writer at this position has something to do. Only one task may wait.
    pub(crate) fn poll_task(&self, reached: Position, cx: &mut Context<'_>) -> Poll<WriterTask> {
        let task = self.task(reached);
        if task.is_pending() {
            self.writer.register(cx.waker());
            return self.task(reached); // Something may have come before the waker was registered.
        }
        task
    }

    fn task(&self, reached: Position) -> Poll<WriterTask> {
        // Batches first: replies may stand among them.
        if self.has_batches(reached) {
            return Poll::Ready(WriterTask::Batches);
        }
        // Replies with a later position are written with their batch.
        let replies = self.has_replies.load(Ordering::Acquire)
            && self.queue().replies.front().is_some_and(|reply| reply.position() <= reached);
        if replies { Poll::Ready(WriterTask::Replies) } else { Poll::Pending }
    }

    /// Takes the replies up to this position.
    pub(crate) fn take(&self, reached: Position) -> Vec<Reply> {
        if !self.has_replies.load(Ordering::Acquire) {
            return Vec::new(); // The usual case, without the lock.
        }
        let mut queue = self.queue();
        let count = queue.replies.iter().take_while(|reply| reply.position() <= reached).count();
        let taken: Vec<_> = queue.replies.drain(..count).collect();
        if queue.replies.is_empty() {
            queue.replies = VecDeque::new(); // An idle connection keeps no memory for replies.
            self.has_replies.store(false, Ordering::Release);
        }
        drop(queue);
        self.capacity.add_permits(taken.iter().map(|reply| reply.cost() as usize).sum());
        taken
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use chat_room::Room;
    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_second_roster_is_not_even_requested_while_one_waits() {
        let (queue, mut room) = (ReplyQueue::new(Position::default()), Room::default());
        let reserve = || queue.reserve(Request::Clients).now_or_never().is_some();
        assert_eq!([reserve(), reserve()], [true, false]);
        queue.push(room.reply(Request::Clients));
        assert!(!reserve());
        assert_eq!(queue.take(Position::default()).len(), 1);
        assert!(reserve());
    }
}
