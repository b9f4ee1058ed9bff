//! The hub: the one task that puts everything in order, and the handle through which all others reach it.

mod command;
mod control;
mod membership;
mod overflow;
mod reply_queue;
mod ring;
mod task;

use std::{fmt, mem, sync::Arc};

use chat_proto::Text;
use chat_room::{ConnId, JoinAs, Request};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};
use tokio_util::sync::CancellationToken;

use self::{command::Command, overflow::Overflow, ring::Ring, task::Task};
pub(crate) use self::{
    command::{JoinError, Joined},
    membership::Membership,
    reply_queue::{ReplyQueue, WriterTask},
    ring::{Subscription, Taken},
};
use crate::{event::EventSender, member::Identity, reason::EndReason, stats::Counters};

/// The most commands that wait for the hub. A sender of one more waits itself (backpressure).
const QUEUE: usize = 1_024;

/// A handle to the hub.
#[derive(Clone)]
pub(crate) struct Hub(Arc<Handle>);

struct Handle {
    commands: mpsc::Sender<Command>,
    overflow: Arc<Overflow>,
    signals: Signals,
}

/// How the server and its hub tell each other of the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    /// Stop gracefully: accept nothing new, deliver what is owed. The hub cancels it too when it ends for another
    /// reason.
    pub(crate) stop: CancellationToken,
    /// Stop at once.
    pub(crate) cut: CancellationToken,
    /// The hub has ended: all members have left, and all events are published. Only the hub cancels it.
    pub(crate) ended: CancellationToken,
}

impl Signals {
    /// Why those leave who are members when the server stops.
    fn end_reason(&self) -> EndReason {
        if self.cut.is_cancelled() { EndReason::ServerCut } else { EndReason::ServerStopped }
    }
}

/// The hub accepts no more commands, because the server stops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stopped;

/// Why the hub did not place a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NotPlaced {
    /// The server stops.
    Stopped,
    /// The sender is not a member any more.
    Left,
}

impl From<Stopped> for NotPlaced {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

impl Hub {
    /// A hub, and the task to run for it. The ring keeps `batches` batches for slow writers.
    pub(crate) fn new(
        batches: usize,
        events: EventSender,
        counters: Arc<Counters>,
        signals: Signals,
    ) -> (Self, impl Future<Output = ()>) {
        let (commands, queue) = mpsc::channel(QUEUE);
        let overflow = Arc::<Overflow>::default();
        let task = Task::new(Ring::new(batches), events, counters, Arc::clone(&overflow), signals.clone(), queue);
        (Self(Arc::new(Handle { commands, overflow, signals })), task.run())
    }

    /// Joins, and waits for the answer.
    pub(crate) async fn join(
        &self,
        identity: &Arc<Identity>,
        join_as: JoinAs,
    ) -> Result<(Joined, Membership), JoinError> {
        // From here on the connection may be a member, even if this future is dropped.
        let mut membership = Membership::new(self.clone(), identity.id);
        match self.ask_to_join(Arc::clone(identity), join_as).await {
            Ok(joined) => Ok((joined, membership)),
            Err(error) => {
                membership.void();
                Err(error)
            }
        }
    }

    async fn ask_to_join(&self, identity: Arc<Identity>, join_as: JoinAs) -> Result<Joined, JoinError> {
        let (reply, answer) = oneshot::channel();
        self.reserve().await.map_err(|Stopped| JoinError::Stopped)?.send(Command::Join { identity, join_as, reply });
        self.check_that_it_runs().map_err(|Stopped| JoinError::Stopped)?;
        answer.await.unwrap_or(Err(JoinError::Stopped))
    }

    /// Hands over a member's messages. Its writer finds each `OK` in the ring. If the future is dropped, nothing is
    /// taken.
    pub(crate) async fn say(&self, conn: ConnId, texts: &mut Vec<Text>) -> Result<(), Stopped> {
        self.reserve().await?.send(Command::Say { conn, texts: mem::take(texts) });
        Ok(())
    }

    /// Hands over a member's message, and waits for its number in the order.
    pub(crate) async fn say_and_wait(&self, conn: ConnId, text: Text) -> Result<u64, NotPlaced> {
        let (receipt, placed) = oneshot::channel();
        self.reserve().await?.send(Command::SayAndTell { conn, text, receipt });
        self.check_that_it_runs()?;
        placed.await.map_err(|_| Stopped)?.ok_or(NotPlaced::Left)
    }

    /// Asks something for one member, once the reply fits into its queue.
    pub(crate) async fn ask(&self, replies: &Arc<ReplyQueue>, request: Request) -> Result<(), Stopped> {
        replies.reserve(request).await;
        self.reserve().await?.send(Command::Ask { request, replies: Arc::clone(replies) });
        Ok(())
    }

    /// Lets a member leave after its last message. Returns the published reason.
    fn leave(&self, conn: ConnId, reason: EndReason) -> EndReason {
        match self.send_now(Command::Leave { conn, reason: reason.clone() }) {
            Ok(()) => reason,
            Err(Stopped) => self.0.overflow.end_reason().unwrap_or_else(|| self.0.signals.end_reason()),
        }
    }

    /// Processes the queued commands and ends. The ring closes after the last batch.
    pub(crate) fn stop(&self) {
        // It fails only if the hub has ended.
        let _ = self.send_now(Command::Stop);
    }

    /// Sends a command without waiting for space in the queue.
    fn send_now(&self, command: Command) -> Result<(), Stopped> {
        match self.0.commands.try_send(command) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(command)) => self.0.overflow.push(command),
            Err(TrySendError::Closed(_)) => Err(Stopped),
        }
    }

    /// Checks that the hub still runs, after a command was sent. A permit that was reserved before the end can be used
    /// after it: such a command stays in the queue for ever, and its answer never comes.
    fn check_that_it_runs(&self) -> Result<(), Stopped> {
        if self.0.signals.ended.is_cancelled() { Err(Stopped) } else { Ok(()) }
    }

    /// Waits for space for one command. Callers make the command afterwards, so that a waiting task holds no copy of
    /// it.
    async fn reserve(&self) -> Result<mpsc::Permit<'_, Command>, Stopped> {
        match self.0.commands.try_reserve() {
            Ok(permit) => Ok(permit),
            // Boxed, because it is rare and would make every task larger.
            Err(_) => Box::pin(self.0.commands.reserve()).await.map_err(|_| Stopped),
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
