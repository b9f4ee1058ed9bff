//! What happens in the chat room, as a typed stream.

mod make;

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use chat_proto::{Name, ParseError, ServerMessage, Text};
use futures::Stream;
use tokio::sync::mpsc;

use crate::CloseReason;

/// Something that happened. All clients see the same order (clause 5.2).
///
/// Variants with named fields may get further ones: match them with `..`. To test a program that handles events, make
/// them with functions such as [`Event::message`].
///
/// ```
/// use chat_client::{Event, escape};
///
/// /// A line for a terminal.
/// fn line(event: &Event) -> Option<String> {
///     Some(match event {
///         Event::Message { from, text, .. } => format!("<{from}> {}", escape(text.as_str())),
///         Event::Notice { text, .. } => format!("* notice: {}", escape(text.as_str())),
///         Event::Joined { name, .. } => format!("* {name} joined"),
///         Event::Closed(reason) => reason.to_string(),
///         _ => return None,
///     })
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// assert_eq!(line(&Event::joined("ann".parse()?)).as_deref(), Some("* ann joined"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A client joined.
    #[non_exhaustive]
    Joined {
        /// Its name.
        name: Name,
    },
    /// A client left.
    #[non_exhaustive]
    Left {
        /// Its name.
        name: Name,
    },
    /// Another client sent a message.
    #[non_exhaustive]
    Message {
        /// The sender.
        from: Name,
        /// The text. It may contain characters that control a terminal: see [`escape`](crate::escape).
        text: Text,
    },
    /// A word of the server's operator, for everybody or for this client (clause 7.8).
    #[non_exhaustive]
    Notice {
        /// The text. It may contain characters that control a terminal: see [`escape`](crate::escape).
        text: Text,
    },
    /// The server accepted a message of this client. Its place in the stream is its place in the order (clause 5.2).
    #[non_exhaustive]
    Accepted {
        /// The text of the message.
        text: Text,
    },
    /// The server refused a message of this client. Nobody got it.
    #[non_exhaustive]
    Refused {
        /// The text of the message.
        text: Text,
    },
    /// The session ended before the answer to a message of this client: it may have been delivered or not (clause 7.6).
    #[non_exhaustive]
    Unknown {
        /// The text of the message.
        text: Text,
    },
    /// The session ended before a message of this client was sent.
    #[non_exhaustive]
    NotSent {
        /// The text of the message.
        text: Text,
    },
    /// The roster that [`ChatClient::clients`](crate::ChatClient::clients) requested. It is exact at this place in the
    /// stream: apply the later joins and leaves to keep it exact (clause 5.4).
    #[non_exhaustive]
    Roster {
        /// The names of all who are present, this client included, in no particular order.
        names: Vec<Name>,
    },
    /// A line with an unknown verb (clause 7.1). Escape it before you show it.
    Other(String),
    /// A line that does not parse (clause 7.1).
    BadLine(ParseError),
    /// A reply without a request, such as a stray `OK` (clause 7.2).
    Unexpected(ServerMessage),
    /// This number of events is missing here, because the stream was full: see [`Events`].
    Missed(u64),
    /// The session is over. This is the last event.
    Closed(CloseReason),
}

/// The stream of a session's events. It ends after [`Event::Closed`].
///
/// It buffers [`MAX_EVENTS`](crate::MAX_EVENTS) events. When the buffer is full:
///
/// * If no request waits for an answer, the session stops reading from the server. Nothing is lost, but a stream that
///   stays unread for long costs the connection, as for any slow client (clause 6.5).
/// * If a request waits, and nobody takes an event for 3 seconds, the session reads on, so that an unread stream does not
///   block [`ChatClient::send`](crate::ChatClient::send) for longer. Events that do not fit are counted, and
///   [`Event::Missed`] takes their place.
///
/// A program that needs no events drops the stream: then the session is never slowed. When all
/// [`ChatClient`](crate::ChatClient)s are dropped too, the session says `BYE`.
///
/// ```
/// use chat_client::{Event, Login};
/// # use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, server) = tokio::io::duplex(4096);
/// # tokio::spawn(async move {
/// #     let mut server = BufReader::new(server);
/// #     for reply in ["NAME OK\r\nWELCOME\r\nJOIN ann\r\nFROM ann MSG hello\r\nLOGOUT ann\r\n"] {
/// #         server.read_line(&mut String::new()).await?;
/// #         server.write_all(reply.as_bytes()).await?;
/// #     }
/// #     std::io::Result::Ok(())
/// # });
/// let (_client, mut events) = Login::over(stream).log_in("bob".parse()?).await?;
/// assert_eq!(events.next().await, Some(Event::joined("ann".parse()?)));
/// assert_eq!(events.next().await, Some(Event::message("ann".parse()?, "hello".parse()?)));
/// assert_eq!(events.next().await, Some(Event::left("ann".parse()?)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Events {
    events: mpsc::Receiver<Event>,
}

impl Events {
    pub(crate) fn new(events: mpsc::Receiver<Event>) -> Self {
        Self { events }
    }

    /// The next event, or `None` after [`Event::Closed`]. Cancel safe.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.events.poll_recv(cx)
    }
}
