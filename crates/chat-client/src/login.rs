//! From a connection to a session: as a guest, or with a name that the server accepts (sections 2 and 3).

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chat_proto::{ClientCodec, ClientMessage, Name, ParseError, ServerMessage, Session};
use futures::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_util::codec::Framed;

use crate::{
    ChatClient, Events, KEEPALIVE_INTERVAL, LoginError,
    connect::Fallback,
    session::{self, Lines},
};

/// Time limit for the server's answer to a login, for each address and each name.
pub const LOGIN_TIMEOUT: Duration = Duration::from_secs(15);

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
    /// Further addresses of the same host, for a login that this connection does not answer.
    fallback: Fallback,
    keepalive: Option<Duration>,
}

/// A connection whose server waits for another name (clause 3.3). [`LoginError::NameRefused`] contains it, and the example of
/// [`Login`] uses it.
pub struct Retry {
    /// Never locked. The mutex makes this `Sync`, so that an error that contains it can be boxed as `Send + Sync`.
    lines: Mutex<Lines>,
    keepalive: Option<Duration>,
}

impl Login {
    /// A login over any transport that carries bytes in order, such as a TLS stream or `tokio::io::duplex`.
    pub fn over<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Self {
        Self { stream: Box::new(stream), fallback: Fallback::default(), keepalive: Some(KEEPALIVE_INTERVAL) }
    }

    /// A login over TCP. If this connection does not answer, it goes on at another address.
    pub(crate) fn over_tcp(stream: TcpStream, fallback: Fallback) -> Self {
        Self { fallback, ..Self::over(stream) }
    }

    /// Sets the silence after which a session under a name sends `PING`, and the time that the server then has to send
    /// anything. The default is [`KEEPALIVE_INTERVAL`]. `None`: the session is never ended because of silence.
    #[must_use]
    pub fn keepalive(mut self, interval: Option<Duration>) -> Self {
        self.keepalive = interval;
        self
    }

    /// Opens a session under a name (clause 3.2). The server has [`LOGIN_TIMEOUT`] to answer.
    ///
    /// After [`connect`](crate::connect), it tries the next address of the host if no chat server answers at this one.
    ///
    /// # Errors
    /// [`LoginError::NameRefused`] returns the connection, for an attempt with another name. After every other error
    /// the connection is closed.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime, because it spawns the session's task.
    pub async fn log_in(self, name: Name) -> Result<(ChatClient, Events), LoginError> {
        let Self { mut stream, mut fallback, keepalive } = self;
        loop {
            let lines = Framed::new(stream, ClientCodec::new(Session::Named));
            match negotiate(lines, ClientMessage::ConnectUser(name), name, keepalive).await {
                Err(error) if error.is_about_the_address() => match fallback.connect().await {
                    Some(next) => stream = Box::new(next),
                    None => return Err(error),
                },
                result => return result,
            }
        }
    }

    /// Opens a plain session, as a guest (clause 4.2). The server does not answer. If it refuses guests, the first
    /// event is [`Event::Closed`](crate::Event::Closed).
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime, because it spawns the session's task.
    pub fn as_guest(self) -> (ChatClient, Events) {
        session::start(Framed::new(self.stream, ClientCodec::new(Session::Plain)), None, self.keepalive)
    }
}

impl Retry {
    /// Tries another name, as [`Login::log_in`] does. A server closes the connection at the fifth refusal (clause 3.3).
    ///
    /// # Errors
    /// Those of [`Login::log_in`].
    pub async fn log_in(self, name: Name) -> Result<(ChatClient, Events), LoginError> {
        let lines = self.lines.into_inner().unwrap_or_else(PoisonError::into_inner);
        negotiate(lines, ClientMessage::Name(name), name, self.keepalive).await
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

async fn negotiate(
    lines: Lines,
    request: ClientMessage,
    name: Name,
    keepalive: Option<Duration>,
) -> Result<(ChatClient, Events), LoginError> {
    match timeout(LOGIN_TIMEOUT, answer(lines, request, name)).await {
        Ok(Ok(LoginAnswer::Welcome(lines))) => Ok(session::start(lines, Some(name), keepalive)),
        Ok(Ok(LoginAnswer::NameRefused(lines))) => {
            Err(LoginError::NameRefused { name, retry: Box::new(Retry { lines: Mutex::new(lines), keepalive }) })
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Err(LoginError::TimedOut),
    }
}

/// The answer of a chat server, and the connection that stays open after it.
enum LoginAnswer {
    Welcome(Lines),
    NameRefused(Lines),
}

/// Sends a request for a name, and reads lines up to the answer.
async fn answer(mut lines: Lines, request: ClientMessage, name: Name) -> Result<LoginAnswer, LoginError> {
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
            LoginLine::Welcome => return Ok(LoginAnswer::Welcome(lines)),
            LoginLine::NameRefused => failed = true,
            LoginLine::NameRequested if failed => return Ok(LoginAnswer::NameRefused(lines)),
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
