//! The hub's task: takes what waits, lets the state place it, sends it as one batch.

use std::{future::poll_fn, mem, sync::Arc, task::Poll};

use chat_proto::Text;
use futures::FutureExt;
use tokio::{
    sync::{mpsc, oneshot},
    task::yield_now,
};

use super::{
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
    messages: u64,
    /// Batches in this turn.
    published: usize,
}

impl Task {
    pub(super) fn new(ring: Ring, events: EventSender, counters: Arc<Counters>) -> Self {
        Self { state: State::default(), ring, events, counters, messages: 0, published: 0 }
    }

    /// Runs until the queue is closed and empty. Dropping the ring then tells the writers that all has been said.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let mut waiting = Vec::with_capacity(super::QUEUE);
        // All that waits becomes one batch: hundreds of lines under load, one at rest, and nobody waits for more.
        while queue.recv_many(&mut waiting, super::QUEUE).await > 0 {
            // Readers that are ready go first, so that what they have comes into the same batch: first whoever the runtime
            // finds ready before it comes back here, and then those whom it has found last.
            yield_now().await;
            step_back().await;
            let room = super::QUEUE - waiting.len();
            queue.recv_many(&mut waiting, room).now_or_never();
            self.published = 0;
            for command in waiting.drain(..) {
                match command {
                    Command::Stop => queue.close(),
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
        for (_, name) in self.state.members() {
            let seq = self.state.seq();
            self.events.push(|| Event::Left { seq, name, reason: EndReason::ServerStopped });
        }
        self.counters.set_room(0, 0, self.messages);
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
        let joined = Joined { name, seq, batch: place.batch, ring, outbox };
        if reply.send(Ok(joined)).is_err() {
            self.leave(conn, EndReason::Closed);
        }
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
            self.events.push(|| Event::Left { seq, name, reason });
        }
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
