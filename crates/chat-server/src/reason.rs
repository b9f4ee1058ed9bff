//! Why a connection ended: in the log, and in the server's events.

use std::io;

use chat_proto::Fault;

/// Why a connection ended.
///
/// That of a member is decided when it leaves the room, and is then the same in [`Event::Left`](crate::Event::Left), in
/// [`Stats::ended`](crate::Stats::ended) and in the log. Whether a member took what it was owed when the server stopped is
/// told by the [`Report`](crate::Report).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndReason {
    /// It said `BYE` (clauses 3.8 and 4.3).
    #[error("said BYE")]
    Bye,
    /// It closed, or half-closed, without a word (clause 6.4).
    #[error("closed by the peer")]
    Closed,
    /// The transport failed, for instance by a reset.
    #[error("transport failed: {0}")]
    Transport(io::ErrorKind),
    /// Its first lines were no login: it sent what is no chat, or something else (clauses 2.4, 3.1 and 3.4).
    #[error("no login: {0}")]
    NoLogin(Fault),
    /// It said something else than its name before it had one (clause 3.4).
    #[error("spoke before it had a name")]
    NoName,
    /// Its names were refused too often (clause 3.3).
    #[error("too many refused names")]
    NameFailures,
    /// It wanted a plain session, and this server refuses them (clause 2.8).
    #[error("plain sessions are refused")]
    PlainRefused,
    /// It had not logged in by the deadline (clause 2.5).
    #[error("not logged in by the deadline")]
    LoginTimeout,
    /// The server has no place for it, or none for its address (clause 2.6).
    #[error("no place: {0}")]
    Full(Full),
    /// The embedder's policy refused it (clause 2.6).
    #[error("refused by policy")]
    Policy,
    /// Nothing came from it, not even the answer to a `PING` (clause 6.1).
    #[error("did not answer a PING")]
    PingTimeout,
    /// It sent too many octets without an LF (clause 1.4).
    #[error("endless line")]
    EndlessLine,
    /// It read too slowly: others were further ahead than the ring is long (clause 6.5).
    #[error("lagged behind")]
    Lagged,
    /// It read too slowly: one write took longer than the deadline (clause 6.5).
    #[error("write deadline")]
    WriteTimeout,
    /// Its task panicked, for instance in the embedder's policy.
    #[error("its task panicked")]
    Panicked,
    /// What served it was dropped, for instance because its runtime ended.
    #[error("dropped by the program")]
    Dropped,
    /// The server stopped (clause 6.3).
    #[error("the server stopped")]
    ServerStopped,
    /// The server stopped at once: [`ChatServer::cut`](crate::ChatServer::cut).
    #[error("cut when the server stopped")]
    Cut,
}

/// In what way a connection ended: [`EndReason::ending`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Ending {
    /// The peer went, or the server stopped in good order.
    Left,
    /// It was never let in.
    Refused,
    /// The server cut it off.
    Cut,
}

impl EndReason {
    /// In what way it ended.
    pub fn ending(self) -> Ending {
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
            | Self::Cut => Ending::Cut,
        }
    }
}

/// Which limit of connections is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Full {
    /// That of the whole server.
    #[error("the server is full")]
    Server,
    /// That of connects a second from the peer's address; an IPv6 address counts with its /64.
    #[error("too many connects a second from this address")]
    Rate,
    /// That of the peer's address; an IPv6 address counts with its /64.
    #[error("too many connections from this address")]
    Address,
}
