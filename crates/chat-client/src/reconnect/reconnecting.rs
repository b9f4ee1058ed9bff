//! One stream over many sessions: what happens in the room, and where there is a gap in it.

use std::time::Duration;

use chat_proto::Text;
use futures::{Stream, stream};
use tokio::time::Instant;

use super::{Dialed, Redial};
use crate::{ChatClient, Closed, Event, Events, OpenError, SendError};

/// A client that comes back when its connection is lost.
///
/// ```no_run
/// use chat_client::{Event, Happening, Reconnecting, Redial};
///
/// # async fn listen() -> Result<(), Box<dyn std::error::Error>> {
/// let mut room = Reconnecting::new(Redial::to("localhost".parse()?).name(Some("log".parse()?)));
/// while let Some(happening) = room.next().await {
///     match happening {
///         Happening::Event(Event::Message { from, text }) => println!("{from}: {text}"),
///         Happening::Connected { gap: Some(gap), .. } => println!("(nothing was heard for {gap:?})"),
///         Happening::Lost { why, .. } => println!("(lost: {why})"),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reconnecting {
    redial: Redial,
    session: Option<(ChatClient, Events)>,
    lost: Option<Instant>,
    over: bool,
}

/// Something that happened to a [`Reconnecting`], or in the room.
#[derive(Debug)]
#[non_exhaustive]
pub enum Happening {
    /// It is in the room.
    Connected {
        /// The handle of this session.
        client: ChatClient,
        /// If it was there before: so long it heard nothing. What was said meanwhile is not told.
        gap: Option<Duration>,
    },
    /// Something in the room.
    Event(Event),
    /// The session is over, and the next one is sought.
    Lost {
        /// Why.
        why: Closed,
        /// Messages that had no answer yet: delivered or not. They are not sent again.
        unknown: u64,
    },
    /// An attempt failed.
    Failed {
        /// Why.
        why: OpenError,
        /// The next attempt is made after so long. `None`: none is made, and nothing follows.
        again: Option<Duration>,
    },
}

impl Reconnecting {
    /// Sessions from `redial`. Nothing is done before [`Reconnecting::next`] is called.
    pub fn new(redial: Redial) -> Self {
        Self { redial, session: None, lost: None, over: false }
    }

    /// The handle of the present session.
    pub fn client(&self) -> Option<&ChatClient> {
        self.session.as_ref().map(|(client, _)| client)
    }

    /// How it dials: to hurry it, or to change the name.
    pub fn redial(&mut self) -> &mut Redial {
        &mut self.redial
    }

    /// Says `text`, in the present session only: where there is none, it is not sent, and [`SendError::Closed`].
    ///
    /// Events go by only while [`Reconnecting::next`] is polled: await this beside it, not in its stead, or use
    /// [`ChatClient::queue`].
    pub async fn send(&self, text: Text) -> Result<(), SendError> {
        self.client().ok_or(SendError::Closed)?.send(text).await
    }

    /// The next happening; `None` after this client has left, or no further attempt is made. It may be dropped unfinished.
    pub async fn next(&mut self) -> Option<Happening> {
        if self.over {
            return None;
        }
        if let Some((client, events)) = &mut self.session {
            let why = match events.next().await {
                Some(Event::Closed(closed)) => closed,
                Some(event) => return Some(Happening::Event(event)),
                None => Closed::Aborted,
            };
            let unknown = client.closed().await.unknown;
            self.session = None;
            // Neither one's own BYE nor a server that wants a name is changed by coming again.
            if matches!(why, Closed::Left | Closed::GuestsRefused) {
                self.over = true;
                return Some(Happening::Event(Event::Closed(why)));
            }
            self.lost = Some(Instant::now());
            return Some(Happening::Lost { why, unknown });
        }
        Some(match self.redial.next().await {
            Dialed::In(client, events) => {
                self.session = Some((client.clone(), events));
                Happening::Connected { client, gap: self.lost.take().map(|lost| lost.elapsed()) }
            }
            // After a lost connection the server may hold the name for its old session a while.
            Dialed::Failed { why, again: None } if why.is_about_the_name() && self.lost.is_some() => {
                let again = Some(self.redial.pause());
                Happening::Failed { why, again }
            }
            Dialed::Failed { why, again } => {
                self.over = again.is_none();
                Happening::Failed { why, again }
            }
        })
    }

    /// Another attempt, after one that was the last.
    pub fn resume(&mut self) {
        self.over = false;
    }

    /// The same, as a `Stream`.
    pub fn into_stream(self) -> impl Stream<Item = Happening> {
        stream::unfold(self, |mut room| async move { room.next().await.map(|happening| (happening, room)) })
    }
}
