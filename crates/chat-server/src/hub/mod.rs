//! The hub: the one task that puts everything in order, and the handle through which all others reach it.

mod batch;
#[cfg(feature = "bench")]
pub mod bench;
mod command;
mod listing;
mod outbox;
mod pieces;
mod ring;
mod roster;
mod state;
mod task;

use std::{mem, sync::Arc};

use chat_proto::Text;
use tokio::sync::{mpsc, oneshot};

pub(crate) use self::{
    batch::{Batch, Place, encode},
    command::{JoinError, Joined, Request},
    outbox::{Due, Outbox},
    pieces::Pieces,
    state::Wanted,
};
use self::{command::Command, outbox::Reply, ring::Ring, task::Task};
use crate::{event::EventSender, peer::ConnId, reason::EndReason, stats::Counters};

/// Commands that may wait for the hub; whoever wants to add one more waits itself (back-pressure).
const QUEUE: usize = 1_024;

/// A handle to the hub.
#[derive(Clone, Debug)]
pub(crate) struct Hub {
    commands: mpsc::Sender<Command>,
}

/// Somebody whose `JOIN` is under way. Given up then, it may be in without anybody to let it go: this does.
struct Unseen<'a> {
    hub: Option<&'a Hub>,
    conn: ConnId,
}

impl Drop for Unseen<'_> {
    fn drop(&mut self) {
        let (Some(hub), conn) = (self.hub.cloned(), self.conn) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { hub.leave(conn, EndReason::Closed).await });
        }
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
    ) -> (Self, impl Future<Output = ()>) {
        let (commands, queue) = mpsc::channel(QUEUE);
        (Self { commands }, Task::new(Ring::new(batches), events, counters).run(queue))
    }

    /// Takes a connection in, as soon as the answer is received.
    pub(crate) async fn join(&self, conn: ConnId, wanted: Wanted) -> Result<Joined, JoinError> {
        let (reply, answer) = oneshot::channel();
        self.room().await.map_err(|Stopped| JoinError::Stopped)?.send(Command::Join { conn, wanted, reply });
        let mut unseen = Unseen { hub: Some(self), conn };
        let answer = answer.await.unwrap_or(Err(JoinError::Stopped));
        unseen.hub = None;
        answer
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
        placed.await.map_err(|_| Stopped)
    }

    /// Asks something for one connection, once its outbox has room for the answer.
    pub(crate) async fn ask(&self, outbox: &Arc<Outbox>, request: Request) -> Result<(), Stopped> {
        outbox.reserve(request).await;
        self.room().await?.send(Command::Ask { request, outbox: Arc::clone(outbox) });
        Ok(())
    }

    /// Lets a member go, after all that it has said.
    pub(crate) async fn leave(&self, conn: ConnId, reason: EndReason) -> Result<(), Stopped> {
        self.room().await?.send(Command::Leave { conn, reason });
        Ok(())
    }

    /// Carries out what is waiting and ends: the ring closes after the last batch.
    pub(crate) async fn stop(&self) {
        // An error says that it has ended already.
        if let Ok(room) = self.room().await {
            room.send(Command::Stop);
        }
    }

    /// Waits for room for one command. The command is made after that: a task that waits here holds no copies of it.
    async fn room(&self) -> Result<mpsc::Permit<'_, Command>, Stopped> {
        match self.commands.try_reserve() {
            Ok(room) => Ok(room),
            // On the heap while it lasts, which it seldom does.
            Err(_) => Box::pin(self.commands.reserve()).await.map_err(|_| Stopped),
        }
    }
}
