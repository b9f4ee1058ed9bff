//! How a session ended, and what had become of its messages by then.

use std::io;

/// Why a session is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// This client said `BYE`, after it had got all answers (clauses 3.8 and 4.3).
    #[error("left with BYE")]
    Left,
    /// The server said `BYE` of its own accord: it stops (clause 6.3).
    #[error("the server says BYE")]
    ServerBye,
    /// A guest got `BYE` as the very first line: the server is full, stopping, or bans the address (clause 2.6).
    #[error("the server says BYE: it is full, stopping, or refuses this address")]
    TurnedAway,
    /// The server lets nobody in without a name (clause 2.8).
    #[error("the server takes no guests: a name is needed")]
    GuestsRefused,
    /// The server closed the connection without a word.
    #[error("the server closed the connection")]
    Eof,
    /// The server sent 65,536 octets without an LF (clause 1.4).
    #[error("the server sent a line without end")]
    Endless,
    /// The transport failed.
    #[error("{0}")]
    Io(io::ErrorKind),
    /// Nobody waited for its end any more.
    #[error("the server took too long to answer")]
    Abandoned,
    /// The session's task was stopped from outside, such as by its runtime's end.
    #[error("the session was stopped")]
    Aborted,
}

impl Closed {
    /// Whether the connection ended without a word of farewell from either side.
    pub fn is_lost(self) -> bool {
        matches!(self, Self::Eof | Self::Endless | Self::Io(_) | Self::Aborted)
    }
}

impl From<chat_proto::CodecError> for Closed {
    fn from(error: chat_proto::CodecError) -> Self {
        match error {
            chat_proto::CodecError::Io(error) => Self::Io(error.kind()),
            _ => Self::Endless,
        }
    }
}

/// What became of a session's messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Why it is over.
    pub closed: Closed,
    /// Messages that got their `OK`.
    pub accepted: u64,
    /// Messages that got `BAD REQ`.
    pub refused: u64,
    /// Messages that were written, or about to be, and got no answer: delivered or not, nobody can say (clause 7.6).
    pub unknown: u64,
}

/// The session ended before each message had its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}; messages without an answer: {}", .0.closed, .0.unknown)]
pub struct CloseError(pub Report);
