//! Errors, one type for each scope: the connection, the login, a message, a request.

use std::{fmt::Write, io, net::SocketAddr};

use chat_proto::{CodecError, Name};

use crate::{AddressError, Retry, escape};

/// No connection could be opened.
///
/// A function for `Redial::new` that opens a transport of its own returns [`ConnectError::Io`].
///
/// ```
/// use chat_client::{ConnectError, connect};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let error = connect("localhost:chat").await.unwrap_err();
/// assert!(matches!(error, ConnectError::Address(_)));
/// assert_eq!(error.to_string(), "a port is a number from 1 to 65535");
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The string is not an address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The address is the path of a Unix socket, where a host is needed.
    #[error("this is the path of a Unix socket, not a host")]
    NotTcp,
    /// The host name could not be resolved.
    #[non_exhaustive]
    #[error("no address for {}: {source}", escape(.host))]
    Lookup {
        /// The host name.
        host: String,
        /// The resolver's error.
        source: io::Error,
    },
    /// No address accepted the connection. The list has at least one entry.
    #[error("{}", join_failures(.0))]
    Failed(Vec<(SocketAddr, io::Error)>),
    /// The Unix socket, or a transport of the caller's own, could not be opened.
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn join_failures(failures: &[(SocketAddr, io::Error)]) -> String {
    let mut text = String::new();
    for (address, error) in failures {
        let separator = if text.is_empty() { "" } else { "; " };
        write!(text, "{separator}{address}: {error}").expect("a string grows");
    }
    text
}

/// The login failed.
///
/// ```
/// use chat_client::{Login, LoginError};
/// # use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, server) = tokio::io::duplex(4096);
/// # tokio::spawn(async move {
/// #     let mut server = BufReader::new(server);
/// #     for reply in ["BAD PROT\r\n"] {
/// #         server.read_line(&mut String::new()).await?;
/// #         server.write_all(reply.as_bytes()).await?;
/// #     }
/// #     std::io::Result::Ok(())
/// # });
/// let error = Login::over(stream).log_in("bob".parse()?).await.unwrap_err();
/// assert!(matches!(error, LoginError::BadProt));
/// assert_eq!(error.to_string(), "the server does not speak version 0.1 of the protocol");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The name is taken or not allowed. Another name may be tried (clause 3.3).
    #[non_exhaustive]
    #[error("the name {name} is taken or not allowed")]
    NameRefused {
        /// The refused name.
        name: Name,
        /// The same connection. Its server waits for another name.
        retry: Box<Retry>,
    },
    /// The name is taken or not allowed, and this was the last attempt: the server has closed the connection (clause
    /// 3.3).
    #[non_exhaustive]
    #[error("the name {name} is taken or not allowed, and the server allows no more attempts")]
    OutOfAttempts {
        /// The refused name.
        name: Name,
    },
    /// The server answered `BAD PROT` (clause 3.1).
    #[error("the server does not speak version {} of the protocol", chat_proto::VERSION)]
    BadProt,
    /// The server answered `BAD REQ` (clause 3.4).
    #[error("the server refused the login as a bad request")]
    BadReq,
    /// The server answered `BYE`: it is full, stopping, or bans the address (clause 2.6).
    #[error("the server says BYE: it is full, stopping, or refuses this address")]
    TurnedAway,
    /// The server closed the connection without an answer.
    #[error("the server closed the connection before the login")]
    Closed,
    /// The server did not answer within [`LOGIN_TIMEOUT`](crate::LOGIN_TIMEOUT).
    #[error("the server did not answer the login within {} s", crate::LOGIN_TIMEOUT.as_secs())]
    TimedOut,
    /// The server's lines are not answers to a login.
    #[non_exhaustive]
    #[error("this is not a chat server of this protocol; it says: {}", escape(.line))]
    NotChat {
        /// The first such line. It is empty if it was not UTF-8. Escape it before you show it.
        line: String,
    },
    /// The server sent 65,536 bytes without an LF (clause 1.4).
    #[error("the server sent a line without end")]
    EndlessLine,
    /// The transport failed.
    #[error(transparent)]
    Io(io::Error),
}

