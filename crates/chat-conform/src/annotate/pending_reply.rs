//! Replies that the server still has to send.

use chat_proto::{Name, ServerMessage};

/// A reply that the server still has to send.
#[derive(Debug)]
pub(super) enum PendingReply {
    /// To a message.
    Ok,
    /// To `PING`.
    Pong,
    /// To `REQ CLIENTS`.
    Roster {
        /// How many names have arrived.
        received: usize,
    },
    /// To a request for a name. `None`: the name is invalid, or the client has not sent it yet.
    Login(Option<Name>),
    /// To `BYE`.
    Bye,
    /// To a line that broke this clause.
    Refusal(&'static str),
}

impl PendingReply {
    /// The clause that requires the reply.
    pub(super) fn clause(&self, plain: bool) -> &'static str {
        match self {
            Self::Ok if plain => "4.1",
            Self::Ok => "5.1",
            Self::Pong => "3.7",
            Self::Roster { .. } => "3.6",
            Self::Login(None) => "3.1",
            Self::Login(Some(_)) => "3.2",
            Self::Bye if plain => "4.3",
            Self::Bye => "3.8",
            Self::Refusal(clause) => clause,
        }
    }
}

/// Whether the reply is one to this kind of request.
pub(super) fn fits(reply: &ServerMessage, pending: &PendingReply) -> bool {
    match reply {
        ServerMessage::Ok => matches!(pending, PendingReply::Ok),
        ServerMessage::BadReq => matches!(pending, PendingReply::Refusal(_)),
        ServerMessage::Pong => matches!(pending, PendingReply::Pong),
        ServerMessage::Bye => matches!(pending, PendingReply::Bye),
        ServerMessage::Clients { .. } => matches!(pending, PendingReply::Roster { .. }),
        ServerMessage::Welcome | ServerMessage::NameReq | ServerMessage::NameFailure => {
            matches!(pending, PendingReply::Login(_))
        }
        _ => false,
    }
}
