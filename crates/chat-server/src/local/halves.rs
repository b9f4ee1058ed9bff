//! The two halves of a local client: the sender, and the events that it receives.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use chat_proto::Text;
use futures::Stream;

use super::{LocalClient, LocalError};
use crate::{
    event::{Event, Events},
    hub::{Joined, Membership},
    member::Member,
    policy::{Ended, Message, Outcome},
    reason::EndReason,
    shared::Shared,
};

/// What both halves share. When dropped, the client leaves.
struct Inner {
    shared: Arc<Shared>,
    member: Member,
    state: Mutex<State>,
}

struct State {
    membership: Membership,
    /// Why the client cannot send any more.
    ended: Option<LocalError>,
}

pub(super) fn new_client(shared: Arc<Shared>, joined: Joined, membership: Membership, events: Events) -> LocalClient {
    let Joined { member, seq, .. } = joined;
    let inner = Arc::new(Inner { shared, member, state: Mutex::new(State { membership, ended: None }) });
    let sender = LocalSender(Arc::clone(&inner));
    LocalClient::new(sender, LocalEvents { inner, events, joined: seq, end: None, is_over: false })
}

impl Inner {
    fn leave(&self, reason: EndReason, error: LocalError) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.ended.is_some() {
            return;
        }
        state.ended = Some(error);
        let left = state.membership.leave(self.member.0.end(reason));
        drop(state);
        self.tell_policy(left);
    }

    /// Notes that the hub has removed the client from the room.
    fn has_left(&self, reason: EndReason, error: LocalError) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.ended.is_none() {
            state.ended = Some(error);
            drop(state);
            self.tell_policy(reason);
        }
    }

    fn tell_policy(&self, reason: EndReason) {
        let Self { member, shared, .. } = self;
        let (peer, name) = (member.peer().clone(), Some(member.name()));
        shared.policy.ended(&Ended { id: member.id(), peer, name, reason });
    }

    fn end(&self) -> Option<LocalError> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).ended.clone()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.leave(EndReason::Closed, LocalError::Left);
    }
}

/// The sending half of a [`LocalClient`], from [`LocalClient::split`]. Clones send as the same client.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, LocalError};
///
/// let server = ChatServer::builder().build();
/// let (sender, _events) = server.local("clock").await?.split();
/// let ticking = tokio::spawn({
///     let sender = sender.clone();
///     async move { sender.send("tick").await }
/// });
/// assert!(ticking.await?.is_ok());
/// sender.leave();
/// assert_eq!(sender.send("tock").await, Err(LocalError::Left));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct LocalSender(Arc<Inner>);

/// The acknowledgement of a local client's message (clause 5.1), from [`LocalSender::send`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::ChatServer;
///
/// let server = ChatServer::builder().build();
/// let ann = server.local("ann").await?; // number 1: the join
/// assert_eq!(ann.send("hello").await?.seq(), Some(2));
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LocalReceipt {
    seq: Option<u64>,
}

impl LocalReceipt {
    /// The message's number in the order. `None`: the policy [swallowed](crate::Verdict::Swallow) the message.
    pub fn seq(&self) -> Option<u64> {
        self.seq
    }
}

impl LocalSender {
    /// This client as a member of the room.
    pub fn member(&self) -> &Member {
        &self.0.member
    }

    /// The members of the room, including this client: see [`ChatServer::clients`](crate::ChatServer::clients).
    pub async fn clients(&self) -> Vec<Member> {
        self.0.shared.hub.members().await.unwrap_or_default()
    }

    /// Sends a message, and waits until it is acknowledged, as `OK` does for other clients (clause 5.1). If the policy
    /// defers its decision, this waits for it.
    ///
    /// If the future is dropped, the message may or may not be delivered. Messages that are sent at the same time have
    /// no particular order.
    ///
    /// # Errors
    ///
    /// The text is not valid, the policy refuses it or panics, the server has stopped, or this client has left or was
    /// cut. The message is not delivered.
    pub async fn send(&self, text: impl AsRef<str>) -> Result<LocalReceipt, LocalError> {
        let Inner { shared, member, .. } = &*self.0;
        if let Some(end) = self.0.end() {
            return Err(end);
        }
        let text = Text::new(text.as_ref())?;
        let seq = match shared.policy.decide(Message::new(member, text)).await? {
            Outcome::Deliver(text) => Some(shared.hub.say_and_wait(member.id(), text).await?),
            Outcome::Swallow => None,
            Outcome::Refuse => return Err(LocalError::Refused),
        };
        Ok(LocalReceipt { seq })
    }

