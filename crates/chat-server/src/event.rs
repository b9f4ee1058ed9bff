//! Events of the room, for the embedding program.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use chat_proto::{ServerMessage, Text};
use futures::Stream;
use tokio::sync::broadcast::{self, Receiver, error::RecvError};
use tokio_util::sync::ReusableBoxFuture;

use crate::{member::Member, reason::EndReason};

/// The number of event batches that are kept for a slow subscriber.
const KEPT_BATCHES: usize = 1_024;

/// An event in the room's total order.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, Event};
///
/// let server = ChatServer::builder().build();
/// let mut events = server.events();
/// let ann = server.local("ann").await?;
/// ann.send("hello").await?;
/// ann.leave();
///
/// for expected in ["1 ann joined", "2 ann: hello", "3 ann left: said BYE"] {
///     let event = events.recv().await.expect("the server runs")?;
///     let seq = event.seq();
///     let line = match event {
///         Event::Joined { member, .. } => format!("{seq} {member} joined"),
///         Event::Message { from, text, .. } => format!("{seq} {from}: {text}"),
///         Event::Left { member, reason, .. } => format!("{seq} {member} left: {reason}"),
///         _ => continue, // a notice, or what later versions add
///     };
///     assert_eq!(line, expected);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A client joined.
    #[non_exhaustive]
    Joined {
        /// The number in the order: 1 for the first event of the server, and one more for each.
        seq: u64,
        /// The new member.
        member: Member,
    },
    /// A client sent a message, which was acknowledged with `OK`.
    #[non_exhaustive]
    Message {
        /// The number in the order.
        seq: u64,
        /// The sender.
        from: Member,
        /// The text that other clients get, after the [`Policy`](crate::Policy).
        text: Text,
    },
    /// A client left; its name is free.
    #[non_exhaustive]
    Left {
        /// The number in the order. A leave because the server stops has one too.
        seq: u64,
        /// The member that left.
        member: Member,
        /// The reason. [`Stats::ended`](crate::Stats::ended) counts the leave under the same reason.
        reason: EndReason,
    },
    /// The embedding program sent a notice to all members: [`ChatServer::notice`](crate::ChatServer::notice).
    #[non_exhaustive]
    Notice {
        /// The number in the order.
        seq: u64,
        /// The text of the notice.
        text: Text,
    },
}

impl Event {
    /// The number in the order.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Joined { seq, .. }
            | Self::Message { seq, .. }
            | Self::Left { seq, .. }
            | Self::Notice { seq, .. } => *seq,
        }
    }

    /// The member that joined, spoke or left. `None` for a notice.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use chat_server::ChatServer;
    ///
    /// let server = ChatServer::builder().build();
    /// let mut events = server.events();
    /// let ann = server.local("ann").await?;
    /// server.notice("back at noon".parse()?).await;
    /// let [joined, notice] = [events.recv().await, events.recv().await].map(|event| event.expect("the server runs"));
    /// assert_eq!((joined?.member(), notice?.member()), (Some(ann.member()), None));
    /// # Ok(()) }
    /// ```
    pub fn member(&self) -> Option<&Member> {
        match self {
            Self::Joined { member, .. } | Self::Left { member, .. } | Self::Message { from: member, .. } => {
                Some(member)
            }
            Self::Notice { .. } => None,
        }
    }
}

type Batch = Arc<[Event]>;

/// What the hub and the subscriptions share. The channel exists only while there are subscriptions.
#[derive(Debug, Default)]
struct Channel {
    state: Mutex<State>,
    /// Whether there may be subscriptions: written with the mutex locked, read without.
    is_open: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    batches: Option<broadcast::Sender<Batch>>,
    /// The number of the last event, as of the last call of `publish`.
    seq: u64,
    /// Whether the hub has ended.
    ended: bool,
}

impl Channel {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hub's side. It stores no events while there is no subscriber. Dropping it ends all subscriptions.
#[derive(Debug, Default)]
pub(crate) struct EventSender {
    channel: Arc<Channel>,
    draft: Vec<Event>,
}

impl EventSender {
    pub(crate) fn source(&self) -> EventSource {
        EventSource(Arc::clone(&self.channel))
    }

    pub(crate) fn has_subscribers(&self) -> bool {
        self.channel.is_open.load(Ordering::Acquire)
    }

    pub(crate) fn push(&mut self, event: impl FnOnce() -> Event) {
        if self.has_subscribers() {
            self.draft.push(event());
        }
    }

    pub(crate) fn push_message(&mut self, seq: u64, from: &Member, message: ServerMessage) {
        if let ServerMessage::From { text, .. } = message {
            self.draft.push(Event::Message { seq, from: from.clone(), text });
        }
    }

