//! Why a session ended, and how many of its messages were acknowledged.

use std::io;

/// Why a session ended.
///
/// ```
/// use chat_client::{CloseReason, Event, Login};
/// # use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, server) = tokio::io::duplex(4096);
/// # tokio::spawn(async move {
/// #     let mut server = BufReader::new(server);
/// #     for reply in ["NAME OK\r\nWELCOME\r\nBYE\r\n"] {
/// #         server.read_line(&mut String::new()).await?;
/// #         server.write_all(reply.as_bytes()).await?;
/// #     }
/// #     std::io::Result::Ok(())
/// # });
/// let (_client, mut events) = Login::over(stream).log_in("bob".parse()?).await?;
/// let Some(Event::Closed(reason)) = events.next().await else { panic!("the server says BYE") };
/// assert_eq!(reason, CloseReason::ServerBye);
/// assert!(!reason.is_lost());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// This client said `BYE` after all answers had arrived (clauses 3.8 and 4.3).
    #[error("left with BYE")]
    Left,
    /// The server said `BYE`: it stops (clause 6.3), or it removed this client.
    #[error("the server says BYE")]
    ServerBye,
    /// The first line for a guest was `BYE`: the server is full, stopping, or bans the address (clause 2.6).
    #[error("the server says BYE: it is full, stopping, or refuses this address")]
    TurnedAway,
    /// The server requires a name (clause 2.8).
    #[error("the server takes no guests: a name is needed")]
    GuestsRefused,
    /// The server closed the connection without `BYE`.
    #[error("the server closed the connection")]
    Eof,
    /// The server sent 65,536 bytes without an LF (clause 1.4).
    #[error("the server sent a line without end")]
    EndlessLine,
    /// The transport failed.
    #[error("{0}")]
    Io(io::ErrorKind),
    /// The server sent nothing for too long, not even an answer to `PING`: the server or the network is down.
    #[error("the server is silent: it does not answer PING")]
    Silent,
    /// This client left, and the server did not answer everything in time.
    #[error("the server took too long to answer")]
    TimedOut,
    /// The session's task was stopped, for example because its runtime ended.
    #[error("the session was stopped")]
    Aborted,
}

impl CloseReason {
    /// Whether the connection failed, was closed without `BYE` or went silent, or the session's task was stopped. `false` if
    /// this client left, or if the server refused it.
    ///
    /// ```
    /// use chat_client::CloseReason;
    ///
    /// assert!(CloseReason::Eof.is_lost());
    /// assert!(!CloseReason::ServerBye.is_lost());
    /// ```
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Eof | Self::EndlessLine | Self::Io(_) | Self::Silent | Self::Aborted)
    }
}

/// The report of a session that is over: why it ended, and what became of its messages.
///
/// ```
/// use chat_client::{CloseReason, Login};
/// # use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, server) = tokio::io::duplex(4096);
/// # tokio::spawn(async move {
/// #     let mut server = BufReader::new(server);
/// #     for reply in ["NAME OK\r\nWELCOME\r\n", "BAD REQ\r\n", "BYE\r\n"] {
/// #         server.read_line(&mut String::new()).await?;
/// #         server.write_all(reply.as_bytes()).await?;
/// #     }
/// #     std::io::Result::Ok(())
/// # });
/// let (client, _events) = Login::over(stream).log_in("bob".parse()?).await?;
/// client.send("hello".parse()?).await.unwrap_err();
/// let report = client.close().await?;
/// assert_eq!(report.reason, CloseReason::Left);
/// assert_eq!((report.accepted, report.refused, report.unknown), (0, 1, 0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SessionReport {
    /// Why the session ended.
    pub reason: CloseReason,
    /// Messages that got `OK`.
    pub accepted: u64,
    /// Messages that got `BAD REQ`.
    pub refused: u64,
    /// Messages that were written, or were about to be, and got no answer. They may have been delivered or not (clause
    /// 7.6).
    pub unknown: u64,
}

/// The session ended before every message had an answer, or its task was stopped.
///
/// ```
/// use chat_client::Login;
/// # use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, server) = tokio::io::duplex(4096);
/// # tokio::spawn(async move {
/// #     let mut server = BufReader::new(server);
/// #     for reply in ["NAME OK\r\nWELCOME\r\n", ""] {
/// #         server.read_line(&mut String::new()).await?;
/// #         server.write_all(reply.as_bytes()).await?;
/// #     }
/// #     std::io::Result::Ok(())
/// # });
/// let (client, _events) = Login::over(stream).log_in("bob".parse()?).await?;
/// // The server receives the message, and closes the connection without an answer.
/// drop(client.queue("hello".parse()?).await?);
/// let error = client.close().await.unwrap_err();
/// assert_eq!(error.report().unknown, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}; messages without an answer: {}", .0.reason, .0.unknown)]
pub struct CloseError(SessionReport);

impl CloseError {
    pub(crate) fn new(report: SessionReport) -> Self {
        Self(report)
    }

    /// How the session ended, with the number of messages without an answer.
    pub fn report(&self) -> &SessionReport {
        &self.0
    }

    /// Returns the report.
    pub fn into_report(self) -> SessionReport {
        self.0
    }
}
