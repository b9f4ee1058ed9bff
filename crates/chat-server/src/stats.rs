//! Statistics of the server. Counting is cheap enough to be always on.

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use chat_room::ConnId;

use crate::reason::{EndReason, Ending};

/// Writers count in this many shards, so that they do not contend for one cache line.
const SHARDS: usize = 16;

/// Statistics, from [`ChatServer::stats`](crate::ChatServer::stats). All but the first three count from the start of
/// the server.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, Ending};
///
/// let server = ChatServer::builder().build();
/// server.local("ann").await?.leave();
/// let eve = server.local("eve").await?;
/// server.kick(eve.member().id(), "flooding").await;
///
/// let stats = server.stats();
/// assert_eq!((stats.ended_as(Ending::Left), stats.ended_as(Ending::Cut)), (1, 1));
/// assert!(stats.to_string().ends_with("left=1 refused=0 cut=1 (said BYE: 1, kicked: 1)"));
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Connections that were accepted and have not ended, logged in or not.
    pub connections: usize,
    /// Members of the room, local clients included.
    pub clients: usize,
    /// Tasks that the server runs for its connections.
    pub tasks: usize,
    /// Messages that were acknowledged with `OK` (clause 5.1).
    pub messages: u64,
    /// Messages that were written to other members: one for each message and receiver. Local clients are not counted.
    pub deliveries: u64,
    /// How many connections and local clients ended for each reason, in the order in which the reasons first occurred.
    /// A member is counted when it leaves, under the reason in its [`Event::Left`](crate::Event::Left), without its
    /// text.
    pub ended: Vec<(EndReason, u64)>,
}

impl Stats {
    /// How many ended for this reason, whatever text a [`Kicked`](EndReason::Kicked) or [`Cut`](EndReason::Cut) has.
    pub fn ended_by(&self, reason: &EndReason) -> u64 {
        let reason = reason.without_text();
        self.sum(|other| *other == reason)
    }

    /// How many ended for a reason of this kind.
    pub fn ended_as(&self, ending: Ending) -> u64 {
        self.sum(|reason| reason.ending() == ending)
    }

    fn sum(&self, counts: impl Fn(&EndReason) -> bool) -> u64 {
        self.ended.iter().filter(|(reason, _)| counts(reason)).map(|(_, times)| times).sum()
    }
}

/// One line: `connections=3 clients=3 tasks=6 messages=10 deliveries=20 left=1 refused=0 cut=0 (said BYE: 1)`.
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, clients, tasks, messages, deliveries, .. } = self;
        write!(f, "connections={connections} clients={clients} tasks={tasks} ")?;
        write!(f, "messages={messages} deliveries={deliveries} ")?;
        let [left, refused, cut] = [Ending::Left, Ending::Refused, Ending::Cut].map(|ending| self.ended_as(ending));
        write!(f, "left={left} refused={refused} cut={cut}")?;
        for (index, (reason, times)) in self.ended.iter().enumerate() {
            write!(f, "{}{reason}: {times}", if index == 0 { " (" } else { ", " })?;
        }
        if self.ended.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    connections: AtomicUsize,
    clients: AtomicUsize,
    roster_bytes: AtomicUsize,
    hub_failed: AtomicBool,
    messages: AtomicU64,
    deliveries: [Shard; SHARDS],
    ended: Mutex<Vec<(EndReason, u64)>>,
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Shard(AtomicU64);

impl Counters {
    /// Sets the figures that the hub knows, after each batch.
    pub(crate) fn set_room(&self, clients: usize, roster_bytes: usize, messages: u64) {
        self.clients.store(clients, Ordering::Relaxed);
        self.roster_bytes.store(roster_bytes, Ordering::Relaxed);
        self.messages.store(messages, Ordering::Relaxed);
    }

    /// The approximate length of `LIST CLIENTS` in bytes.
    pub(crate) fn roster_bytes(&self) -> usize {
        self.roster_bytes.load(Ordering::Relaxed)
    }

    /// Notes that the hub ended although nobody stopped the server.
    pub(crate) fn hub_failed(&self) {
        self.hub_failed.store(true, Ordering::Release);
    }

    pub(crate) fn has_hub_failed(&self) -> bool {
        self.hub_failed.load(Ordering::Acquire)
    }

    /// Counts messages of other members that were written to this connection.
    pub(crate) fn delivered(&self, conn: ConnId, messages: usize) {
        let Shard(shard) = &self.deliveries[usize::try_from(conn.number() % SHARDS as u64).unwrap_or_default()];
        shard.fetch_add(messages as u64, Ordering::Relaxed);
    }

    /// Counts a member that left, or a connection that ended before it was a member.
    pub(crate) fn ended(&self, reason: &EndReason) {
        let reason = reason.without_text();
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        match ended.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, times)) => *times += 1,
            None => ended.push((reason, 1)),
        }
    }

    /// Counts a connection that was accepted.
    pub(crate) fn accepted(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the end of a connection that was accepted.
    pub(crate) fn closed(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// The number of connections that were accepted and have not ended.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn stats(&self, tasks: usize) -> Stats {
        Stats {
            connections: self.connections(),
            clients: self.clients.load(Ordering::Relaxed),
            tasks,
            messages: self.messages.load(Ordering::Relaxed),
            deliveries: self.deliveries.iter().map(|Shard(shard)| shard.load(Ordering::Relaxed)).sum(),
            ended: self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_one_line() {
        let counters = Counters::default();
        assert_eq!(
            counters.stats(0).to_string(),
            "connections=0 clients=0 tasks=0 messages=0 deliveries=0 left=0 refused=0 cut=0"
        );
        counters.set_room(2, 8, 7);
        (0..3).for_each(|_| counters.accepted());
        (0..20).for_each(|conn| counters.delivered(ConnId::new(conn), 2));
        for reason in [EndReason::Lagged, EndReason::Bye, EndReason::PlainRefused, EndReason::Bye] {
            counters.ended(&reason);
        }
        let stats = counters.stats(5);
        assert_eq!(
            stats.to_string(),
            "connections=3 clients=2 tasks=5 messages=7 deliveries=40 left=2 refused=1 cut=1 \
             (lagged behind: 1, said BYE: 2, plain sessions are refused: 1)"
        );
        assert_eq!((stats.ended_by(&EndReason::Bye), stats.ended_by(&EndReason::Closed)), (2, 0));
    }
}