impl LoginError {
    /// Whether no chat server has answered. Another address of the same host may be a chat server.
    pub(crate) fn is_about_the_address(&self) -> bool {
        matches!(self, Self::Closed | Self::TimedOut | Self::NotChat { .. } | Self::EndlessLine | Self::Io(_))
    }

    /// Not `From`, which would make the codec's error a part of this interface.
    pub(crate) fn of_codec(error: CodecError) -> Self {
        match error {
            CodecError::Io(error) => Self::Io(error),
            // The only other one.
            _ => Self::EndlessLine,
        }
    }
}

/// No session could be opened: the connection or the login failed. `?` converts the errors of both.
///
/// ```
/// use chat_client::{ChatClient, Events, LoginError, OpenError, connect};
///
/// async fn open(server: &str) -> Result<(ChatClient, Events), OpenError> {
///     Ok(connect(server).await?.log_in("bob".parse().expect("a valid name")).await?)
/// }
///
/// assert!(OpenError::from(LoginError::TurnedAway).is_transient()); // the server is full: try later
/// assert!(!OpenError::from(LoginError::BadProt).is_transient());
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The connection failed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The login failed.
    #[error(transparent)]
    Login(#[from] LoginError),
}

impl OpenError {
    /// Whether the same attempt may succeed later: the server was down or full, or the connection failed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect(error) => !matches!(error, ConnectError::Address(_) | ConnectError::NotTcp),
            Self::Login(error) => {
                matches!(
                    error,
                    LoginError::TurnedAway
                        | LoginError::Closed
                        | LoginError::TimedOut
                        | LoginError::EndlessLine
                        | LoginError::Io(_)
                )
            }
        }
    }

    /// Whether the name was refused: another name may be accepted.
    pub fn is_name_refused(&self) -> bool {
        matches!(self, Self::Login(LoginError::NameRefused { .. } | LoginError::OutOfAttempts { .. }))
    }
}

/// A message was not accepted, or it is unknown whether it was.
///
/// ```
/// use chat_client::{Login, SendError};
/// # use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, server) = tokio::io::duplex(4096);
/// # tokio::spawn(async move {
/// #     let mut server = BufReader::new(server);
/// #     for reply in ["NAME OK\r\nWELCOME\r\n", "BAD REQ\r\n"] {
/// #         server.read_line(&mut String::new()).await?;
/// #         server.write_all(reply.as_bytes()).await?;
/// #     }
/// #     std::io::Result::Ok(())
/// # });
/// let (client, _events) = Login::over(stream).log_in("bob".parse()?).await?;
/// match client.send("hello".parse()?).await {
///     Err(SendError::Refused) => {} // nobody got it
///     Err(SendError::Unknown) => panic!("ask the user before you send it again"),
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The server answered `BAD REQ`: nobody got the message (clauses 3.9 and 3.10).
    #[error("the server refused the message")]
    Refused,
    /// The session ended before the answer: the message may have been delivered or not (clause 7.6). Do not send it
    /// again without asking the user.
    #[error("the connection ended before the message was acknowledged: it may have been delivered or not")]
    Unknown,
    /// The session was already over: the message was not sent.
    #[error("the session is over: the message was not sent")]
    Closed,
    /// [`ChatClient::try_queue`](crate::ChatClient::try_queue) found no room: the message was not sent.
    #[error("too many messages are waiting: the message was not sent")]
    Full,
    /// A guest that sends `BYE` would leave (clause 4.3): the message was not sent.
    #[error("a guest cannot say BYE without leaving: the message was not sent")]
    Bye,
}

/// A request other than a message failed.
///
/// ```
/// use chat_client::{Login, RequestError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, _server) = tokio::io::duplex(4096);
/// let (client, _events) = Login::over(stream).as_guest();
/// assert_eq!(client.ping().await, Err(RequestError::Guest));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A guest's session has messages only (clause 4.1).
    #[error("guests cannot ask the server: log in under a name")]
    Guest,
    /// The server answered `BAD REQ`.
    #[error("the server refused the request")]
    Refused,
    /// The answer is not a valid roster: its lines contradict each other, or it has more than
    /// [`MAX_ROSTER`](crate::MAX_ROSTER) names.
    #[error("the server's answer makes no sense")]
    Malformed,
    /// The session is over.
    #[error("the session is over")]
    Closed,
}