    /// Leaves, after its last message. The reason is [`EndReason::Bye`]. A second call has no effect.
    pub fn leave(&self) {
        self.0.leave(EndReason::Bye, LocalError::Left);
    }
}

impl fmt::Debug for LocalSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalSender").field(&self.0.member).finish()
    }
}

/// The receiving half of a [`LocalClient`], from [`LocalClient::split`]. It is a [`Stream`] too, which ends after the
/// first error.
///
/// At least 1,024 batches of events are kept for it. If it is slower, the client is cut: [`LocalError::Lagged`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, Event, LocalError};
/// use futures::TryStreamExt;
///
/// let server = ChatServer::builder().build();
/// let (_sender, mut events) = server.local("bot").await?.split();
/// server.local("ann").await?.send("hello").await?;
/// server.shutdown().await;
///
/// let mut texts = Vec::new();
/// let end = loop {
///     match events.try_next().await {
///         Ok(Some(Event::Message { text, .. })) => texts.push(text.to_string()),
///         Ok(_) => {}
///         Err(end) => break end,
///     }
/// };
/// assert_eq!((texts, end), (vec!["hello".to_owned()], LocalError::Stopped));
/// # Ok(()) }
/// ```
pub struct LocalEvents {
    inner: Arc<Inner>,
    events: Events,
    /// The number of the client's own `JOIN`. It does not receive earlier events.
    joined: u64,
    /// Why there are no more events.
    end: Option<LocalError>,
    /// Whether the stream has yielded the end.
    is_over: bool,
}

impl LocalEvents {
    /// This client as a member of the room.
    pub fn member(&self) -> &Member {
        &self.inner.member
    }

    /// Receives the next event after the client's own join, except its own messages. The last event is its own leave. Only
    /// when the server stops, the leaves of other members may follow. Dropping the future loses no event.
    ///
    /// # Errors
    ///
    /// [`LocalError::Lagged`], [`LocalError::Left`] or [`LocalError::Stopped`]: there are no more events.
    pub async fn recv(&mut self) -> Result<Event, LocalError> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, LocalError>> {
        loop {
            if let Some(end) = &self.end {
                return Poll::Ready(Err(end.clone()));
            }
            match ready!(Pin::new(&mut self.events).poll_next(cx)) {
                Some(Ok(event)) if event.seq() <= self.joined => {}
                Some(Ok(Event::Message { from, .. })) if from == self.inner.member => {}
                Some(Ok(event)) => {
                    self.note_own_leave(&event);
                    return Poll::Ready(Ok(event));
                }
                Some(Err(_)) => {
                    self.inner.leave(EndReason::Lagged, LocalError::Lagged);
                    self.end = Some(LocalError::Lagged);
                }
                None => self.end = Some(LocalError::Stopped),
            }
        }
    }

    fn note_own_leave(&mut self, event: &Event) {
        match event {
            Event::Left { member, reason, .. } if *member == self.inner.member => {
                let end = if reason.is_stop() { LocalError::Stopped } else { LocalError::Left };
                self.inner.has_left(reason.clone(), end.clone());
                // At a stop, the leaves of other members follow.
                self.end = Some(end).filter(|end| *end != LocalError::Stopped);
            }
            _ => {}
        }
    }
}

impl Stream for LocalEvents {
    type Item = Result<Event, LocalError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let event = ready!(self.poll_recv(cx));
        self.is_over = event.is_err();
        Poll::Ready(Some(event))
    }
}

impl fmt::Debug for LocalEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalEvents").field(&self.inner.member).finish()
    }
}
