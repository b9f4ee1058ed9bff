//! What a client says, parsed and formatted side by side.

use std::fmt::{self, Write};

use super::{Session, Stage};
use crate::{Fault, Name, ParseError, Text, VERSION};

/// A line from a client to a server.
///
/// Variants are forms of a line. They may become more, but a variant gets no further fields.
///
/// ```
/// use chat_proto::{ClientMessage, Session};
///
/// let message = ClientMessage::Msg("hello".parse()?);
/// let mut line = String::new();
/// message.write(Session::Named, &mut line)?;
/// assert_eq!(line, "MSG hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ClientMessage {
    /// `PROT 0.1 CONNECT NEW`: opens a named session. The server asks for the name (clause 3.1).
    ConnectNew,
    /// `PROT 0.1 CONNECT USER <name>`: opens a named session under this name (clause 3.2).
    ConnectUser(Name),
    /// `NAME <name>`: the answer to `NAME REQ` (clause 3.2).
    Name(Name),
    /// `MSG <text>`, or in a plain session the text alone: a message to everybody (clauses 3.5 and 4.1).
    Msg(Text),
    /// `REQ CLIENTS`: requests the roster (clause 3.6).
    ReqClients,
    /// `PING`: the server answers with `PONG` (clause 3.7).
    Ping,
    /// `PONG`: the answer to a server's `PING` (clause 3.7).
    Pong,
    /// `BYE`: ends the session (clauses 3.8 and 4.3).
    Bye,
    /// An empty line in a plain session. It has no effect (clause 4.2).
    Blank,
}

impl ClientMessage {
    /// Parses a line without its terminator.
    ///
    /// The limit of a line in bytes is the codec's to check: this function accepts a line of any length.
    ///
    /// # Errors
    /// [`ParseError`] has the clause that the line breaks, and what a server answers.
    ///
    /// ```
    /// use chat_proto::{ClientMessage, Session, Stage};
    ///
    /// let message = ClientMessage::parse(Stage::First, "PROT 0.1 CONNECT USER bob".to_owned())?;
    /// assert_eq!(message, ClientMessage::ConnectUser("bob".parse()?));
    ///
    /// let error = ClientMessage::parse(Stage::Later(Session::Named), "msg hi".to_owned()).unwrap_err();
    /// assert_eq!(error.clause(), "3.9"); // verbs are upper-case
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parse(stage: Stage, line: String) -> Result<Self, ParseError> {
        let message = match stage {
            Stage::First if is_prot(&line) => connect(&line).map_err(|fault| ParseError::new(fault, Some(line))),
            Stage::First if is_http(&line) => Err(ParseError::new(Fault::Http, Some(line))),
            Stage::First | Stage::Later(Session::Plain) => plain(line),
            Stage::Later(Session::Named) => named(line),
        };
        // No line with a CR in it means anything, so that it need only be looked for where something is wrong. It goes
        // before whatever else is.
        message.map_err(|error| match error.line() {
            Some(line) if line.contains('\r') => error.because(Fault::CarriageReturn),
            _ => error,
        })
    }

