//! The hub's task: takes what waits, lets the state place it, sends it as one batch.

use std::{
    future::poll_fn,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::Poll,
};

use chat_proto::{Name, Text};
use futures::FutureExt;
use tokio::{
    sync::{mpsc, oneshot},
    task::yield_now,
};
use tracing::error;

use super::{
    Signals,
    aside::Aside,
    batch::Instead,
    command::{Command, JoinError, Joined, Request},
    outbox::{Answer, Outbox},
    ring::Ring,
    state::{State, Wanted},
};
use crate::{
    event::{Event, EventSender},
    peer::ConnId,
    reason::EndReason,
    stats::Counters,
};

/// Lets all tasks that are ready go first.
async fn step_back() {
    let mut waited = false;
    poll_fn(|cx| {
        if mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        // A task that wakes itself goes to the end of the queue.
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// After so many batches it is the writers' turn: who keeps up must not fall behind for what was said in one moment.
const TURN: usize = 16;

#[derive(Debug)]
pub(super) struct Task {
    state: State,
    ring: Ring,
    events: EventSender,
    counters: Arc<Counters>,
    aside: Arc<Aside>,
    messages: u64,
    /// Batches in this turn.
    published: usize,
    /// The last to be dropped: who hears of the end finds the ring and the events closed.
    signals: SayEnded,
}

/// Says that the hub has ended, when it is dropped.
#[derive(Debug)]
struct SayEnded(Signals);

impl Drop for SayEnded {
    fn drop(&mut self) {
        self.0.stop.cancel();
        self.0.ended.cancel();
    }
}

impl Task {
    pub(super) fn new(
        ring: Ring,
        events: EventSender,
        counters: Arc<Counters>,
        aside: Arc<Aside>,
        signals: Signals,
    ) -> Self {
        let (state, signals) = (State::default(), SayEnded(signals));
        Self { state, ring, events, counters, aside, messages: 0, published: 0, signals }
    }

    /// Runs until the queue is closed and empty. Dropping the task is its end: then everybody leaves, and dropping the ring
    /// tells the writers that all has been said.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let mut waiting = Vec::with_capacity(super::QUEUE);
        // All that waits becomes one batch: hundreds of lines under load, one at rest, and nobody waits for more.
        while self.next(&mut queue, &mut waiting).await {
            // Readers that are ready go first, so that what they have comes into the same batch: first whoever the runtime
            // finds ready before it comes back here, and then those whom it has found last.
            yield_now().await;
            step_back().await;
            let room = super::QUEUE.saturating_sub(waiting.len());
            queue.recv_many(&mut waiting, room).now_or_never();
            self.look_aside(&mut queue, &mut waiting).await;
            self.published = 0;
            for command in waiting.drain(..) {
                match command {
                    Command::Stop => {
                        // Decided before anybody can find the queue closed.
                        self.aside.decide(self.signals.0.verdict());
                        queue.close();
                    }
                    command => self.handle(command),
                }
                self.publish_if_full();
                if self.published >= TURN {
                    self.published = 0;
                    yield_now().await;
                }
            }
            self.publish();
        }
    }

    /// Waits until there is something to do. `false`: nothing more will come.
    async fn next(&self, queue: &mut mpsc::Receiver<Command>, waiting: &mut Vec<Command>) -> bool {
        poll_fn(|cx| match queue.poll_recv_many(cx, waiting, super::QUEUE) {
            Poll::Ready(taken) => Poll::Ready(taken > 0),
            // Room may be promised to somebody who does not use it: that is not waited for.
            Poll::Pending if queue.is_closed() && queue.is_empty() => Poll::Ready(false),
            Poll::Pending if self.aside.is_filled_or_wakes(cx.waker()) => Poll::Ready(true),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Takes what found no room in the queue. It stands behind all that was in the queue then: a member leaves after what it
    /// has said.
    async fn look_aside(&self, queue: &mut mpsc::Receiver<Command>, waiting: &mut Vec<Command>) {
        let aside = self.aside.take();
        if aside.is_empty() {
            return; // As nearly always.
        }
        let mut before = queue.len();
        while before > 0 {
            match queue.recv_many(waiting, before).await {
                0 => break,
                taken => before -= taken,
            }
        }
        waiting.extend(aside);
    }

    /// Lets everybody go, each at a number of its own. On the wire that is `BYE`, so that it does not stand in the ring.
    fn end(&mut self) {
        let verdict = self.aside.decide(self.signals.0.verdict());
        for command in self.aside.end() {
            self.handle(command);
        }
        self.publish();
        while let Some((name, seq)) = self.state.leave_at_the_end() {
            self.count(seq, name, verdict);
        }
        self.events.publish();
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Join { conn, wanted, reply } => self.join(conn, wanted, reply),
            Command::Say { conn, texts } => {
                for text in texts {
                    self.say(conn, text);
                    self.publish_if_full();
                }
            }
            Command::SayAndTell { conn, text, receipt } => {
                if let Some(seq) = self.say(conn, text) {
                    // Who does not wait for it any more does not need it.
                    let _ = receipt.send(seq);
                }
            }
            Command::Ask { request, outbox } => {
                let answer = match request {
                    Request::Ping => Answer::Pong,
                    Request::Refuse => Answer::BadReq,
                    Request::Clients => Answer::Clients(self.state.listing()),
                };
                outbox.push(self.state.place(), answer);
            }
            Command::Leave { conn, reason } => self.leave(conn, reason),
            Command::Stop => {}
            #[cfg(test)]
            Command::Panic => panic!("as the test wants it"),
        }
    }

    fn join(&mut self, conn: ConnId, wanted: Wanted, reply: oneshot::Sender<Result<Joined, JoinError>>) {
        if reply.is_closed() {
            return;
        }
        let Ok((name, seq)) = self.state.join(conn, wanted) else {
            let _ = reply.send(Err(JoinError::Taken));
            return;
        };
        self.events.push(|| Event::Joined { seq, name });
        let place = self.state.place();
        let outbox = Arc::new(Outbox::new(place));
        // Subscribed before the batch with the JOIN is sent: nothing falls between joining and listening.
        let ring = self.ring.enter(conn, Arc::clone(&outbox));
        // Who does not wait for it any more drops its membership, and so leaves.
        let _ = reply.send(Ok(Joined { name, seq, batch: place.batch, ring, outbox }));
    }

    /// `None` if it is not here.
    fn say(&mut self, conn: ConnId, text: Text) -> Option<u64> {
        let (message, seq) = self.state.say(conn, text)?;
        self.messages += 1;
        self.events.push_message(seq, message);
        Some(seq)
    }

    fn leave(&mut self, conn: ConnId, reason: EndReason) {
        let farewell = if reason == EndReason::Bye { Instead::Bye } else { Instead::Nothing };
        if let Some((name, seq)) = self.state.leave(conn, farewell) {
            self.ring.leave(conn);
            self.count(seq, name, reason);
        }
    }

    /// The one place that tells why a member has left: the event and the numbers agree.
    fn count(&mut self, seq: u64, name: Name, reason: EndReason) {
        self.counters.ended(reason);
        self.events.push(|| Event::Left { seq, name, reason });
    }

    fn publish_if_full(&mut self) {
        if self.state.is_full() {
            self.publish();
        }
    }

    fn publish(&mut self) {
        if let Some(batch) = self.state.take_batch() {
            // Before anybody can see the batch, so that who has seen it finds it counted.
            self.counters.set_room(self.state.clients(), self.state.roster_bytes(), self.messages);
            self.ring.publish(batch);
            self.published += 1;
        }
        self.events.publish();
    }
}

impl Drop for Task {
    /// Whatever ends the hub: a stop, a panic, the end of its runtime, or that nobody can reach it any more.
    fn drop(&mut self) {
        if std::thread::panicking() {
            error!("the hub panicked: the server stops");
        }
        // A panic may have left the state half done, and a second one while the first is under way would abort the program.
        if catch_unwind(AssertUnwindSafe(|| self.end())).is_err() {
            error!("the hub panicked while it ended: not all leaves are told");
        }
        self.counters.set_room(0, 0, self.messages);
    }
}
