//! The hub: the one task that puts everything in order, and the handle through which all others reach it.

mod aside;
mod batch;
#[cfg(feature = "bench")]
pub(crate) mod bench;
mod command;
mod listing;
mod membership;
mod outbox;
mod pieces;
mod ring;
mod roster;
mod state;
mod task;

use std::{mem, sync::Arc};

use chat_proto::Text;
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};
use tokio_util::sync::CancellationToken;

use self::{aside::Aside, command::Command, outbox::Reply, ring::Ring, task::Task};
pub(crate) use self::{
    batch::{Batch, Place, encode},
    command::{JoinError, Joined, Request},
    membership::Membership,
    outbox::{Due, Outbox},
    pieces::Pieces,
    state::Wanted,
};
use crate::{event::EventSender, peer::ConnId, reason::EndReason, stats::Counters};

/// Commands that may wait for the hub; whoever wants to add one more waits itself (back-pressure).
const QUEUE: usize = 1_024;

/// A handle to the hub.
#[derive(Clone, Debug)]
pub(crate) struct Hub(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    commands: mpsc::Sender<Command>,
    aside: Arc<Aside>,
    signals: Signals,
}

/// How the server and its hub tell each other of the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    /// Graceful: nothing new is taken, what is owed is delivered. The hub cancels it too, whatever it ends by.
    pub(crate) stop: CancellationToken,
    /// At once.
    pub(crate) cut: CancellationToken,
    /// The hub has ended: everybody has left, and nothing more will be said of it. Only the hub cancels it.
    pub(crate) ended: CancellationToken,
}

impl Signals {
    /// Why those leave who are still there when the server stops.
    fn verdict(&self) -> EndReason {
        if self.cut.is_cancelled() { EndReason::Cut } else { EndReason::ServerStopped }
    }
}

/// The hub takes no more commands, since the server stops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stopped;

impl Hub {
    /// A hub, and the task that is to be run for it. The ring keeps `batches` batches for those who are behind.
    pub(crate) fn new(
        batches: usize,
        events: EventSender,
        counters: Arc<Counters>,
        signals: Signals,
    ) -> (Self, impl Future<Output = ()>) {
        let (commands, queue) = mpsc::channel(QUEUE);
        let aside = Arc::<Aside>::default();
        let task = Task::new(Ring::new(batches), events, counters, Arc::clone(&aside), signals.clone());
        (Self(Arc::new(Handle { commands, aside, signals })), task.run(queue))
    }

    /// Takes a connection in, as soon as the answer is received.
    pub(crate) async fn join(&self, conn: ConnId, wanted: Wanted) -> Result<(Joined, Membership), JoinError> {
        // From here on it may be in, also if nobody waits for the answer any more.
        let mut membership = Membership::new(self.clone(), conn);
        match self.ask_to_join(conn, wanted).await {
            Ok(joined) => Ok((joined, membership)),
            Err(error) => {
                membership.void();
                Err(error)
            }
        }
    }

    async fn ask_to_join(&self, conn: ConnId, wanted: Wanted) -> Result<Joined, JoinError> {
        let (reply, answer) = oneshot::channel();
        self.room().await.map_err(|Stopped| JoinError::Stopped)?.send(Command::Join { conn, wanted, reply });
        self.check_that_it_runs().map_err(|Stopped| JoinError::Stopped)?;
        answer.await.unwrap_or(Err(JoinError::Stopped))
    }

    /// Hands a member's messages over. Its writer meets each `OK` in the ring. Nothing is taken if the future is dropped.
    pub(crate) async fn say(&self, conn: ConnId, texts: &mut Vec<Text>) -> Result<(), Stopped> {
        self.room().await?.send(Command::Say { conn, texts: mem::take(texts) });
        Ok(())
    }

    /// Hands a member's message over and waits for its place in the order.
    pub(crate) async fn say_and_wait(&self, conn: ConnId, text: Text) -> Result<u64, Stopped> {
        let (receipt, placed) = oneshot::channel();
        self.room().await?.send(Command::SayAndTell { conn, text, receipt });
        self.check_that_it_runs()?;
        placed.await.map_err(|_| Stopped)
    }

    /// Asks something for one connection, once its outbox has room for the answer.
    pub(crate) async fn ask(&self, outbox: &Arc<Outbox>, request: Request) -> Result<(), Stopped> {
        outbox.reserve(request).await;
        self.room().await?.send(Command::Ask { request, outbox: Arc::clone(outbox) });
        Ok(())
    }

    /// Lets a member go, after all that it has said, and tells by which reason.
    fn leave(&self, conn: ConnId, reason: EndReason) -> EndReason {
        match self.urge(Command::Leave { conn, reason }) {
            Ok(()) => reason,
            Err(Stopped) => self.0.aside.verdict().unwrap_or_else(|| self.0.signals.verdict()),
        }
    }

    /// Carries out what is waiting and ends: the ring closes after the last batch.
    pub(crate) fn stop(&self) {
        // An error says that it has ended already.
        let _ = self.urge(Command::Stop);
    }

    /// Hands a command over without waiting for room.
    fn urge(&self, command: Command) -> Result<(), Stopped> {
        match self.0.commands.try_send(command) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(command)) => self.0.aside.push(command),
            Err(TrySendError::Closed(_)) => Err(Stopped),
        }
    }

    /// Whether a command that has just been sent will be carried out, or at least dropped. Room that was promised before the
    /// hub ended can be used after it: such a command lies in the queue for ever, and its answer never comes.
    fn check_that_it_runs(&self) -> Result<(), Stopped> {
        if self.0.signals.ended.is_cancelled() { Err(Stopped) } else { Ok(()) }
    }

    /// Waits for room for one command. The command is made after that: a task that waits here holds no copies of it.
    async fn room(&self) -> Result<mpsc::Permit<'_, Command>, Stopped> {
        match self.0.commands.try_reserve() {
            Ok(room) => Ok(room),
            // On the heap while it lasts, which it seldom does.
            Err(_) => Box::pin(self.0.commands.reserve()).await.map_err(|_| Stopped),
        }
    }
}

#[cfg(test)]
mod tests;
