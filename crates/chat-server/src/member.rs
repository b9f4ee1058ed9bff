//! The identity of a connection, which its task, the hub, events and handles share. It also carries the order to end.

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::{Context, Poll},
};

use chat_proto::Name;
use chat_room::ConnId;
use futures::task::AtomicWaker;

use crate::{peer::Peer, reason::EndReason};

/// A member of the room: a client that has joined, or a [`LocalClient`](crate::LocalClient). Clones share one
/// allocation.
///
/// It stays valid after the member has left.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, LocalLogin};
///
/// let server = ChatServer::builder().build();
/// let _bot = server.local(LocalLogin::new("Bot").data("a bot of ours")).await?;
/// let member = server.clients().await.remove(0);
/// assert_eq!((member.name().as_str(), member.to_string().as_str()), ("Bot", "Bot"));
/// assert_eq!(member.peer().data::<&str>(), Some(&"a bot of ours"));
/// assert!(server.kick(member.id(), "no bots").await);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Member(pub(crate) Arc<Identity>);

impl Member {
    /// The number of its connection, which is never used twice.
    pub fn id(&self) -> ConnId {
        self.0.id
    }

    /// Its name. For a plain session, this is a guest's name.
    pub fn name(&self) -> Name {
        *self.0.name.get().expect("a member has a name")
    }

    /// Its peer.
    pub fn peer(&self) -> &Peer {
        &self.0.peer
    }
}

/// Its name.
impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

/// Two members are equal if their connections are the same.
impl PartialEq for Member {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Member {}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("id", &self.id()).field("name", &self.name()).finish_non_exhaustive()
    }
}

/// What is known of a connection, from its accept on.
pub(crate) struct Identity {
    pub(crate) id: ConnId,
    pub(crate) peer: Peer,
    /// Set when it joins.
    name: OnceLock<Name>,
    /// The reason for which it was ordered to end, if it was.
    order: Mutex<Option<EndReason>>,
    /// The connection's task, while it waits.
    task: AtomicWaker,
}

impl Identity {
    pub(crate) fn new(id: ConnId, peer: Peer) -> Self {
        Self { id, peer, name: OnceLock::new(), order: Mutex::new(None), task: AtomicWaker::new() }
    }

    /// Its name, if it has joined.
    pub(crate) fn name(&self) -> Option<Name> {
        self.name.get().copied()
    }

    /// Makes it a member under this name.
    pub(crate) fn joined(self: &Arc<Self>, name: Name) -> Member {
        self.name.get_or_init(|| name);
        Member(Arc::clone(self))
    }

    /// Orders the connection's task to end. The first order counts, unless a later one is a cut. Returns the reason that
    /// counts.
    pub(crate) fn end(&self, reason: EndReason) -> EndReason {
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        match &*order {
            Some(earlier) if earlier.is_cut() || !reason.is_cut() => earlier.clone(),
            _ => {
                *order = Some(reason.clone());
                drop(order);
                self.task.wake();
                reason
            }
        }
    }

    /// The order to end, if there is one.
    pub(crate) fn order(&self) -> Option<EndReason> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for an order to end. Only one task may wait.
    pub(crate) async fn ordered(&self) -> EndReason {
        self.order_that(|_| true).await
    }

    /// Waits for an order to end at once. Only one task may wait.
    pub(crate) async fn cut(&self) -> EndReason {
        self.order_that(EndReason::is_cut).await
    }

    async fn order_that(&self, counts: fn(&EndReason) -> bool) -> EndReason {
        poll_fn(|cx| self.poll_order(counts, cx)).await
    }

    fn poll_order(&self, counts: fn(&EndReason) -> bool, cx: &mut Context<'_>) -> Poll<EndReason> {
        self.task.register(cx.waker());
        self.order().filter(counts).map_or(Poll::Pending, Poll::Ready)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("id", &self.id).field("name", &self.name()).finish_non_exhaustive()
    }
}
