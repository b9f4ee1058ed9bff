//! What can go wrong, by how far it reaches: no connection, no login, this message, this request.

use std::{fmt::Write, io, net::SocketAddr};

use chat_proto::{CodecError, Name};

use crate::{AddressError, Retry, escape};

/// No connection came about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// What was given is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A path was given where a host is needed.
    #[error("this is the path of a Unix socket, not a host")]
    NotTcp,
    /// The host's name has no address.
    #[error("no address for {}: {source}", escape(.host))]
    Lookup {
        /// The name.
        host: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// None of the addresses answered. There is at least one.
    #[error("{}", in_turn(.0))]
    Failed(Vec<(SocketAddr, io::Error)>),
    /// The Unix socket could not be opened.
    #[error(transparent)]
    Unix(io::Error),
}

fn in_turn(failures: &[(SocketAddr, io::Error)]) -> String {
    let mut told = String::new();
    for (address, error) in failures {
        let separator = if told.is_empty() { "" } else { "; " };
        write!(told, "{separator}{address}: {error}").expect("a string grows");
    }
    told
}

/// The server did not let this client in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The name is taken, or not wanted here; another may be tried (clause 3.3).
    #[error("the name {name} is taken or not allowed")]
    NameRefused {
        /// The refused name.
        name: Name,
        /// The same connection, at which the server waits for another name.
        retry: Box<Retry>,
    },
    /// As above, for the last time: the server has closed the connection (clause 3.3).
    #[error("the name {name} is taken or not allowed, and the server takes no further try")]
    OutOfTries {
        /// The refused name.
        name: Name,
    },
    /// `BAD PROT` (clause 3.1).
    #[error("the server does not speak version {} of the protocol", chat_proto::VERSION)]
    BadProt,
    /// `BAD REQ` (clause 3.4).
    #[error("the server refused the login as a bad request")]
    BadReq,
    /// `BYE`: the server is full, stopping, or bans the address (clause 2.6).
    #[error("the server says BYE: it is full, stopping, or refuses this address")]
    TurnedAway,
    /// The server closed the connection before it had answered.
    #[error("the server closed the connection before the login")]
    Closed,
    /// The server answered with lines that belong to no login.
    #[error("this is not a chat server of this protocol; it says: {}", escape(.line))]
    NotChat {
        /// The first such line, as it came; empty if it was no text. Escape it before you show it.
        line: String,
    },
    /// The connection broke.
    #[error(transparent)]
    Broken(#[from] CodecError),
}

/// There is no session: no connection, or no login.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// No login.
    #[error(transparent)]
    Login(#[from] LoginError),
}

impl OpenError {
    /// Whether the same attempt may go better later: the server is down, full, or broke off.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Connect(error) => !matches!(error, ConnectError::Address(_) | ConnectError::NotTcp),
            Self::Login(error) => {
                matches!(error, LoginError::TurnedAway | LoginError::Closed | LoginError::Broken(_))
            }
        }
    }

    /// Whether the name is why: another may be let in.
    pub fn is_about_the_name(&self) -> bool {
        matches!(self, Self::Login(LoginError::NameRefused { .. } | LoginError::OutOfTries { .. }))
    }
}

/// A message did not become part of the conversation, or it is not known whether it did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The server refused it with `BAD REQ`: it reached nobody (clauses 3.9 and 3.10).
    #[error("the server refused the message")]
    Refused,
    /// The session ended before its answer came: it was delivered or it was not (clause 7.6). Do not send it again
    /// without asking.
    #[error("the connection ended before the message was acknowledged: it may have been delivered or not")]
    Unknown,
    /// The session had ended before: it was not sent.
    #[error("the session is over: the message was not sent")]
    Closed,
    /// In a guest's session the text `BYE` would leave (clause 4.3): it was not sent.
    #[error("a guest cannot say BYE without leaving: the message was not sent")]
    Bye,
}

/// A request other than a message has no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A guest's session knows messages only (clause 4.1).
    #[error("guests cannot ask the server: log in under a name")]
    Guest,
    /// The server answered `BAD REQ`.
    #[error("the server refused the request")]
    Refused,
    /// The server's answer makes no sense: a roster whose lines contradict each other, or of more than
    /// [`MAX_ROSTER`](crate::MAX_ROSTER) names.
    #[error("the server's answer makes no sense")]
    Malformed,
    /// The session is over.
    #[error("the session is over")]
    Closed,
}