    /// Writes the line without its terminator, in the form of a session of this kind.
    ///
    /// A plain session has no verbs. [`Msg`](Self::Msg) is the text alone there, and [`Bye`](Self::Bye) is `BYE`. Everything
    /// else becomes an empty line, which has no effect (clause 4.2).
    ///
    /// # Errors
    /// Only those of `out`.
    ///
    /// ```
    /// use chat_proto::{ClientMessage, Session};
    ///
    /// let mut line = String::new();
    /// ClientMessage::Msg("hello".parse()?).write(Session::Plain, &mut line)?;
    /// assert_eq!(line, "hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write(&self, session: Session, out: &mut impl Write) -> fmt::Result {
        match (session, self) {
            (Session::Plain, Self::Msg(text)) => out.write_str(text.as_str()),
            (_, Self::Bye) => out.write_str("BYE"),
            (_, Self::Blank) | (Session::Plain, _) => Ok(()),
            (_, Self::ConnectNew) => write!(out, "PROT {VERSION} CONNECT NEW"),
            (_, Self::ConnectUser(name)) => write!(out, "PROT {VERSION} CONNECT USER {name}"),
            (_, Self::Name(name)) => write!(out, "NAME {name}"),
            (_, Self::Msg(text)) => {
                out.write_str("MSG ")?;
                out.write_str(text.as_str())
            }
            (_, Self::ReqClients) => out.write_str("REQ CLIENTS"),
            (_, Self::Ping) => out.write_str("PING"),
            (_, Self::Pong) => out.write_str("PONG"),
        }
    }

    /// The kind of session that this message opens as the first line of a connection (clauses 2.2 and 2.3).
    pub fn opens(&self) -> Session {
        match self {
            Self::ConnectNew | Self::ConnectUser(_) => Session::Named,
            _ => Session::Plain,
        }
    }
}

/// Clause 2.2.
fn is_prot(line: &str) -> bool {
    line.strip_prefix("PROT").is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// Clause 2.4: a method, a target and `HTTP/` with a version.
fn is_http(line: &str) -> bool {
    line.rsplit_once(' ').is_some_and(|(request, version)| request.contains(' ') && version.starts_with("HTTP/"))
}

/// Clauses 3.1 and 3.2: a line that [`is_prot`].
fn connect(line: &str) -> Result<ClientMessage, Fault> {
    let fields = line.strip_prefix("PROT ").ok_or(Fault::Connect)?;
    let (version, request) = fields.split_once(' ').unwrap_or((fields, ""));
    match (version, request) {
        ("", _) => Err(Fault::Connect),
        (VERSION, "CONNECT NEW") => Ok(ClientMessage::ConnectNew),
        (VERSION, request) => match argument(request, "CONNECT USER") {
            Some(name) => Ok(ClientMessage::ConnectUser(Name::chosen(name)?)),
            None => Err(Fault::Connect),
        },
        _ => Err(Fault::Version),
    }
}

/// Section 4.
fn plain(line: String) -> Result<ClientMessage, ParseError> {
    match line.as_str() {
        "" => Ok(ClientMessage::Blank),
        "BYE" => Ok(ClientMessage::Bye),
        _ => message(line, 0),
    }
}

/// Section 3, after the first line.
fn named(line: String) -> Result<ClientMessage, ParseError> {
    const MSG: &str = "MSG ";
    if line.starts_with(MSG) {
        return message(line, MSG.len());
    }
    let fault = match line.as_str() {
        "REQ CLIENTS" => return Ok(ClientMessage::ReqClients),
        "PING" => return Ok(ClientMessage::Ping),
        "PONG" => return Ok(ClientMessage::Pong),
        "BYE" => return Ok(ClientMessage::Bye),
        "MSG" => Fault::Text(crate::TextError::Empty),
        _ if line.starts_with('@') => Fault::Tags,
        _ => match argument(&line, "NAME").map(Name::chosen) {
            Some(Ok(name)) => return Ok(ClientMessage::Name(name)),
            Some(Err(why)) => Fault::Name(why),
            None => Fault::Request,
        },
    };
    Err(ParseError::new(fault, Some(line)))
}

/// The message whose text begins at `start`; its memory is the line's.
fn message(mut line: String, start: usize) -> Result<ClientMessage, ParseError> {
    match Text::check(&line[start..]) {
        Ok(()) => {
            line.drain(..start);
            Ok(ClientMessage::Msg(Text::checked(line)))
        }
        Err(why) => Err(ParseError::new(Fault::Text(why), Some(line))),
    }
}

/// What follows a verb and its space. A verb alone has an empty argument.
fn argument<'a>(line: &'a str, verb: &str) -> Option<&'a str> {
    match line.strip_prefix(verb)? {
        "" => Some(""),
        rest => rest.strip_prefix(' '),
    }
}
