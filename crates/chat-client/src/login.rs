//! From a connection to a session: as a guest, or under a name that the server has to agree to (sections 2 and 3).

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

/// So many lines that belong to no login are passed over: a client bears what it does not know (section 7).
const MAX_ODD_LINES: u32 = 64;

/// A connection on which nothing has been said.
pub struct Login {
    stream: Box<dyn session::Transport>,
}

/// A named session to be, whose server waits for another name (clause 3.3).
pub struct Retry {
    /// Nobody locks it. It makes an error that holds this `Sync`, as those who box errors want it.
    lines: Mutex<Lines>,
}

impl Login {
    /// A login over any transport that carries octets in order.
    pub fn over<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Self {
        Self { stream: Box::new(stream) }
    }

    /// Opens a named session (clause 3.2). It has no time limit of its own; a server has one (clause 2.5).
    ///
    /// # Errors
    /// [`LoginError::NameRefused`] gives the connection back, for another name; after every other error it is closed.
    ///
    /// # Panics
    /// Outside of a Tokio runtime, on which it spawns the session's task.
    pub async fn log_in(self, name: Name) -> Result<(ChatClient, Events), LoginError> {
        let lines = Framed::new(self.stream, ClientCodec::new(Session::Named));
        negotiate(lines, ClientMessage::ConnectUser(name), name).await
    }

    /// Opens a plain session (clause 4.2). The server answers nothing; if it lets no guests in, the first event says so.
    ///
    /// # Panics
    /// Outside of a Tokio runtime, on which it spawns the session's task.
    pub fn as_guest(self) -> (ChatClient, Events) {
        session::start(Framed::new(self.stream, ClientCodec::new(Session::Plain)), None)
    }
}

impl Retry {
    /// Tries another name, as [`Login::log_in`] does. The fifth failure of a connection is the last (clause 3.3).
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

/// What a line means to a login.
enum Step {
    Agreed,
    Welcome,
    NameFailed,
    NameWanted,
    BadProt,
    BadReq,
    Bye,
    Ping,
    /// Nothing, so it is passed over.
    Odd(String),
}

fn step(line: Result<ServerMessage, ParseError>) -> Step {
    match line {
        Ok(ServerMessage::NameOk) => Step::Agreed,
        Ok(ServerMessage::Welcome) => Step::Welcome,
        Ok(ServerMessage::NameFailure) => Step::NameFailed,
        Ok(ServerMessage::NameReq) => Step::NameWanted,
        Ok(ServerMessage::BadProt) => Step::BadProt,
        Ok(ServerMessage::BadReq) => Step::BadReq,
        Ok(ServerMessage::Bye) => Step::Bye,
        Ok(ServerMessage::Ping) => Step::Ping,
        Ok(message) => Step::Odd(message.to_string()),
        Err(error) => Step::Odd(error.line().unwrap_or_default().to_owned()),
    }
}

async fn negotiate(mut lines: Lines, request: ClientMessage, name: Name) -> Result<(ChatClient, Events), LoginError> {
    // A server that is full may have said BYE and closed before we speak: what it said is heard first.
    let mut written = lines.send(request).await;
    let (mut failed, mut odd, mut odd_lines) = (false, None, 0);
    loop {
        let Some(line) = lines.next().await else {
            return Err(match (odd, written) {
                _ if failed => LoginError::OutOfTries { name },
                (Some(line), _) => LoginError::NotChat { line },
                (None, Err(error)) => LoginError::Broken(error),
                (None, Ok(())) => LoginError::Closed,
            });
        };
        match step(line?) {
            Step::Welcome => return Ok(session::start(lines, Some(name))),
            Step::NameFailed => failed = true,
            Step::NameWanted if failed => {
                let lines = Mutex::new(lines);
                return Err(LoginError::NameRefused { name, retry: Box::new(Retry { lines }) });
            }
            Step::BadProt => return Err(LoginError::BadProt),
            Step::BadReq => return Err(LoginError::BadReq),
            Step::Bye => return Err(LoginError::TurnedAway),
            Step::Ping => written = lines.send(ClientMessage::Pong).await,
            Step::Agreed | Step::NameWanted => {}
            Step::Odd(line) => {
                odd_lines += 1;
                let first = odd.get_or_insert(line);
                if odd_lines > MAX_ODD_LINES {
                    return Err(LoginError::NotChat { line: std::mem::take(first) });
                }
            }
        }
    }
}
