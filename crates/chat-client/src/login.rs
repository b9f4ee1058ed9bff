//! From a connection to a session: as a guest, or with a name that the server accepts (sections 2 and 3).

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use chat_proto::{ClientCodec, ClientMessage, Name, ParseError, ServerMessage, Session};
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::codec::Framed;

use crate::{
    ChatClient, Events, LoginError,
    session::{self, Lines},
};

/// Number of lines that a login ignores because they do not belong to it (section 7).
const MAX_UNEXPECTED_LINES: u32 = 64;

/// A connection on which nothing has been sent yet.
///
/// ```
/// use chat_client::{Login, LoginError};
/// # use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stream, server) = tokio::io::duplex(4096);
/// # tokio::spawn(async move {
/// #     let mut server = BufReader::new(server);
/// #     for reply in ["NAME FAILURE\r\nNAME REQ\r\n", "NAME OK\r\nWELCOME\r\n"] {
/// #         server.read_line(&mut String::new()).await?;
/// #         server.write_all(reply.as_bytes()).await?;
/// #     }
/// #     std::io::Result::Ok(())
/// # });
/// let (client, _events) = match Login::over(stream).log_in("ann".parse()?).await {
///     Ok(session) => session,
///     // Somebody has this name: try another on the same connection.
///     Err(LoginError::NameRefused { retry, .. }) => retry.log_in("ann2".parse()?).await?,
///     Err(error) => return Err(error.into()),
/// };
/// assert_eq!(client.name(), Some("ann2".parse()?));
/// # Ok(())
/// # }
/// ```
pub struct Login {
    stream: Box<dyn session::Transport>,
}

/// A connection whose server waits for another name (clause 3.3). [`LoginError::NameRefused`] contains it, and the example of
/// [`Login`] uses it.
pub struct Retry {
    /// Never locked. The mutex makes this `Sync`, so that an error that contains it can be boxed as `Send + Sync`.
    lines: Mutex<Lines>,
}

impl Login {
    /// A login over any transport that carries bytes in order, such as a TLS stream or `tokio::io::duplex`.
    pub fn over<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Self {
        Self { stream: Box::new(stream) }
    }

    /// Opens a session under a name (clause 3.2). The call has no time limit; servers have one (clause 2.5).
    ///
    /// # Errors
    /// [`LoginError::NameRefused`] returns the connection, for an attempt with another name. After every other error
    /// the connection is closed.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime, because it spawns the session's task.
    pub async fn log_in(self, name: Name) -> Result<(ChatClient, Events), LoginError> {
        let lines = Framed::new(self.stream, ClientCodec::new(Session::Named));
        negotiate(lines, ClientMessage::ConnectUser(name), name).await
    }

    /// Opens a plain session, as a guest (clause 4.2). The server does not answer. If it refuses guests, the first
    /// event is [`Event::Closed`](crate::Event::Closed).
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime, because it spawns the session's task.
    pub fn as_guest(self) -> (ChatClient, Events) {
        session::start(Framed::new(self.stream, ClientCodec::new(Session::Plain)), None)
    }
}

impl Retry {
    /// Tries another name, as [`Login::log_in`] does. A server closes the connection at the fifth refusal (clause 3.3).
    ///
    /// # Errors
    /// Those of [`Login::log_in`].
    pub async fn log_in(self, name: Name) -> Result<(ChatClient, Events), LoginError> {
        let lines = self.lines.into_inner().unwrap_or_else(PoisonError::into_inner);
        negotiate(lines, ClientMessage::Name(name), name).await
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry").finish_non_exhaustive()
    }
}

/// What a line means during the login.
enum LoginLine {
    NameAccepted,
    Welcome,
    NameRefused,
    NameRequested,
    BadProt,
    BadReq,
    Bye,
    Ping,
    /// It does not belong to a login.
    Unexpected(String),
}

fn classify(line: Result<ServerMessage, ParseError>) -> LoginLine {
    match line {
        Ok(ServerMessage::NameOk) => LoginLine::NameAccepted,
        Ok(ServerMessage::Welcome) => LoginLine::Welcome,
        Ok(ServerMessage::NameFailure) => LoginLine::NameRefused,
        Ok(ServerMessage::NameReq) => LoginLine::NameRequested,
        Ok(ServerMessage::BadProt) => LoginLine::BadProt,
        Ok(ServerMessage::BadReq) => LoginLine::BadReq,
        Ok(ServerMessage::Bye) => LoginLine::Bye,
        Ok(ServerMessage::Ping) => LoginLine::Ping,
        Ok(message) => LoginLine::Unexpected(message.to_string()),
        Err(error) => LoginLine::Unexpected(error.line().unwrap_or_default().to_owned()),
    }
}

async fn negotiate(mut lines: Lines, request: ClientMessage, name: Name) -> Result<(ChatClient, Events), LoginError> {
    // A full server may send BYE and close before we send anything. Read its line before reporting a write error.
    let mut written = lines.send(request).await;
    let (mut failed, mut first_unexpected, mut unexpected_lines) = (false, None, 0);
    loop {
        let Some(line) = lines.next().await else {
            return Err(match (first_unexpected, written) {
                _ if failed => LoginError::OutOfAttempts { name },
                (Some(line), _) => LoginError::NotChat { line },
                (None, Err(error)) => LoginError::of_codec(error),
                (None, Ok(())) => LoginError::Closed,
            });
        };
        match classify(line.map_err(LoginError::of_codec)?) {
            LoginLine::Welcome => return Ok(session::start(lines, Some(name))),
            LoginLine::NameRefused => failed = true,
            LoginLine::NameRequested if failed => {
                let lines = Mutex::new(lines);
                return Err(LoginError::NameRefused { name, retry: Box::new(Retry { lines }) });
            }
            LoginLine::BadProt => return Err(LoginError::BadProt),
            LoginLine::BadReq => return Err(LoginError::BadReq),
            LoginLine::Bye => return Err(LoginError::TurnedAway),
            LoginLine::Ping => written = lines.send(ClientMessage::Pong).await,
            LoginLine::NameAccepted | LoginLine::NameRequested => {}
            LoginLine::Unexpected(line) => {
                unexpected_lines += 1;
                let first = first_unexpected.get_or_insert(line);
                if unexpected_lines > MAX_UNEXPECTED_LINES {
                    return Err(LoginError::NotChat { line: std::mem::take(first) });
                }
            }
        }
    }
}
