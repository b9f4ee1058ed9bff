//! The hub's task: takes what waits, lets the state place it, sends it as one batch.

use std::sync::Arc;

use tokio::{
    sync::{broadcast, mpsc, oneshot},
    task::yield_now,
};

use super::{
    batch::{Batch, Instead},
    command::{Command, JoinError, Joined, Request},
    outbox::{Answer, Outbox},
    state::{State, Wanted},
};
use crate::{
    event::{Event, EventSender},
    peer::ConnId,
    reason::EndReason,
    stats::Counters,
};

#[derive(Debug)]
pub(super) struct Task {
    state: State,
    ring: broadcast::Sender<Arc<Batch>>,
    events: EventSender,
    counters: Arc<Counters>,
    messages: u64,
}

impl Task {
    pub(super) fn new(ring: broadcast::Sender<Arc<Batch>>, events: EventSender, counters: Arc<Counters>) -> Self {
        Self { state: State::default(), ring, events, counters, messages: 0 }
    }

    /// Runs until the queue is closed and empty. Dropping the ring then tells the writers that all has been said.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let mut waiting = Vec::with_capacity(super::QUEUE);
        // All that waits becomes one batch: hundreds of lines under load, one at rest, and nobody waits for more.
        while queue.recv_many(&mut waiting, super::QUEUE).await > 0 {
            // Readers that are ready go first, so that what they have comes into the same batch. Twice, for a task that the
            // runtime wakes last is the one that it runs first.
            yield_now().await;
            yield_now().await;
            while let Ok(command) = queue.try_recv() {
                waiting.push(command);
                if waiting.len() >= super::QUEUE {
                    break;
                }
            }
            for command in waiting.drain(..) {
                match command {
                    Command::Stop => queue.close(),
                    command => self.handle(command),
                }
                if self.state.is_full() {
                    self.publish();
                }
            }
            self.publish();
        }
        for (_, name) in self.state.members() {
            let seq = self.state.seq();
            self.events.push(|| Event::Left { seq, name, reason: EndReason::ServerStopped });
        }
        self.counters.set_room(0, self.messages);
        self.events.publish();
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Join { conn, wanted, reply } => self.join(conn, wanted, reply),
            Command::Say { conn, text, receipt } => {
                let Some((message, seq)) = self.state.say(conn, text) else { return };
                self.messages += 1;
                self.events.push_message(seq, message);
                if let Some(receipt) = receipt {
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
        let joined = Joined { name, seq, batch: place.batch, ring: self.ring.subscribe(), outbox };
        if reply.send(Ok(joined)).is_err() {
            self.leave(conn, EndReason::Closed);
        }
    }

    fn leave(&mut self, conn: ConnId, reason: EndReason) {
        let farewell = if reason == EndReason::Bye { Instead::Bye } else { Instead::Nothing };
        if let Some((name, seq)) = self.state.leave(conn, farewell) {
            self.events.push(|| Event::Left { seq, name, reason });
        }
    }

    fn publish(&mut self) {
        if let Some(batch) = self.state.take_batch() {
            // Before anybody can see the batch, so that who has seen it finds it counted.
            self.counters.set_room(self.state.clients(), self.messages);
            // An error says that nobody is connected.
            let _ = self.ring.send(Arc::new(batch));
        }
        self.events.publish();
    }
}
