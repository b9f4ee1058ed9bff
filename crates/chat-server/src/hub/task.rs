//! The hub's task: takes the queued commands, lets the room place them, and publishes each batch.

use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::Poll,
};

use chat_proto::Text;
use chat_room::{ConnId, Farewell, JoinAs, Reply, Room};
use futures::FutureExt;
use tokio::{
    sync::{mpsc, oneshot},
    task::yield_now,
};
use tracing::error;

use super::{
    QUEUE, Signals,
    command::{Command, JoinError, Joined},
    control::Notice,
    overflow::Overflow,
    reply_queue::ReplyQueue,
    ring::Ring,
};
use crate::{
    event::{Event, EventSender},
    member::{Identity, Member},
    reason::EndReason,
    stats::Counters,
};

/// Yields once more after the runtime has polled its sockets, to the tasks that it has woken by that.
async fn yield_to_woken() {
    let mut waited = false;
    poll_fn(|cx| {
        if mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        // A task that wakes itself goes to the end of the run queue.
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Yield to writers after this many batches, so that one burst cannot make them lag.
const MAX_BATCHES_PER_TURN: usize = 16;

pub(super) struct Task {
    room: Room,
    members: HashMap<ConnId, Member>,
    ring: Ring,
    events: EventSender,
    counters: Arc<Counters>,
    overflow: Arc<Overflow>,
    messages: u64,
    /// Taken from the queue, for the next turn.
    taken: Vec<Command>,
    /// The rest of this turn. If the task is dropped, [`Task::end`] handles it.
    turn: VecDeque<Command>,
    /// Whether the hub was told to stop.
    is_stopped: bool,
    /// Batches published in this turn.
    published: usize,
    /// Drop order matters. This field comes after the ring and the events: whoever is told of the end finds them closed.
    signals: EndSignal,
    /// Drop order matters. This field comes after the signals: a command that is sent too late to be dropped with the
    /// queue finds them set.
    queue: mpsc::Receiver<Command>,
}

/// Signals the end of the hub when dropped.
#[derive(Debug)]
struct EndSignal(Signals);

impl Drop for EndSignal {
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
        overflow: Arc<Overflow>,
        signals: Signals,
        queue: mpsc::Receiver<Command>,
    ) -> Self {
        let (room, signals) = (Room::default(), EndSignal(signals));
        Self {
            room,
            members: HashMap::new(),
            ring,
            events,
            counters,
            overflow,
            messages: 0,
            taken: Vec::new(),
            turn: VecDeque::new(),
            is_stopped: false,
            published: 0,
            signals,
            queue,
        }
    }

    /// Runs until the queue is closed and empty. Dropping the task ends the hub: all members leave, and the ring
    /// closes.
    pub(super) async fn run(mut self) {
        // All queued commands become one batch: one line when the room is quiet, hundreds under load.
        while self.next().await {
            // Let readers that are ready run first, so that their messages join the same batch.
            yield_now().await;
            yield_to_woken().await;
            let rest = QUEUE.saturating_sub(self.taken.len());
            self.queue.recv_many(&mut self.taken, rest).now_or_never();
            self.take_overflow().await;
            self.turn.extend(self.taken.drain(..));
            self.published = 0;
            while let Some(command) = self.turn.pop_front() {
                self.handle(command);
                self.publish_if_full();
                if self.published >= MAX_BATCHES_PER_TURN {
                    self.published = 0;
                    yield_now().await;
                }
            }
            self.publish();
            if self.members.is_empty() {
                // An empty room holds no memory for a turn or for members.
                (self.taken, self.turn, self.members) = (Vec::new(), VecDeque::new(), HashMap::new());
            }
        }
    }

    /// Waits for commands. `false`: no more will come.
    async fn next(&mut self) -> bool {
        let Self { queue, overflow, taken, .. } = self;
        poll_fn(|cx| match queue.poll_recv_many(cx, taken, QUEUE) {
            Poll::Ready(count) => Poll::Ready(count > 0),
            // A reserved permit that is never used must not delay the end.
            Poll::Pending if queue.is_closed() && queue.is_empty() => Poll::Ready(false),
            Poll::Pending if overflow.register(cx.waker()) => Poll::Ready(true),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Takes the commands that did not fit into the queue. They stand behind everything that was in the queue at that
    /// time, so that a member leaves after its last message.
    async fn take_overflow(&mut self) {
        let overflow = self.overflow.take();
        if overflow.is_empty() {
            return; // The usual case.
        }
        let mut before = self.queue.len();
        while before > 0 {
            match self.queue.recv_many(&mut self.taken, before).await {
                0 => break,
                taken => before -= taken,
            }
        }
        self.taken.extend(overflow);
    }

    /// Lets all members leave, each with a number of its own. On the wire that is `BYE` and no line of the ring (clause
    /// 6.3).
    fn end(&mut self) {
        let reason = self.overflow.decide_end_reason(self.signals.0.end_reason());
        // After a panic or the end of the runtime there may be commands: members that have left did so for their own reasons.
        self.queue.close();
        self.turn.extend(self.taken.drain(..));
        while let Some(command) = self.turn.pop_front() {
            self.handle(command);
        }
        while let Ok(command) = self.queue.try_recv() {
            self.handle(command);
        }
        for command in self.overflow.end() {
            self.handle(command);
        }
        self.publish();
        while let Some((conn, seq)) = self.room.leave_at_the_end() {
            self.count_leave(seq, conn, reason.clone());
        }
        self.events.publish(self.room.seq());
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Join { identity, join_as, reply } => self.join(&identity, join_as, reply),
            Command::Say { conn, texts } => {
                for text in texts {
                    self.say(conn, text);
                    self.publish_if_full();
                }
            }
            Command::SayAndTell { conn, text, receipt } => {
                // It fails only if nobody waits for the receipt.
                let _ = receipt.send(self.say(conn, text));
            }
            Command::Ask { request, replies } => replies.push(self.room.reply(request)),
            Command::Leave { conn, reason } => self.leave(conn, reason),
            Command::Stop => {
                // Decide the reason before anyone can see that the queue is closed.
                self.overflow.decide_end_reason(self.signals.0.end_reason());
                self.is_stopped = true;
                self.queue.close();
            }
            Command::Visit(visit) => visit(self),
        }
    }

    fn join(&mut self, identity: &Arc<Identity>, join_as: JoinAs, reply: oneshot::Sender<Result<Joined, JoinError>>) {
        if reply.is_closed() {
            return;
        }
        let conn = identity.id;
        let Ok((name, seq)) = self.room.join(conn, join_as) else {
            let _ = reply.send(Err(JoinError::NameTaken));
            return;
        };
        let member = identity.joined(name);
        self.members.insert(conn, member.clone());
        self.events.push(|| Event::Joined { seq, member: member.clone() });
        let position = self.room.position();
        let replies = Arc::new(ReplyQueue::new(position));
        // Subscribe before the batch with the JOIN is published: no batch is missed.
        let ring = self.ring.subscribe(conn, Arc::clone(&replies));
        // If nobody waits any more, the dropped `Membership` leaves.
        let _ = reply.send(Ok(Joined { member, seq, batch: position.batch, ring, replies }));
    }

    /// `None` if the connection is not a member.
    fn say(&mut self, conn: ConnId, text: Text) -> Option<u64> {
        let (message, seq) = self.room.say(conn, text)?;
        self.messages += 1;
        if self.events.has_subscribers()
            && let Some(from) = self.members.get(&conn)
        {
            self.events.push_message(seq, from, message);
        }
        Some(seq)
    }

    /// Tells all members something.
    pub(super) fn notice(&mut self, text: Text) -> u64 {
        let seq = self.room.notice(text.clone());
        self.events.push(|| Event::Notice { seq, text });
        seq
    }

    /// Tells one member something, at the present position.
    pub(super) fn notice_to(&mut self, conn: ConnId, text: Text) -> Notice {
        if self.members.get(&conn).is_none_or(|member| member.peer().is_local()) {
            return Notice::NoMember;
        }
        let Some(replies) = self.ring.replies(conn) else { return Notice::NoMember };
        if !replies.try_reserve_notice() {
            return Notice::Full(Arc::clone(replies));
        }
        replies.push(Reply::notice(self.room.position(), text));
        Notice::Placed
    }

    /// All members, in the order of their connections.
    pub(super) fn members(&self) -> Vec<Member> {
        let mut members: Vec<_> = self.members.values().cloned().collect();
        members.sort_unstable_by_key(Member::id);
        members
    }

    /// Ends a member's connection. `false` if it is not a member.
    pub(super) fn end_member(&mut self, conn: ConnId, reason: EndReason) -> bool {
        let Some(member) = self.members.get(&conn) else { return false };
        let reason = member.0.end(reason);
        if member.peer().is_local() {
            // It has no task that could leave.
            self.leave(conn, reason);
        }
        true
    }

    fn leave(&mut self, conn: ConnId, reason: EndReason) {
        let farewell = match reason {
            EndReason::Bye | EndReason::Kicked(_) => Farewell::Bye,
            _ => Farewell::Silent,
        };
        if let Some(seq) = self.room.leave(conn, farewell) {
            self.ring.unsubscribe(conn);
            self.count_leave(seq, conn, reason);
        }
    }

    /// Counts why a member left and publishes it, in one place: the event and the numbers agree.
    fn count_leave(&mut self, seq: u64, conn: ConnId, reason: EndReason) {
        self.counters.ended(&reason);
        if let Some(member) = self.members.remove(&conn) {
            self.events.push(|| Event::Left { seq, member, reason });
        }
    }

    fn publish_if_full(&mut self) {
        if self.room.is_full() {
            self.publish();
        }
    }

    pub(super) fn publish(&mut self) {
        if let Some(batch) = self.room.take_batch() {
            // Count first: whoever has seen the batch finds it counted.
            self.counters.set_room(self.room.clients(), self.room.roster_bytes(), self.messages);
            self.ring.publish(batch);
            self.published += 1;
        }
        self.events.publish(self.room.seq());
    }
}

impl Drop for Task {
    /// Runs however the hub ends: a stop, a panic, the end of its runtime, or the loss of the last handle.
    fn drop(&mut self) {
        if std::thread::panicking() {
            error!("the hub panicked: the server stops");
        }
        // A panic may have left the room in an invalid state. A second panic during the first would abort the program.
        if catch_unwind(AssertUnwindSafe(|| self.end())).is_err() {
            error!("the hub panicked while it ended: not all leaves are published");
        }
        self.counters.set_room(0, 0, self.messages);
        if !self.is_stopped {
            self.counters.hub_failed();
        }
    }
}