    /// Publishes the events up to the number `seq`.
    pub(crate) fn publish(&mut self, seq: u64) {
        let mut state = self.channel.state();
        state.seq = seq;
        let Some(batches) = &state.batches else { return };
        if !self.draft.is_empty() {
            // It fails only if the last subscriber is gone.
            let _ = batches.send(std::mem::take(&mut self.draft).into());
        }
        if batches.receiver_count() == 0 {
            state.batches = None;
            self.channel.is_open.store(false, Ordering::Release);
        }
    }
}

impl Drop for EventSender {
    fn drop(&mut self) {
        let mut state = self.channel.state();
        (state.ended, state.batches) = (true, None);
    }
}

/// Makes subscriptions. After the end of the hub, they are closed.
#[derive(Clone, Debug)]
pub(crate) struct EventSource(Arc<Channel>);

impl EventSource {
    pub(crate) fn subscribe(&self) -> Events {
        let mut state = self.0.state();
        let batches = if state.ended {
            broadcast::Sender::new(1).subscribe() // Closed.
        } else {
            self.0.is_open.store(true, Ordering::Release);
            state.batches.get_or_insert_with(|| broadcast::Sender::new(KEPT_BATCHES)).subscribe()
        };
        Events {
            receiving: ReusableBoxFuture::new(receive(batches)),
            current: Arc::new([]),
            next: 0,
            seq: state.seq,
            lost: false,
            ended: false,
        }
    }
}

/// A subscription to the server's [`Event`]s, from [`ChatServer::events`](crate::ChatServer::events) or
/// [`ChatServer::watch`](crate::ChatServer::watch). It is a [`Stream`] too.
///
/// At least 1,024 batches of events are kept for a subscriber. If it is slower, it gets [`EventsLost`] once for each gap.
/// A subscription does not keep the server alive: it ends when the server has stopped, or when the last handle,
/// connection and local client are gone.
///
/// ```
/// use chat_server::{ChatServer, Event};
/// use futures::StreamExt;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), chat_server::LocalError> {
/// let server = ChatServer::builder().build();
/// let mut events = server.events();
/// let bot = server.local("bot").await?;
/// match events.next().await {
///     Some(Ok(Event::Joined { seq: 1, member, .. })) => assert_eq!(member, *bot.member()),
///     other => panic!("{other:?}"),
/// }
/// # Ok(()) }
/// ```
pub struct Events {
    receiving: ReusableBoxFuture<'static, (Result<Batch, RecvError>, Receiver<Batch>)>,
    current: Batch,
    next: usize,
    /// The number of the last event that was received; at first, of the last one before the subscription.
    seq: u64,
    /// Whether batches were lost before the next one.
    lost: bool,
    ended: bool,
}

/// The subscriber was too slow and missed events. The next event comes after the gap.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::ChatServer;
///
/// let server = ChatServer::builder().build();
/// let mut events = server.events();
/// for number in 0..2_000 {
///     server.notice(format!("number {number}").parse()?).await;
/// }
/// server.shutdown().await;
///
/// let (mut received, mut lost) = (0, 0);
/// while let Some(event) = events.recv().await {
///     match event {
///         Ok(_) => received += 1,
///         Err(gap) => lost += gap.count,
///     }
/// }
/// assert_eq!(received + lost, 2_000);
/// assert!(lost > 0);
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{count} events were lost, because the subscriber was too slow")]
#[non_exhaustive]
pub struct EventsLost {
    /// The number of lost events.
    pub count: u64,
}

async fn receive(mut batches: Receiver<Batch>) -> (Result<Batch, RecvError>, Receiver<Batch>) {
    (batches.recv().await, batches)
}

impl Events {
    /// Receives the next event. `None`: the server has stopped, and all events were received. Nothing is lost if the
    /// future is dropped.
    pub async fn recv(&mut self) -> Option<Result<Event, EventsLost>> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Event, EventsLost>>> {
        loop {
            if let Some(event) = self.current.get(self.next) {
                let missed = event.seq() - self.seq - 1;
                if std::mem::take(&mut self.lost) {
                    self.seq += missed;
                    return Poll::Ready(Some(Err(EventsLost { count: missed })));
                }
                self.next += 1;
                self.seq = event.seq();
                return Poll::Ready(Some(Ok(event.clone())));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            let (received, batches) = ready!(self.receiving.poll(cx));
            self.receiving.set(receive(batches));
            match received {
                Ok(batch) => (self.current, self.next) = (batch, 0),
                Err(RecvError::Lagged(_)) => self.lost = true,
                Err(RecvError::Closed) => self.ended = true,
            }
        }
    }
}

impl Stream for Events {
    type Item = Result<Event, EventsLost>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(cx)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("seq", &self.seq).finish_non_exhaustive()
    }
}
