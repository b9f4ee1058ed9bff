//! One stream of events over many sessions, with the gaps between them marked.

use std::time::Duration;

use chat_proto::Text;
use futures::{Stream, stream};
use tokio::time::Instant;

use super::redial::{DialOutcome, Redial};
use crate::{ChatClient, CloseReason, ConnectError, Event, Events, OpenError, SendError};

/// A client that reconnects when its connection is lost.
///
/// ```
/// use chat_client::{Event, Login, Reconnecting, Redial, SessionEvent};
/// # use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, server) = tokio::io::duplex(4096);
/// # tokio::spawn(async move {
/// #     let mut server = BufReader::new(server);
/// #     for reply in ["NAME OK\r\nWELCOME\r\nFROM ann MSG hello\r\n"] {
/// #         server.read_line(&mut String::new()).await?;
/// #         server.write_all(reply.as_bytes()).await?;
/// #     }
/// #     std::io::Result::Ok(())
/// # });
/// # let stream = std::sync::Mutex::new(Some(stream));
/// # let connect = move || std::future::ready(Ok(Login::over(stream.lock().unwrap().take().unwrap())));
/// let redial = Redial::new(connect).name(Some("log".parse()?)); // or `Redial::to("localhost".parse()?)`
/// let mut sessions = Reconnecting::new(redial);
/// while let Some(event) = sessions.next().await {
///     match event {
///         SessionEvent::Event(Event::Message { from, text, .. }) => {
///             println!("{from}: {text}");
/// #             break;
///         }
///         SessionEvent::Connected { gap: Some(gap), .. } => println!("(nothing was received for {gap:?})"),
///         SessionEvent::Lost { reason, .. } => println!("(lost: {reason})"),
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
    /// When the last line of the last session was received.
    last_received: Option<Instant>,
    /// Whether to give up after the first session or the first failed attempt.
    once: bool,
    /// The user wants another session, although the current one may be fine.
    is_forced: bool,
    over: bool,
}

/// An event of a [`Reconnecting`] client: of its connection, or of the chat room. The example of [`Reconnecting`] handles it.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionEvent {
    /// A session is open.
    #[non_exhaustive]
    Connected {
        /// The handle of this session.
        client: ChatClient,
        /// For a later session: the time since the last line of the session before. The client may have missed whatever
        /// happened in this time.
        gap: Option<Duration>,
    },
    /// An event of the session.
    Event(Event),
    /// The session is over, and the client reconnects unless it is the last one.
    #[non_exhaustive]
    Lost {
        /// Why it ended.
        reason: CloseReason,
        /// Number of messages without an answer. They may have been delivered or not, and are not sent again.
        unknown: u64,
        /// Whether there is no further attempt: see [`Reconnecting::once`].
        is_last: bool,
    },
    /// An attempt failed.
    #[non_exhaustive]
    Failed {
        /// Why it failed.
        error: OpenError,
        /// Delay before the next attempt. `None`: there is none, and the stream ends.
        retry_in: Option<Duration>,
    },
}

impl Reconnecting {
    /// A client whose sessions `redial` opens. It connects at the first call of [`Reconnecting::next`].
    pub fn new(redial: Redial) -> Self {
        Self { redial, session: None, last_received: None, once: false, is_forced: false, over: false }
    }

    /// A client whose only session is already open.
    pub fn over(client: ChatClient, events: Events) -> Self {
        let nowhere = || std::future::ready(Err(ConnectError::Io(std::io::ErrorKind::Unsupported.into())));
        Self { session: Some((client, events)), ..Self::new(Redial::new(nowhere)) }.once()
    }

    /// Opens one session only: the stream ends when the session is lost, or when the first attempt fails.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// The handle of the current session. `None` while there is no session.
    pub fn client(&self) -> Option<&ChatClient> {
        self.session.as_ref().map(|(client, _)| client)
    }

    /// The dialer: use it to retry at once, or to change the name.
    pub fn redial(&mut self) -> &mut Redial {
        &mut self.redial
    }

    /// Sends `text` in the current session.
    ///
    /// Events are read only while [`Reconnecting::next`] is polled. So await this next to it, for example in `select!`,
    /// or use
    /// [`ChatClient::queue`].
    ///
    /// # Errors
    /// [`SendError::Closed`] without a session: the message is not sent. Otherwise those of [`ChatClient::send`].
    pub async fn send(&self, text: Text) -> Result<(), SendError> {
        self.client().ok_or(SendError::Closed)?.send(text).await
    }

    /// Ends the current session, attempt or delay, and connects now: for a user who does not want to wait until a dead
    /// connection is noticed.
    pub fn reconnect(&mut self) {
        match &self.session {
            Some((client, _)) => {
                self.is_forced = true;
                client.leave_within(Duration::ZERO);
            }
            None => self.redial.hurry(),
        }
    }

    /// The next event. `None` after this client has left, or after the last attempt has failed. Cancel safe.
    pub async fn next(&mut self) -> Option<SessionEvent> {
        if self.over {
            return None;
        }
        if let Some((client, events)) = &mut self.session {
            let reason = match events.next().await {
                Some(Event::Closed(reason)) => reason,
                Some(event) => return Some(SessionEvent::Event(event)),
                None => CloseReason::Aborted,
            };
            let unknown = client.closed().await.unknown;
            self.last_received = client.last_received();
            self.session = None;
            let is_forced = std::mem::take(&mut self.is_forced);
            // Reconnecting does not help: this client has left, or the server requires a name.
            if !is_forced && matches!(reason, CloseReason::Left | CloseReason::GuestsRefused) {
                self.over = true;
                return Some(SessionEvent::Event(Event::Closed(reason)));
            }
            self.over = self.once;
            self.redial.lost();
            if is_forced {
                self.redial.hurry();
            }
            return Some(SessionEvent::Lost { reason, unknown, is_last: self.once });
        }
        Some(match self.redial.attempt().await {
            DialOutcome::Connected(client, events) => {
                self.session = Some((client.clone(), events));
                SessionEvent::Connected { client, gap: self.last_received.take().map(|received| received.elapsed()) }
            }
            DialOutcome::Failed { error, retry_in } => {
                let retry_in = retry_in.filter(|_| !self.once);
                self.over = retry_in.is_none();
                SessionEvent::Failed { error, retry_in }
            }
        })
    }

    /// Allows another attempt after the last one.
    pub fn resume(&mut self) {
        self.over = false;
    }

    /// Turns this into a `Stream`.
    pub fn into_stream(self) -> impl Stream<Item = SessionEvent> {
        stream::unfold(self, |mut sessions| async move { sessions.next().await.map(|event| (event, sessions)) })
    }
}
