//! Why a connection ended: for the log, the events and the statistics.

use std::{io, sync::Arc};

use chat_proto::Fault;

/// Why a connection ended.
///
/// The reason of a member is decided when it leaves the room. It is the same in [`Event::Left`](crate::Event::Left), in
/// [`Stats::ended`](crate::Stats::ended) and in the log. The [`Report`](crate::Report) says how many members received all of their
/// lines when the server stopped.
///
/// ```
/// use chat_server::{EndReason, Ending};
///
/// assert_eq!(EndReason::Lagged.to_string(), "lagged behind");
/// assert_eq!(EndReason::Lagged.ending(), Ending::Cut);
/// assert_eq!(EndReason::Kicked("flooding".into()).to_string(), "kicked: flooding");
/// assert_eq!(EndReason::Bye.ending(), Ending::Left);
/// ```
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndReason {
    /// It said `BYE` (clauses 3.8 and 4.3).
    #[error("said BYE")]
    Bye,
    /// It closed its sending side without `BYE` (clause 6.4).
    #[error("closed by the peer")]
    Closed,
    /// The transport failed, for example by a reset.
    #[error("transport failed: {0}")]
    Transport(io::ErrorKind),
    /// Its first lines were not a login (clauses 2.4, 3.1 and 3.4).
    #[error("no login: {0}")]
    NoLogin(Fault),
    /// It sent another line than `NAME` before it had a name (clause 3.4).
    #[error("spoke before it had a name")]
    NoName,
    /// Its names were refused five times (clause 3.3).
    #[error("too many refused names")]
    NameFailures,
    /// The server refuses plain sessions (clause 2.8).
    #[error("plain sessions are refused")]
    PlainRefused,
    /// It did not log in before the deadline (clause 2.5).
    #[error("not logged in by the deadline")]
    LoginTimeout,
    /// It exceeds a limit on connections (clause 2.6).
    #[error("no place: {0}")]
    Full(Full),
    /// The embedder's policy refused it (clause 2.6).
    #[error("refused by policy")]
    Policy,
    /// It sent nothing, not even an answer to `PING` (clause 6.1).
    #[error("did not answer a PING")]
    PingTimeout,
    /// It sent 65,536 bytes without an LF (clause 1.4).
    #[error("endless line")]
    EndlessLine,
    /// It read too slowly: it was further behind than the ring is long (clause 6.5).
    #[error("lagged behind")]
    Lagged,
    /// It read too slowly: a write made no progress within the timeout (clause 6.5).
    #[error("write deadline")]
    WriteTimeout,
    /// Its task panicked, for example in the embedding program's policy.
    #[error("its task panicked")]
    Panicked,
    /// Its task was dropped, for example because its runtime ended.
    #[error("dropped by the program")]
    Dropped,
    /// The embedding program sent it away, for this reason: [`ChatServer::kick`](crate::ChatServer::kick).
    #[error("kicked{}", colon(.0))]
    Kicked(Arc<str>),
    /// The embedding program ended it at once, for this reason: [`Connection::cut`](crate::Connection::cut).
    #[error("cut{}", colon(.0))]
    Cut(Arc<str>),
    /// The server stopped (clause 6.3).
    #[error("the server stopped")]
    ServerStopped,
    /// The server stopped at once: [`ChatServer::cut`](crate::ChatServer::cut).
    #[error("cut when the server stopped")]
    ServerCut,
}

/// The embedding program's text after a colon. Statistics have no text.
fn colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// The kind of an [`EndReason`].
///
/// ```
/// use chat_server::{EndReason, Ending, Full};
///
/// assert_eq!(EndReason::Closed.ending(), Ending::Left);
/// assert_eq!(EndReason::Full(Full::Rate).ending(), Ending::Refused);
/// assert_eq!(EndReason::WriteTimeout.ending(), Ending::Cut);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Ending {
    /// The peer left, or the server stopped gracefully.
    Left,
    /// The connection was refused.
    Refused,
    /// The server cut the connection.
    Cut,
}

impl EndReason {
    /// The kind of this reason.
    pub fn ending(&self) -> Ending {
        match self {
            Self::Bye | Self::Closed | Self::Transport(_) | Self::ServerStopped => Ending::Left,
            Self::NoLogin(_)
            | Self::NoName
            | Self::NameFailures
            | Self::PlainRefused
            | Self::Full(_)
            | Self::Policy => Ending::Refused,
            Self::LoginTimeout
            | Self::PingTimeout
            | Self::EndlessLine
            | Self::Lagged
            | Self::WriteTimeout
            | Self::Panicked
            | Self::Dropped
            | Self::Kicked(_)
            | Self::Cut(_)
            | Self::ServerCut => Ending::Cut,
        }
    }

    /// Whether the server ends such a connection with a last line, which must arrive.
    pub(crate) fn has_last_line(&self) -> bool {
        match self {
            Self::Bye
            | Self::NoLogin(_)
            | Self::NoName
            | Self::NameFailures
            | Self::PlainRefused
            | Self::Full(_)
            | Self::Policy
            | Self::EndlessLine
            | Self::Kicked(_)
            | Self::ServerStopped => true,
            Self::Closed
            | Self::Transport(_)
            | Self::LoginTimeout
            | Self::PingTimeout
            | Self::Lagged
            | Self::WriteTimeout
            | Self::Panicked
            | Self::Dropped
            | Self::Cut(_)
            | Self::ServerCut => false,
        }
    }

    /// Whether it ends the connection at once: nothing more is written.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self, Self::Cut(_) | Self::ServerCut)
    }

    /// Whether the whole server ended, and not this connection alone.
    pub(crate) fn is_stop(&self) -> bool {
        matches!(self, Self::ServerStopped | Self::ServerCut)
    }

    /// The same kind of end, without the embedding program's text: statistics must not grow with it.
    pub(crate) fn without_text(&self) -> Self {
        match self {
            Self::Kicked(_) => Self::Kicked(Arc::default()),
            Self::Cut(_) => Self::Cut(Arc::default()),
            other => other.clone(),
        }
    }
}

/// The limit that a connection exceeds.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, EndReason, Full, Peer};
///
/// let server = ChatServer::builder().max_clients(1).build();
/// let (_first, stream) = tokio::io::duplex(64);
/// let _first = server.attach(stream, Peer::labelled("first"));
/// let (_second, stream) = tokio::io::duplex(64);
/// let mut second = server.attach(stream, Peer::labelled("second"));
/// assert_eq!(second.ended().await, EndReason::Full(Full::Server));
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Full {
    /// The limit on all connections.
    #[error("the server is full")]
    Server,
    /// The limit on connects a second from the peer's address; an IPv6 address counts as its /64.
    #[error("too many connects a second from this address")]
    Rate,
    /// The limit on connections from the peer's address; an IPv6 address counts as its /64.
    #[error("too many connections from this address")]
    Address,
}
