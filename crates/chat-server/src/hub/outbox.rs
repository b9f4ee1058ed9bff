//! The lines that concern one connection alone, on their way to its writer: bounded, and nothing while it is idle.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use chat_proto::{ServerMessage, Terminator};
use futures::task::AtomicWaker;
use tokio::sync::Semaphore;

use super::{
    Request,
    batch::{Place, put},
    listing::Listing,
    pieces::Pieces,
};

/// So much may wait in an outbox; a request that would be answered with more waits itself (back-pressure). It is also what a
/// flood of requests gets done before others have their turn.
const ROOM: usize = 64;
/// A roster keeps alive the bytes that later ones do not share with it, so that one is as much as may wait, beside the one that
/// the writer has taken already.
const ROSTER_ROOM: u32 = 64;

/// A line for one connection, and the place in the order after which it stands.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) place: Place,
    pub(crate) answer: Answer,
}

/// What such a line says.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Pong,
    BadReq,
    /// The server's own question, which nobody asked for.
    Ping,
    /// The roster.
    Clients(Arc<Listing>),
}

impl Reply {
    /// Adds the line.
    pub(super) fn write(&self, terminator: Terminator, out: &mut Pieces) {
        let word = match &self.answer {
            Answer::Pong => ServerMessage::Pong,
            Answer::BadReq => ServerMessage::BadReq,
            Answer::Ping => ServerMessage::Ping,
            Answer::Clients(listing) => return out.push_listing(listing.ended_by(terminator)),
        };
        put(out.own(), &word, terminator);
    }

    fn room(&self) -> u32 {
        match self.answer {
            Answer::Pong => Request::Ping.room(),
            Answer::BadReq => Request::Refuse.room(),
            Answer::Clients(_) => Request::Clients.room(),
            Answer::Ping => 0,
        }
    }
}

impl Request {
    fn room(self) -> u32 {
        match self {
            Self::Ping | Self::Refuse => 1,
            Self::Clients => ROSTER_ROOM,
        }
    }
}

/// From the hub and the reader to the writer of one connection.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    room: Semaphore,
    /// Whether anything is in the queue: changed with it, and looked at without.
    filled: AtomicBool,
    /// Batches before this number are in the ring.
    published: AtomicU64,
    writer: AtomicWaker,
}

/// What a writer has to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    /// There are batches in the ring that it has not taken, or the ring is closed.
    Batches,
    /// Something in its outbox is to be written now.
    Replies,
}

#[derive(Debug)]
struct Queue {
    /// In the order of their places.
    replies: VecDeque<Reply>,
    /// The last place that a reply had.
    last: Place,
}

impl Outbox {
    /// For a connection whose stream begins at `entered`.
    pub(super) fn new(entered: Place) -> Self {
        let queue = Mutex::new(Queue { replies: VecDeque::new(), last: entered });
        Self {
            queue,
            room: Semaphore::new(ROOM),
            filled: AtomicBool::new(false),
            published: AtomicU64::new(entered.batch),
            writer: AtomicWaker::new(),
        }
    }

    /// Waits until there is room for the answer to a request, and takes it.
    pub(super) async fn reserve(&self, request: Request) {
        let room = match self.room.try_acquire_many(request.room()) {
            Ok(room) => room,
            // On the heap while it lasts, which it seldom does.
            Err(_) => Box::pin(self.room.acquire_many(request.room())).await.expect("never closed"),
        };
        room.forget();
    }

    /// Adds a reply. Places only grow.
    pub(super) fn push(&self, place: Place, answer: Answer) {
        self.add(answer, |_| place);
    }

    /// Asks whether the peer is there (clause 6.1).
    pub(crate) fn ping(&self) {
        self.add(Answer::Ping, |last| last);
    }

    fn add(&self, answer: Answer, place: impl FnOnce(Place) -> Place) {
        let mut queue = self.queue();
        let place = place(queue.last);
        queue.last = place;
        queue.replies.push_back(Reply { place, answer });
        self.filled.store(true, Ordering::Release);
        drop(queue);
        self.writer.wake();
    }

    /// All batches before this number are in the ring.
    pub(super) fn publish(&self, next: u64) {
        self.published.store(next, Ordering::Release);
        self.writer.wake();
    }

    /// Nothing more comes into the ring: whoever looks there finds its end.
    pub(super) fn close(&self) {
        self.publish(u64::MAX);
    }

    /// Whether the ring has something for a writer that has come so far, be it its end.
    pub(crate) fn has_more(&self, reached: Place) -> bool {
        self.published.load(Ordering::Acquire) > reached.batch
    }

    /// What a writer that has come so far has to do, as soon as there is something. One at a time may wait.
    pub(crate) fn poll_due(&self, reached: Place, cx: &mut Context<'_>) -> Poll<Due> {
        let due = self.due(reached);
        if due.is_pending() {
            self.writer.register(cx.waker());
            return self.due(reached); // It may have come meanwhile, when nobody was to be woken.
        }
        due
    }

    fn due(&self, reached: Place) -> Poll<Due> {
        // Replies stand after what the ring has already.
        if self.has_more(reached) {
            return Poll::Ready(Due::Batches);
        }
        // Those with a later place come with their batch.
        let replies = self.filled.load(Ordering::Acquire)
            && self.queue().replies.front().is_some_and(|reply| reply.place <= reached);
        if replies { Poll::Ready(Due::Replies) } else { Poll::Pending }
    }

    /// Takes the replies whose place is reached, in their order.
    pub(crate) fn take(&self, reached: Place) -> Vec<Reply> {
        if !self.filled.load(Ordering::Acquire) {
            return Vec::new(); // As nearly always.
        }
        let mut queue = self.queue();
        let due = queue.replies.iter().take_while(|reply| reply.place <= reached).count();
        let taken: Vec<_> = queue.replies.drain(..due).collect();
        if queue.replies.is_empty() {
            queue.replies = VecDeque::new(); // An idle connection keeps no queue.
            self.filled.store(false, Ordering::Release);
        }
        drop(queue);
        self.room.add_permits(taken.iter().map(|reply| reply.room() as usize).sum());
        taken
    }

    /// Takes the replies whose place is reached, and adds them and then these words.
    pub(crate) fn write(&self, reached: Place, terminator: Terminator, words: &[ServerMessage], out: &mut Pieces) {
        self.take(reached).iter().for_each(|reply| reply.write(terminator, out));
        for word in words {
            put(out.own(), word, terminator);
        }
        out.close();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::hub::listing::tests::listing;

    #[test]
    fn one_roster_waits_and_a_second_is_not_even_asked_for() {
        let outbox = Outbox::new(Place::default());
        let reserve = || outbox.reserve(Request::Clients).now_or_never().is_some();
        assert_eq!([reserve(), reserve()], [true, false]);
        outbox.push(Place::default(), Answer::Clients(listing(&["ann"])));
        assert!(!reserve());
        assert_eq!(outbox.take(Place::default()).len(), 1);
        assert!(reserve());
    }
}
