//! What happens in the room, as a typed stream.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use chat_proto::{Name, ParseError, ServerMessage, Text};
use futures::Stream;
use tokio::sync::mpsc;

use crate::Closed;

/// Something that happened, in the one order that all clients see (clause 5.2).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Somebody came.
    Joined(Name),
    /// Somebody left.
    Left(Name),
    /// Somebody else said something.
    Message {
        /// Who.
        from: Name,
        /// What. It may hold characters that act on a terminal's layout: see [`escape`](crate::escape).
        text: Text,
    },
    /// A message of this client was accepted, and stands here in the order (clause 5.2).
    Accepted(Text),
    /// A message of this client was refused, and reached nobody.
    Refused(Text),
    /// Who is here, as asked for by [`ChatClient::clients`](crate::ChatClient::clients). It is exact at this place: a
    /// reader that applies what follows keeps an exact roster (clause 5.4).
    Roster(Vec<Name>),
    /// A line with a verb that this client does not know, as it came (clause 7.1). Escape it before you show it.
    Other(String),
    /// A line that does not parse (clause 7.1).
    BadLine(ParseError),
    /// A reply that nobody waits for, such as a stray `OK` (clause 7.2).
    Unexpected(ServerMessage),
    /// So many events did not fit into the stream, and were left out here: see [`Events`].
    Missed(u64),
    /// The session is over. Nothing follows.
    Closed(Closed),
}

/// The stream of a session's events. It ends after [`Event::Closed`].
///
/// It holds [`MAX_EVENTS`](crate::MAX_EVENTS) that were not read yet. When it is full, then
///
/// * as long as no request waits for its answer, the session stops reading from the server, and nothing is lost; a stream
///   that stays unread for long costs the connection, as any slow client's (clause 6.5);
/// * while a request waits, the session reads on, so that [`ChatClient::send`](crate::ChatClient::send) never
///   hangs on an unread stream; events that do not fit are counted, and [`Event::Missed`] stands in their place.
///
/// A program that does not care drops it: the session goes on, and is never slowed. When all
/// [`ChatClient`](crate::ChatClient)s are dropped too, the session says `BYE` by itself.
#[derive(Debug)]
pub struct Events {
    events: mpsc::Receiver<Event>,
}

impl Events {
    pub(crate) fn new(events: mpsc::Receiver<Event>) -> Self {
        Self { events }
    }

    /// The next event; `None` after [`Event::Closed`]. It may be dropped unfinished without losing one.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// An event that is there already.
    pub(crate) fn ready(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.events.poll_recv(cx)
    }
}
